"""What gateways report, each event once, whichever ways and in whatever order it comes."""

from dataclasses import dataclass, field

from core.contracts.call import CallerTurn

REMEMBERED = 64


@dataclass
class Seen:
    """Which sequence numbers of one attachment have come."""

    numbers: list[int] = field(default_factory=list)
    forgotten_up_to: int = -1

    def take(self, seq: int) -> bool:
        """Whether this number is new. One that is more than ``REMEMBERED`` events late counts as known."""
        if seq <= self.forgotten_up_to or seq in self.numbers:
            return False
        self.numbers.append(seq)
        if len(self.numbers) > REMEMBERED:
            self.forgotten_up_to = min(self.numbers)
            self.numbers.remove(self.forgotten_up_to)
        return True


@dataclass
class Inbox:
    """Turns wait here in the order of the talk, not of their arrival."""

    newest: int = -1  # attachment
    seen: dict[int, Seen] = field(default_factory=dict)
    turns: list[CallerTurn] = field(default_factory=list)
    eager: CallerTurn | None = None  # probably over, and not yet taken
    withdrawn_seq: int = -1  # eager turns of the newest attachment before it are worth nothing

    def attach(self, attachment: int) -> bool:
        """A stream reports itself; False if a newer one has done so."""
        if attachment < self.newest:
            return False
        if attachment > self.newest:
            self.eager, self.withdrawn_seq = None, -1
        self.newest = attachment
        return True

    def is_new(self, attachment: int, seq: int) -> bool:
        """Whether this event has not come before; from now on it has."""
        return self.seen.setdefault(attachment, Seen()).take(seq)

    def put(self, turn: CallerTurn) -> bool:
        """Keep a turn until it is taken; False if it came before.

        A turn of an older attachment is kept too: its gateway may be gone, but the caller did say it.
        """
        if not self.is_new(turn.attachment, turn.seq):
            return False
        if self.eager is not None and self.eager.turn <= turn.turn:
            self.eager = None
        self.turns.append(turn)
        self.turns.sort(key=lambda waiting: (waiting.attachment, waiting.seq))
        return True

    def put_eager(self, turn: CallerTurn, answered: int) -> bool:
        """Keep a turn that is probably over; False if it came before, is withdrawn already, or has come for good."""
        new = self.is_new(turn.attachment, turn.seq)
        over = turn.turn <= self.last_turn(answered) or turn.seq < self.withdrawn_seq
        if not new or over or turn.attachment != self.newest:
            return False
        self.eager = turn
        return True

    def withdraw(self, attachment: int, seq: int) -> bool:
        """Eager turns before this event were none; False if that is no news."""
        if not self.is_new(attachment, seq) or attachment != self.newest or seq < self.withdrawn_seq:
            return False
        self.withdrawn_seq = seq
        if self.eager is not None and self.eager.seq < seq:
            self.eager = None
        return True

    def take_eager(self) -> CallerTurn | None:
        """The turn that is probably over, once."""
        taken, self.eager = self.eager, None
        return taken

    def take_turns(self) -> list[CallerTurn]:
        """All waiting turns, oldest first."""
        taken, self.turns = self.turns, []
        return taken

    def last_turn(self, answered: int) -> int:
        """The greatest turn number in use; ``answered`` is the conversation's."""
        return max((turn.turn for turn in self.turns), default=answered)
