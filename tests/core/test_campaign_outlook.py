"""What a check counts."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from core.calling_window import CallingWindow, Hours
from core.campaign_outlook import Looking, Outlook
from core.may_call import DAY_MS, CallingRules, ConsentOnRecord, DncScope, Hindrance, KnownOfNumber

HOUR_MS = 3_600_000.0
EVENING = datetime(2026, 11, 26, 22, tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1_000
NOON, MORNING = EVENING - 10 * HOUR_MS, EVENING + 10 * HOUR_MS
RULES = CallingRules()
AGREED = ConsentOnRecord(NOON - 30 * DAY_MS)
ADA = KnownOfNumber(("Europe/Berlin",), consent=AGREED)


def found_at(now_ms: float, *known: KnownOfNumber, rules: CallingRules = RULES) -> Outlook:
    looking = Looking(rules, len(known), now_ms)
    for one in known:
        looking.at(one)
    return looking.so_far()


def test_whoever_may_be_called_is_called_now() -> None:
    found = found_at(NOON, ADA)
    assert (found.now, found.later, found.first_ms, found.zones) == (1, 0, NOON, ("Europe/Berlin",))


def test_those_whose_hours_are_over_wait_for_the_morning_of_their_own_zone() -> None:
    found = found_at(EVENING, ADA, ADA, replace(ADA, zones=("Europe/London",)))
    assert (found.now, found.later, found.waits) == (0, 3, {Hindrance.OUTSIDE_WINDOW: 3})
    assert (found.first_ms, found.zones) == (MORNING, ("Europe/Berlin",))


def test_a_consent_that_ends_in_the_night_counts_for_nobody_else() -> None:
    ends = replace(ADA, consent=replace(AGREED, expires_ms=MORNING - 1))
    for order in ((ends, ADA), (ADA, ends)):
        found = found_at(EVENING, *order)
        assert (found.later, found.never) == (1, {Hindrance.CONSENT_EXPIRED: 1})


def test_a_limit_of_one_number_puts_off_no_other() -> None:
    called = replace(ADA, attempts_ms=(NOON - 2 * HOUR_MS, NOON - HOUR_MS))
    found = found_at(NOON, called, ADA)
    assert (found.now, found.later, found.waits) == (1, 1, {Hindrance.DAY_LIMIT: 1})
    assert found.first_ms == NOON
    assert found_at(EVENING, called).first_ms == NOON - 2 * HOUR_MS + DAY_MS


def test_whom_nothing_but_time_keeps_from_being_called_and_time_does_not_help_is_never_called() -> None:
    shut = CallingRules(CallingWindow(hours=(Hours(2 * 60, 4 * 60),)))
    assert found_at(NOON, ADA, ADA, rules=shut).never == {Hindrance.OUTSIDE_WINDOW: 2}
    assert found_at(NOON, ADA, rules=CallingRules(most_a_day=0)).never == {Hindrance.DAY_LIMIT: 1}


def test_what_lasts_is_told_before_what_passes() -> None:
    forbidden = replace(ADA, dnc=frozenset({DncScope.GLOBAL}), consent=None)
    assert found_at(EVENING, forbidden).never == {Hindrance.DNC: 1}


def test_who_is_done_is_only_counted() -> None:
    looking = Looking(RULES, 1, NOON)
    looking.at_done()
    looking.at_done()  # has come since the contacts were counted
    found = looking.so_far()
    assert (found.contacts, found.looked_at, found.done, found.now) == (2, 2, 2, 0)
