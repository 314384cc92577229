"""The time for what is bound to hours: nobody is called or written to at night because a clock is wrong."""

from collections.abc import Callable
from typing import Final

from temporalio import activity

from core.ports.errors import ClockInDoubt

AT_MOST_APART_MS: Final = 60_000.0  # hours are told in minutes


def agreed_ms(clock: Callable[[], float]) -> float:
    """Now, by a clock that agrees with the Temporal server's. For use at an activity's beginning.

    Args:
        clock: this machine's, ms since the epoch.

    Raises:
        ClockInDoubt: they are too far apart, or the machine stood still since the activity was given to it.
    """
    now_ms = clock()
    apart_ms = now_ms - activity.info().started_time.timestamp() * 1_000
    if abs(apart_ms) > AT_MOST_APART_MS:
        ahead = "ahead of" if apart_ms > 0 else "behind"
        raise ClockInDoubt(f"this machine's clock is {abs(apart_ms) / 1_000:.0f} s {ahead} the Temporal server's")
    return now_ms
