"""When people may be called, by their own clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calling_window import Blackout, CallingWindow, Hours, ZonePolicy, is_open, next_opening
from core.contact_zones import UnknownZone, zones_of

ZONES = ("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Honolulu")
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))


def ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1_000


def test_the_law_opens_at_eight_and_closes_at_nine_by_the_clock_of_the_person() -> None:
    berlin = ["Europe/Berlin"]
    assert not is_open(CallingWindow(), berlin, ms("2026-11-26T07:59:59+01:00"))
    assert is_open(CallingWindow(), berlin, ms("2026-11-26T08:00:00+01:00"))
    assert is_open(CallingWindow(), berlin, ms("2026-11-26T20:59:59+01:00"))
    assert not is_open(CallingWindow(), berlin, ms("2026-11-26T21:00:00+01:00"))


def test_whoever_may_be_in_several_zones_must_be_awake_in_all() -> None:
    either = ["America/New_York", "America/Los_Angeles"]
    assert not is_open(CallingWindow(), either, ms("2026-11-26T08:30:00-05:00"))
    assert is_open(CallingWindow(), either, ms("2026-11-26T11:00:00-05:00"))
    assert next_opening(CallingWindow(), either, ms("2026-11-26T08:30:00-05:00")) == ms("2026-11-26T11:00:00-05:00")


def test_nobody_is_called_whose_zone_is_unknown() -> None:
    assert not is_open(CallingWindow(), (), ms("2026-11-26T12:00:00+00:00"))
    assert next_opening(CallingWindow(), (), ms("2026-11-26T12:00:00+00:00")) is None


@pytest.mark.parametrize(
    ("asleep", "opens"),
    [
        ("2026-03-28T22:00:00+01:00", "2026-03-29T08:00:00+02:00"),  # the clock goes forward that night
        ("2026-10-24T22:00:00+02:00", "2026-10-25T08:00:00+01:00"),  # and back
    ],
)
def test_the_clock_changes_overnight_and_the_morning_call_comes_by_the_new_one(asleep: str, opens: str) -> None:
    assert next_opening(CallingWindow(), ["Europe/Berlin"], ms(asleep)) == ms(opens)


def test_the_campaigns_own_hours_holidays_and_blackouts_hold_as_well() -> None:
    window = CallingWindow(
        hours=(Hours(9 * 60, 12 * 60, (0, 1, 2, 3, 4)), Hours(14 * 60, 23 * 60, (0, 1, 2, 3, 4))),
        holidays=("2026-12-25",),
        blackouts=(Blackout(ms("2026-12-28T09:00:00+01:00"), ms("2026-12-28T15:30:00+01:00")),),
    )
    berlin = ["Europe/Berlin"]
    assert not is_open(window, berlin, ms("2026-12-24T13:00:00+01:00"))
    assert not is_open(window, berlin, ms("2026-12-24T22:00:00+01:00"))  # the law's evening
    assert next_opening(window, berlin, ms("2026-12-24T12:00:00+01:00")) == ms("2026-12-24T14:00:00+01:00")
    assert next_opening(window, berlin, ms("2026-12-24T21:00:00+01:00")) == ms("2026-12-28T15:30:00+01:00")


def test_a_window_that_never_opens_is_told() -> None:
    noon = ms("2026-11-26T12:00:00+01:00")
    assert next_opening(CallingWindow(hours=(Hours(1, 60),)), ["Europe/Berlin"], noon) is None
    office = CallingWindow(hours=(Hours(9 * 60, 17 * 60),))
    assert next_opening(office, ["Europe/Berlin", "Pacific/Honolulu"], noon) is None


@given(
    at=moments,
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=2, unique=True),
    opens=st.integers(0, 22),
    length=st.integers(1, 24),
)
def test_it_opens_at_the_first_quarter_of_an_hour_at_which_it_is_open(
    at: datetime, zones: list[str], opens: int, length: int
) -> None:
    window = CallingWindow(hours=(Hours(opens * 60, (opens + length) * 60),))
    at = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
    tried = (at + timedelta(minutes=15 * step) for step in range(4 * 24 * 3))
    first = next((moment for moment in tried if is_open(window, zones, moment.timestamp() * 1_000)), None)
    opening = next_opening(window, zones, at.timestamp() * 1_000)
    if first is not None:
        assert opening == first.timestamp() * 1_000
    else:  # perhaps in the weeks in which the two change their clocks apart
        assert opening is None or opening > (at + timedelta(days=3)).timestamp() * 1_000 - 900_000


@given(at=moments, zone=st.sampled_from(ZONES))
def test_it_is_open_by_law_exactly_while_the_clock_shows_eight_to_eight(at: datetime, zone: str) -> None:
    assert is_open(CallingWindow(), [zone], at.timestamp() * 1_000) == (8 <= at.astimezone(ZoneInfo(zone)).hour <= 20)


def test_a_number_bound_to_a_place_has_its_zone_and_one_bound_to_none_all_of_its_country() -> None:
    assert zones_of("+12125550100") == ("America/New_York",)
    assert {"America/New_York", "Pacific/Honolulu"} <= set(zones_of("+18005550100"))
    assert {"Australia/Perth", "Australia/Sydney"} <= set(zones_of("+61412345678"))
    assert "Europe/London" in zones_of("+447700900123")


def test_a_number_of_a_range_that_is_not_known_yet_has_all_zones_of_its_country() -> None:
    assert {"Australia/Perth", "Australia/Sydney"} <= set(zones_of("+61445253267"))


def test_the_lists_own_zone_is_believed_alone_unless_both_must_suit() -> None:
    assert zones_of("+12125550100", "America/Los_Angeles") == ("America/Los_Angeles",)
    both = zones_of("+12125550100", "America/Los_Angeles", ZonePolicy.BOTH)
    assert both == ("America/Los_Angeles", "America/New_York")


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "America", "Europe/Berlin\0"])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UnknownZone, match="is no time zone"):
        zones_of("+12125550100", name)


def test_what_is_no_number_has_no_zone() -> None:
    assert zones_of("12") == ()
