"""A stream's clock."""

import time
from dataclasses import dataclass, field


def _offset_ms() -> float:
    return (time.time() - time.monotonic()) * 1_000


@dataclass(frozen=True, slots=True)
class StreamClock:
    """Milliseconds since the epoch as of its making, carried on by the monotonic clock: it never jumps."""

    offset_ms: float = field(default_factory=_offset_ms)

    def __call__(self) -> float:
        """Now."""
        return self.offset_ms + time.monotonic() * 1_000
