"""What is to be expected of a campaign."""

from core.calling_window import CallingWindow, Hours
from core.campaign_estimate import USUAL_CALL_MS, estimate

HOUR_MS = 3_600_000.0
MONDAY_MS = 1_790_000_000_000.0  # 15:33 in Berlin
BERLIN = ("Europe/Berlin",)


def test_pace_or_carrier_whichever_is_slower_tells_how_long_it_takes() -> None:
    slow = estimate(1_000, CallingWindow(), BERLIN, MONDAY_MS, in_flight=1, calls_per_second=10.0)
    assert slow.dialling_ms == slow.attempts * USUAL_CALL_MS
    fast = estimate(1_000, CallingWindow(), BERLIN, MONDAY_MS, in_flight=1_000, calls_per_second=1.0)
    assert fast.dialling_ms == fast.attempts * 1_000


def test_the_end_comes_when_the_window_was_open_for_long_enough() -> None:
    two_hours = CallingWindow(hours=(Hours(16 * 60, 18 * 60),))
    found = estimate(300, two_hours, BERLIN, MONDAY_MS, in_flight=2, calls_per_second=10.0, call_usd=0.5)
    assert (found.attempts, found.dialling_ms, found.usd) == (480, 4 * HOUR_MS, 240.0)
    assert found.ends_ms is not None
    assert 24 * HOUR_MS < found.ends_ms - MONDAY_MS < 27 * HOUR_MS  # two hours today, two tomorrow


def test_a_window_that_never_opens_has_no_end() -> None:
    never = CallingWindow(hours=(Hours(2 * 60, 4 * 60),))
    assert estimate(1, never, BERLIN, MONDAY_MS, in_flight=1, calls_per_second=1.0).ends_ms is None


def test_nobody_to_call_is_done_at_once() -> None:
    found = estimate(0, CallingWindow(), BERLIN, MONDAY_MS, in_flight=1, calls_per_second=1.0)
    assert (found.attempts, found.usd, found.ends_ms) == (0, 0.0, MONDAY_MS)
