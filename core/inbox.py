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

    def attach(self, attachment: int) -> bool:
        """A stream reports itself; False if a newer one has done so."""
        if attachment < self.newest:
            return False
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
        self.turns.append(turn)
        self.turns.sort(key=lambda waiting: (waiting.attachment, waiting.seq))
        return True

    def take_turns(self) -> list[CallerTurn]:
        """All waiting turns, oldest first."""
        taken, self.turns = self.turns, []
        return taken

    def last_turn(self, answered: int) -> int:
        """The greatest turn number in use; ``answered`` is the conversation's."""
        return max((turn.turn for turn in self.turns), default=answered)
