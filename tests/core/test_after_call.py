"""Decisions about what follows a call: when people may be written to, how long to try, what a playbook may say."""

from datetime import UTC, datetime
from typing import get_args

import pytest

from core.outcome import Disposition
from core.patience import Patience
from core.playbook import PlaybookFaults, parse_playbook
from core.playbook_after import Ending, filled
from core.quiet_hours import QuietHours, not_before
from tests.world.playbook import ORDERS

NIGHT = QuietHours(20 * 60, 9 * 60)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000


@pytest.mark.parametrize(
    ("moment", "zones", "then"),
    [
        ("2026-11-26T15:00", ["America/New_York"], None),
        ("2026-11-26T03:00", ["America/New_York"], "2026-11-26T14:00"),
        ("2026-11-26T15:00", ["America/New_York", "America/Los_Angeles"], "2026-11-26T17:00"),
        ("2026-11-26T22:30", [], "2026-11-27T09:00"),
        ("2026-11-26T22:30", ["Nowhere/Land"], "2026-11-27T09:00"),
        ("2026-03-29T00:30", ["Europe/Berlin"], "2026-03-29T07:00"),  # an hour of this night is left out
    ],
)
def test_nobody_is_written_to_in_the_quiet_hours_of_any_place_they_may_be(
    moment: str, zones: list[str], then: str | None
) -> None:
    assert not_before(at(moment), NIGHT, zones) == (at(then) if then else None)


def test_quiet_hours_can_be_by_day_or_never() -> None:
    noon = QuietHours(12 * 60, 14 * 60)
    assert not_before(at("2026-11-26T12:00"), noon, ["UTC"]) == at("2026-11-26T14:00")
    assert not_before(at("2026-11-26T14:00"), noon, ["UTC"]) is None
    assert not_before(at("2026-11-26T00:00"), QuietHours(0, 0), ["UTC"]) is None


def test_pauses_double_up_to_the_longest_and_heed_who_asks_to_be_left_alone() -> None:
    patience = Patience(first=2.0, longest=60.0, whole=100.0)
    assert [patience.pause(attempts) for attempts in (1, 2, 3, 6, 999)] == [2.0, 4.0, 8.0, 60.0, 60.0]
    assert (patience.pause(1, asked=30.0), patience.pause(1, asked=9_999.0)) == (30.0, 60.0)
    assert (patience.is_over(99.0), patience.is_over(100.0)) == (False, True)


def test_three_days_of_attempts_fit_into_a_history() -> None:
    patience, seconds, attempts = Patience(), 0.0, 0
    while not patience.is_over(seconds):
        attempts += 1
        seconds += patience.pause(attempts)
    assert attempts < 200


def test_a_playbook_names_every_way_a_call_can_end() -> None:
    assert set(get_args(Ending)) == {disposition.value for disposition in Disposition}


def test_a_name_without_a_value_is_no_message() -> None:
    assert filled("Order {number} for {name}.", {"number": 482, "name": "Jo\nDoe"}) == "Order 482 for Jo Doe."
    for values in ({}, {"number": None}, {"number": ""}):
        with pytest.raises(KeyError, match="number"):
            filled("Order {number}.", values)


@pytest.mark.parametrize(
    ("after_call", "field", "words"),
    [
        ("{extract: {type: array}}", "after_call.extract", "must be the JSON Schema of an object"),
        ("{extract: {type: object, properties: {a: {allOf: []}}}}", "after_call.extract.properties.a", "a type"),
        ("{extract: {type: object, properties: {a: {type: string}}, required: [b]}}", "required.0", "no field"),
        ("{quiet_hours: {timezone: Mars/Base}}", "after_call.quiet_hours.timezone", "no time zone"),
        ("{quiet_hours: {begin: '25:00'}}", "after_call.quiet_hours.begin", "pattern"),
        ("{follow_ups: [{name: a, by: sms, text: 'Hi {who}'}]}", "after_call.follow_ups.0.text", "nothing is named"),
        ("{follow_ups: [{name: a, by: email, text: Hi}]}", "after_call.follow_ups.0.to", "is missing"),
        ("{follow_ups: [{name: a, by: sms, text: Hi, subject: Hi}]}", "after_call.follow_ups.0.by", "has no subject"),
        ("{follow_ups: [{name: a, by: sms, text: Hi, consent: ok}]}", "follow_ups.0.consent", "no extracted field"),
        ("{follow_ups: [{name: a, by: fax, text: Hi}]}", "after_call.follow_ups.0.by", "sms"),
        ("{follow_up: []}", "after_call.follow_up", "no such field"),
    ],
)
def test_a_fault_after_the_call_is_told_by_field(after_call: str, field: str, words: str) -> None:
    with pytest.raises(PlaybookFaults) as faults:
        parse_playbook(f"{ORDERS}\nafter_call: {after_call}\n")
    (fault,) = faults.value.faults
    assert fault.field.endswith(field)
    assert words in fault.message
    assert fault.line > len(ORDERS.splitlines())


def test_consent_must_be_a_yes_or_no() -> None:
    schema = "{type: object, properties: {ok: {type: string}}}"
    after_call = f"{{extract: {schema}, follow_ups: [{{name: a, by: sms, text: Hi, consent: ok}}]}}"
    with pytest.raises(PlaybookFaults, match="must be of type boolean"):
        parse_playbook(f"{ORDERS}\nafter_call: {after_call}\n")
