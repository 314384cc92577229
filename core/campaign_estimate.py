"""How long a campaign will take, and what it will cost, as far as can be told before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.calling_window import CallingWindow, is_open

STEP_MS: Final = 15 * 60_000.0
HORIZON_STEPS: Final = 120 * 96  # 120 days
USUAL_CALL_MS: Final = 60_000.0  # of an attempt, where no call has been made yet
USUAL_USD: Final = 0.12
ATTEMPTS_EACH: Final = 1.6  # of a contact until it is done: about every third does not answer at first


@dataclass(frozen=True)
class Estimate:
    """What is to be expected."""

    attempts: int
    dialling_ms: float  # while the window is open
    ends_ms: float | None  # None: not within 120 days
    usd: float


def estimate(
    contacts: int,
    window: CallingWindow,
    zones: Sequence[str],
    now_ms: float,
    *,
    in_flight: int,
    calls_per_second: float,
    call_ms: float = USUAL_CALL_MS,
    call_usd: float = USUAL_USD,
) -> Estimate:
    """As if all were where most of them are, and retries came between the others.

    Args:
        contacts: who may be called.
        window: in which they may.
        zones: of most of them.
        now_ms: when it would start.
        in_flight: attempts at once.
        calls_per_second: of the carrier's account.
        call_ms: how long an attempt takes.
        call_usd: what it costs.
    """
    attempts = round(contacts * ATTEMPTS_EACH)
    dialling_ms = attempts * max(call_ms / max(in_flight, 1), 1_000 / calls_per_second)
    return Estimate(attempts, dialling_ms, _end(window, zones, now_ms, dialling_ms), attempts * call_usd)


def _end(window: CallingWindow, zones: Sequence[str], now_ms: float, dialling_ms: float) -> float | None:
    left_ms = dialling_ms
    for step in range(HORIZON_STEPS):
        at_ms = now_ms + step * STEP_MS
        if left_ms <= 0:
            return at_ms
        if is_open(window, zones, at_ms):
            if left_ms <= STEP_MS:
                return at_ms + left_ms
            left_ms -= STEP_MS
    return None
