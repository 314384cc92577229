"""What attempts come to, and when the next one is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.attempts import AttemptOutcome, Retry, RetryRules, next_attempt, outcome_of_call, outcome_of_sip
from core.outcome import Disposition

RULES = RetryRules()
MINUTE_MS = 60_000.0


@pytest.mark.parametrize("final", ["reached", "bad_number", "do_not_call", "not_allowed", "canceled"])
def test_who_was_reached_or_cannot_be_is_not_called_again(final: str) -> None:
    assert next_attempt(RULES, [AttemptOutcome(final)], 0.0) is None


def test_each_outcome_has_its_own_pause_and_its_own_end() -> None:
    busy, away = AttemptOutcome.BUSY, AttemptOutcome.NO_ANSWER
    assert next_attempt(RULES, [busy], 0.0) == 15 * MINUTE_MS
    assert next_attempt(RULES, [busy, away], 0.0) == 180 * MINUTE_MS
    assert next_attempt(RULES, [away, away], 0.0) == 360 * MINUTE_MS  # it doubles
    assert next_attempt(RULES, [busy] * 4, 0.0) is None


def test_whoever_named_a_time_is_called_then_and_not_before_the_call_has_ended() -> None:
    assert next_attempt(RULES, [AttemptOutcome.CALLBACK], 5.0, callback_ms=900.0) == 900.0
    assert next_attempt(RULES, [AttemptOutcome.CALLBACK], 5.0, callback_ms=1.0) == 5.0


@pytest.mark.parametrize(
    ("disposition", "outcome"),
    [
        (Disposition.COMPLETED, AttemptOutcome.CALLBACK),
        (Disposition.CALLER_HUNG_UP, AttemptOutcome.CALLBACK),
        (Disposition.CONNECTION_LOST, AttemptOutcome.CALLBACK),
        (Disposition.TRANSFERRED, AttemptOutcome.REACHED),
        (Disposition.VOICEMAIL, AttemptOutcome.VOICEMAIL),
        (Disposition.BUSY, AttemptOutcome.BUSY),
    ],
)
def test_a_time_counts_where_somebody_named_it_to_us(disposition: Disposition, outcome: AttemptOutcome) -> None:
    assert outcome_of_call(disposition, callback=True) is outcome
    assert outcome_of_call(disposition, callback=True, no_more_calls=True) is AttemptOutcome.DO_NOT_CALL


@given(st.lists(st.sampled_from(AttemptOutcome), min_size=1, max_size=12), st.integers(1, 8))
def test_nobody_is_tried_more_often_than_the_campaign_allows(outcomes: list[AttemptOutcome], most: int) -> None:
    rules = RetryRules({outcome: Retry(60.0, 99) for outcome in AttemptOutcome}, most_attempts=most)
    again = next_attempt(rules, outcomes, 0.0)
    assert (again is None) == (len(outcomes) >= most)
    assert again is None or again >= 0.0


def test_every_end_of_a_call_is_an_outcome() -> None:
    assert outcome_of_call(Disposition.CALLER_HUNG_UP) is AttemptOutcome.REACHED
    assert outcome_of_call(Disposition.TRANSFERRED) is AttemptOutcome.REACHED
    assert outcome_of_call(Disposition.BUSY) is AttemptOutcome.BUSY
    assert outcome_of_call(Disposition.CONNECTION_LOST) is AttemptOutcome.DROPPED


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (486, "busy"),
        (603, "busy"),
        (480, "no_answer"),
        (404, "bad_number"),
        (607, "do_not_call"),
        (503, "failed"),
        (200, "reached"),
    ],
)
def test_the_carriers_codes_are_outcomes(code: int, outcome: str) -> None:
    assert outcome_of_sip(code) is AttemptOutcome(outcome)
