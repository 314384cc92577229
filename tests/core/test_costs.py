from dataclasses import replace
from typing import Any

import pytest

from core.contracts.call import Direction
from core.contracts.transfer import Cause, TransferOutcome, TransferRecord
from core.conversation import Transcribed, Usage
from core.costs import CostLine, Price, costs_of, costs_of_model
from tests.storage.records import GREETING, QUESTION, ended_call

PRICES = (
    Price("deepgram", "aura-2", "characters", 0.03, per=1e3),
    Price("anthropic", "claude-haiku", "input_tokens", 1.0, per=1e6, date="2026-01-01"),
    Price("anthropic", "claude-haiku", "output_tokens", 5.0, per=1e6),
    Price("anthropic", "claude-haiku-9", "output_tokens", 50.0, per=1e6),
    Price("elevenlabs", "eleven_", "characters", 0.1, per=1e3),
    Price("deepgram", "flux", "seconds", 0.6, per=60),
    Price("carrier", "voice_inbound", "minutes", 0.01),
    Price("carrier", "voice_outbound", "minutes", 0.02),
    Price("carrier", "media_stream", "minutes", 0.004),
)


def test_a_call_pays_for_tokens_characters_seconds_and_minutes() -> None:
    lines = {(line.vendor, line.unit): line for line in costs_of(ended_call(), PRICES) if line.item != "media_stream"}
    found: dict[tuple[str, str], tuple[float, Any]] = {
        key: (line.quantity, pytest.approx(line.usd)) for key, line in lines.items()
    }
    assert found == {
        ("anthropic", "input_tokens"): (1_000, 0.001),
        ("anthropic", "output_tokens"): (40, 0.0002),
        ("elevenlabs", "characters"): (42, 0.0042),  # greeting and reply
        ("deepgram", "seconds"): (61.0, 0.61),
        ("carrier", "minutes"): (2, 0.02),  # rounded up
    }
    assert lines["anthropic", "input_tokens"].priced_on == "2026-01-01"


def test_an_outbound_call_pays_the_outbound_price() -> None:
    record = ended_call()
    record = replace(record, call=replace(record.call, direction=Direction.OUTBOUND))
    assert CostLine("carrier", "voice_outbound", "minutes", 2, 0.02, 0.04, "2026-06-01") in costs_of(record, PRICES)


def test_a_call_that_nobody_answered_costs_no_talk() -> None:
    assert costs_of(ended_call(answered_ms=None, turns=()), PRICES) == ()


def test_a_voice_that_stood_in_is_paid_at_its_own_price() -> None:
    turns = (GREETING, replace(QUESTION, usage=Usage(characters=1_000, voice="deepgram aura-2-thalia-en")))
    lines = costs_of(ended_call(answered_ms=None, turns=turns), PRICES)
    assert [(line.vendor, line.item, line.quantity, round(line.usd, 6)) for line in lines] == [
        ("elevenlabs", "eleven_flash_v2_5", 6, 0.0006),
        ("deepgram", "aura-2-thalia-en", 1_000, 0.03),
    ]


def test_another_vendors_model_is_told_as_its_own() -> None:
    turn = replace(GREETING, usage=Usage("gpt-5-mini", output_tokens=7))
    assert [(line.vendor, line.item) for line in costs_of(ended_call(answered_ms=None, turns=(turn,)), PRICES)] == [
        ("openai", "gpt-5-mini")
    ]


def test_each_model_has_its_own_lines_and_the_closest_price() -> None:
    turns = (
        replace(QUESTION, usage=Usage("claude-haiku-9-1", output_tokens=1_000_000)),
        replace(QUESTION, turn=2, usage=Usage("claude-haiku-4-5", output_tokens=1_000_000)),
        replace(QUESTION, turn=3, usage=Usage("claude-haiku-4-5", output_tokens=1_000_000)),
    )
    lines = costs_of(ended_call(answered_ms=None, turns=turns), PRICES)
    assert {(line.item, line.quantity, line.usd) for line in lines} == {
        ("claude-haiku-4-5", 2_000_000, 10.0),
        ("claude-haiku-9-1", 1_000_000, 50.0),
    }


