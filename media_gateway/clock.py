"""A stream's clock, and that of tokens."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


def wall_ms() -> float:
    """The machine's clock, ms since the epoch; it may be set."""
    return time.time() * 1_000


def _offset_ms() -> float:
    return wall_ms() - time.monotonic() * 1_000


@dataclass(frozen=True, slots=True)
class StreamClock:
    """Milliseconds since the epoch as of its making, carried on by the monotonic clock: it never jumps."""

    offset_ms: float = field(default_factory=_offset_ms)

    def __call__(self) -> float:
        """Now."""
        return self.offset_ms + time.monotonic() * 1_000


@dataclass(frozen=True, slots=True)
class EarlierClock:
    """The machine's clock, or one that goes on steadily since the process began: the one that is behind.

    By it nothing grows old because a clock was set forward, or stays young for ever because it was set back.
    """

    wall: Callable[[], float] = wall_ms
    steady: Callable[[], float] = field(default_factory=StreamClock)

    def __call__(self) -> float:
        """Now, ms since the epoch."""
        return min(self.wall(), self.steady())


@dataclass(frozen=True, slots=True)
class LaterClock:
    """The other one: what it stamps looks old nowhere because this machine's clock was set back."""

    wall: Callable[[], float] = wall_ms
    steady: Callable[[], float] = field(default_factory=StreamClock)

    def __call__(self) -> float:
        """Now, ms since the epoch."""
        return max(self.wall(), self.steady())
