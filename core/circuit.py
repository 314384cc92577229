"""When a vendor that fails is left alone for a while, and when it is tried again."""

from enum import StrEnum
from typing import Final

OPENS_AFTER: Final = 3  # failures in a row
OPEN_S: Final = 10.0  # then so long without a request; a probe that fails: twice as long, up to the longest
LONGEST_OPEN_S: Final = 60.0


class CircuitState(StrEnum):
    """Whether requests go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"  # one request, the probe, may find out


class Circuit:
    """A breaker for one vendor. Times are seconds on any one clock.

    A request asks ``enter`` first and then tells once how it went: ``succeed``, ``fail``, or ``leave`` where nobody
    knows, because the caller wanted no more.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._open_s = OPEN_S
        self._open_until: float | None = None
        self._probing = False

    def state(self, now: float) -> CircuitState:
        """Whether requests go through now."""
        if self._open_until is None:
            return CircuitState.CLOSED
        return CircuitState.OPEN if now < self._open_until else CircuitState.HALF_OPEN

    def enter(self, now: float) -> bool:
        """Whether a request may go; half open, the first one to ask is the probe and all others are turned away."""
        match self.state(now):
            case CircuitState.CLOSED:
                return True
            case CircuitState.HALF_OPEN if not self._probing:
                self._probing = True
                return True
        return False

    def succeed(self) -> None:
        """The vendor did its part."""
        self._failures = 0
        self._open_s = OPEN_S
        self._open_until = None
        self._probing = False

    def fail(self, now: float, *, hopeless: bool = False, retry_after: float = 0.0) -> None:
        """The vendor did not.

        Args:
            hopeless: another request would fail alike (a wrong key): the circuit opens at once, for the longest time.
            retry_after: how long the vendor asked to be left alone, in seconds; opens the circuit at once too.
        """
        self._failures += 1
        was_probe, self._probing = self._probing, False
        if hopeless:
            self._open(now, LONGEST_OPEN_S)
        elif was_probe:
            self._open_s = min(2 * self._open_s, LONGEST_OPEN_S)
            self._open(now, max(self._open_s, retry_after))
        elif retry_after > 0:
            self._open(now, retry_after)
        elif self._failures >= OPENS_AFTER:
            self._open(now, self._open_s)

    def leave(self) -> None:
        """The request was given up before anybody could tell."""
        self._probing = False

    def _open(self, now: float, seconds: float) -> None:
        self._open_until = max(self._open_until or 0.0, now + min(seconds, LONGEST_OPEN_S))