def test_finding_steps_is_paid_for_by_the_model_that_found_them() -> None:
    turns = (
        replace(
            QUESTION,
            usage=Usage("claude-haiku-4-5", output_tokens=1_000_000),
            step_usage=Usage("claude-haiku-9-1", output_tokens=2_000_000),
        ),
        replace(QUESTION, turn=2, usage=Usage(), step_usage=Usage("claude-haiku-4-5", output_tokens=3_000_000)),
    )
    lines = costs_of(ended_call(answered_ms=None, turns=turns), PRICES)
    assert {(line.item, line.quantity) for line in lines} == {
        ("claude-haiku-4-5", 4_000_000),
        ("claude-haiku-9-1", 2_000_000),
    }


def test_a_model_beside_the_talk_is_paid_for_too() -> None:
    lines = costs_of_model(Usage("claude-haiku-4-5", input_tokens=2_000_000, output_tokens=1_000_000), PRICES)
    assert [(line.unit, line.usd) for line in lines] == [("input_tokens", 2.0), ("output_tokens", 5.0)]
    assert costs_of_model(Usage(), PRICES) == ()


def test_what_has_no_known_price_is_shown_and_not_counted() -> None:
    turn = replace(GREETING, usage=Usage("some-new-model", output_tokens=7))
    (line,) = costs_of(ended_call(answered_ms=None, turns=(turn,)), PRICES)
    assert (line.quantity, line.unit_usd, line.usd) == (7, None, 0.0)


def test_the_list_prices_know_what_a_call_uses() -> None:
    assert all(line.unit_usd for line in costs_of(ended_call()))


def test_a_turn_that_was_transcribed_again_is_paid_beside_the_live_stream() -> None:
    again = (Transcribed("deepgram nova-3", 2.5), Transcribed("deepgram nova-3", 3.5))
    lines = costs_of(replace(ended_call(), heard_again=again))
    assert [(line.item, line.quantity, round(line.usd, 6)) for line in lines if line.vendor == "deepgram"] == [
        ("flux", 61.0, 0.007828),
        ("nova-3 (again)", 6.0, 0.00043),
    ]


def test_models_that_were_asked_beside_the_one_that_answered_have_lines_of_their_own() -> None:
    beside = (Usage("claude-haiku-4-5", input_tokens=2_000_000), Usage("claude-haiku-4-5", output_tokens=1_000_000))
    lines = costs_of(replace(ended_call(answered_ms=None, turns=()), beside=beside), PRICES)
    assert {(line.item, line.unit, line.usd) for line in lines} == {
        ("claude-haiku-4-5 (hedge)", "input_tokens", 2.0),
        ("claude-haiku-4-5 (hedge)", "output_tokens", 5.0),
    }


def test_supervisors_who_spoke_from_the_browser_have_a_recogniser_of_their_own_to_pay() -> None:
    browser = TransferRecord(
        1,
        "",
        Cause.SUPERVISOR,
        "",
        number="",
        summary="",
        whisper="",
        started_ms=20_000.0,
        outcome=TransferOutcome.HANDED_BACK,
        accepted_ms=20_000.0,
        bridged_ms=20_000.0,
        ended_ms=30_000.0,
    )
    again = replace(browser, transfer=2, bridged_ms=40_000.0, ended_ms=45_500.0)
    by_phone = replace(browser, transfer=3, number="+12025550177")
    representative = replace(browser, transfer=4, cause=Cause.REQUEST)
    refused = replace(browser, transfer=5, bridged_ms=None)
    lines = costs_of(ended_call(transfers=(browser, again, by_phone, representative, refused)), PRICES)
    assert [(line.item, line.quantity, round(line.usd, 6)) for line in lines if line.vendor == "deepgram"] == [
        ("flux", 61.0, 0.61),
        ("flux (supervisor)", 15.5, 0.155),
    ]
    assert [line.item for line in costs_of(ended_call()) if "supervisor" in line.item] == []
