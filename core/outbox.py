"""What a stream has told its workflow and what has not arrived yet: numbered, in order, nothing lost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to the workflow. ``message`` names the signal that carries it."""

    seq: int
    message: str
    body: Any


class Outbox:
    """Numbers the events of one attachment from 1 and holds each until it has been delivered.

    Signals go out one after the other, in order. An event sent as an update goes its own way at once, beside the
    signals, and joins them in its place if the update was not accepted.
    """

    def __init__(self) -> None:
        self._seq = 0
        self._signals: list[Letter] = []
        self._updates: dict[int, Letter] = {}

    def post(self, message: str, make: Callable[[int], Any]) -> Letter:
        """An event to be sent as a signal; ``make`` gets its number."""
        letter = self._number(message, make)
        self._signals.append(letter)
        return letter

    def post_update(self, message: str, make: Callable[[int], Any]) -> Letter:
        """An event that the caller sends as an update; ``message`` is the signal to fall back on."""
        letter = self._number(message, make)
        self._updates[letter.seq] = letter
        return letter

    def fall_back(self, seq: int) -> None:
        """The update was not accepted in time: send it as a signal too."""
        if (letter := self._updates.pop(seq, None)) is not None:
            self._signals.append(letter)
            self._signals.sort(key=lambda waiting: waiting.seq)

    def next(self) -> Letter | None:
        """The signal to send now; the same until it has been delivered, unless an earlier one has joined."""
        return self._signals[0] if self._signals else None

    def delivered(self, seq: int) -> None:
        """The workflow has it, by whichever way. Telling it twice is fine."""
        self._updates.pop(seq, None)
        self._signals = [letter for letter in self._signals if letter.seq != seq]

    @property
    def undelivered(self) -> tuple[Letter, ...]:
        """All that is not known to have arrived, in order."""
        return tuple(sorted([*self._signals, *self._updates.values()], key=lambda letter: letter.seq))

    def _number(self, message: str, make: Callable[[int], Any]) -> Letter:
        self._seq += 1
        return Letter(self._seq, message, make(self._seq))
