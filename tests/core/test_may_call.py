"""Who may be called, and that nobody else is."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from core.calling_window import CallingWindow, Hours
from core.may_call import DAY_MS, CallingRules, ConsentOnRecord, DncScope, Hindrance, KnownOfNumber, callable_from
from core.may_call import hindrances as hindrances_of

NOON = datetime(2026, 11, 26, 12, tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1_000
HOUR_MS = 3_600_000.0
AGREED = ConsentOnRecord(NOON - 30 * DAY_MS, source="web form")
FINE = KnownOfNumber(("Europe/Berlin",), consent=AGREED)
RULES = CallingRules()
DRAWS = int(os.environ.get("HOLDFAST_DIAL_DRAWS", "300"))  # 100000 for the long run

zones = st.sampled_from(
    ["America/New_York", "America/St_Johns", "Europe/London", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]
)
times = st.integers(int(NOON - 400 * DAY_MS), int(NOON + 400 * DAY_MS)).map(float)
consents = st.none() | st.builds(
    ConsentOnRecord, given_ms=times, revoked_ms=st.none() | times, expires_ms=st.none() | times
)


@st.composite
def known_numbers(draw: st.DrawFn) -> KnownOfNumber:
    return KnownOfNumber(
        zones=tuple(draw(st.lists(zones, max_size=3))),
        dnc=frozenset(draw(st.sets(st.sampled_from(DncScope), max_size=1))),
        consent=draw(consents),
        attempts_ms=tuple(draw(st.lists(times, max_size=6))),
    )


def test_nothing_stands_against_a_call_that_is_agreed_to_by_day() -> None:
    assert hindrances_of(RULES, FINE, NOON) == ()


def test_each_list_of_those_not_to_call_is_heeded() -> None:
    for scope in DncScope:
        assert hindrances_of(RULES, replace(FINE, dnc=frozenset({scope})), NOON) == (Hindrance.DNC,)


def test_consent_must_be_there_and_still_hold() -> None:
    def found(consent: ConsentOnRecord | None) -> tuple[Hindrance, ...]:
        return hindrances_of(RULES, replace(FINE, consent=consent), NOON)

    assert found(None) == (Hindrance.NO_CONSENT,)
    assert found(replace(AGREED, revoked_ms=NOON - DAY_MS)) == (Hindrance.CONSENT_REVOKED,)
    assert found(replace(AGREED, expires_ms=NOON)) == (Hindrance.CONSENT_EXPIRED,)
    assert found(replace(AGREED, given_ms=NOON - DAY_MS, revoked_ms=NOON - 2 * DAY_MS)) == ()  # agreed again since


def test_no_consent_is_asked_for_where_the_campaign_needs_none() -> None:
    assert hindrances_of(replace(RULES, needs_consent=False), replace(FINE, consent=None), NOON) == ()


def test_a_number_is_dialled_so_often_in_a_day_and_in_a_week() -> None:
    twice = replace(FINE, attempts_ms=(NOON - 3 * HOUR_MS, NOON - HOUR_MS))
    assert hindrances_of(RULES, twice, NOON) == (Hindrance.DAY_LIMIT,)
    assert callable_from(RULES, twice, NOON) == NOON + 21 * HOUR_MS
    often = replace(FINE, attempts_ms=tuple(NOON - days * DAY_MS for days in (2, 3, 4, 5)))
    assert hindrances_of(RULES, often, NOON) == (Hindrance.WEEK_LIMIT,)
    assert callable_from(RULES, often, NOON) == NOON + 2 * DAY_MS


def test_waiting_helps_against_the_night_and_not_against_a_no() -> None:
    night = NOON + 10 * HOUR_MS
    assert callable_from(RULES, FINE, night) == NOON + 20 * HOUR_MS
    assert callable_from(RULES, replace(FINE, dnc=frozenset({DncScope.GLOBAL})), night) is None
    assert callable_from(RULES, replace(FINE, zones=()), NOON) is None
    assert callable_from(replace(RULES, most_a_day=0), FINE, NOON) is None
    assert callable_from(replace(RULES, window=CallingWindow(hours=(Hours(60, 120),))), FINE, NOON) is None


@settings(max_examples=DRAWS, deadline=None)
@given(known=known_numbers(), now_ms=times, needs_consent=st.booleans())
def test_no_draw_of_zone_time_list_and_consent_allows_an_illegal_dial(
    known: KnownOfNumber, now_ms: float, needs_consent: bool
) -> None:
    rules = replace(RULES, needs_consent=needs_consent)
    for at_ms in {now_ms, callable_from(rules, known, now_ms)} - {None}:
        assert at_ms is not None
        if at_ms == now_ms and hindrances_of(rules, known, at_ms):
            continue
        assert at_ms >= now_ms
        moment = datetime.fromtimestamp(at_ms / 1_000, UTC)
        assert known.zones
        assert all(8 <= moment.astimezone(ZoneInfo(zone)).hour <= 20 for zone in known.zones)
        assert not known.dnc
        if needs_consent:
            consent = known.consent
            assert consent is not None
            assert consent.given_ms <= at_ms
            assert consent.revoked_ms is None or consent.revoked_ms < consent.given_ms
            assert consent.expires_ms is None or at_ms < consent.expires_ms
        assert sum(at_ms - DAY_MS < attempt for attempt in known.attempts_ms) < 2
        assert sum(at_ms - 7 * DAY_MS < attempt for attempt in known.attempts_ms) < 4
