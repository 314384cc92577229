"""When somebody is called who has named a time."""

from datetime import datetime

import pytest

from core.call_back import CallbackSlots, moment_of, wished_callback
from core.memory import Memory, Source

SLOTS = CallbackSlots("day", "clock")
BERLIN = ("Europe/Berlin",)


def ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1_000


SAID = ms("2026-11-26T14:00:00+01:00")


@pytest.mark.parametrize(
    ("wish", "zones", "called"),
    [
        ("2026-11-27T15:00", BERLIN, "2026-11-27T15:00:00+01:00"),
        ("2026-11-27T15:00", ("America/New_York",), "2026-11-27T15:00:00-05:00"),
        ("2026-11-27T15:00", ("Europe/Lisbon", "Atlantic/Azores"), "2026-11-27T15:00:00-01:00"),
        ("2027-06-01T09:30", BERLIN, "2027-06-01T09:30:00+02:00"),
        ("T15:00", BERLIN, "2026-11-26T15:00:00+01:00"),
        ("T13:30", BERLIN, "2026-11-27T13:30:00+01:00"),
        ("2026-11-28", BERLIN, "2026-11-28T00:00:00+01:00"),
        ("2026-11-26", BERLIN, "2026-11-26T16:00:00+01:00"),
        ("2026-11-27T15:00", (), "2026-11-27T15:00:00+00:00"),
    ],
)
def test_the_time_somebody_names_is_one_of_their_own_clock(wish: str, zones: tuple[str, ...], called: str) -> None:
    assert moment_of(wish, zones, SAID) == ms(called)


@pytest.mark.parametrize("wish", ["2026-11-25T15:00", "2026-11-26T13:59", "2029-01-01T10:00", "soonT15:00"])
def test_what_is_no_time_to_come_is_none(wish: str) -> None:
    assert moment_of(wish, BERLIN, SAID) is None


def test_a_time_counts_as_told_and_where_it_is_read_back_only_after_a_yes() -> None:
    memory = Memory()
    memory.learn("day", "2026-11-27", Source.CALLER, 1)
    assert wished_callback(SLOTS, memory, ()) == "2026-11-27"
    memory.learn("clock", "15:00", Source.CALLER, 2)
    assert wished_callback(SLOTS, memory, ()) == "2026-11-27T15:00"
    assert wished_callback(SLOTS, memory, {"day", "clock"}) == ""
    for name, value in (("day", "2026-11-27"), ("clock", "15:00")):
        memory.learn(name, value, Source.CALLER, 3, confirmed=True)
    assert wished_callback(SLOTS, memory, {"day", "clock"}) == "2026-11-27T15:00"


def test_what_came_with_the_call_is_no_wish() -> None:
    memory = Memory()
    memory.learn("day", "2026-11-27", Source.SYSTEM, 0)
    assert wished_callback(SLOTS, memory, ()) == ""
    assert wished_callback(CallbackSlots(), memory, ()) == ""
