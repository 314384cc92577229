"""Interruptions, true and false, out of the carrier's stamps."""

import json
from typing import Any

from evals.barge_in_bench import CUTTING_IN, QUESTIONS, false_interruptions_of, interruptions_of, known_false


def stamp(at_ms: float, what: str, sid: str = "CA1", **data: float) -> dict[str, Any]:
    return {"at_ms": at_ms, "vendor": "twilio", "what": what, "data": {"sid": sid, **data}}


def said(text: str, started_ms: float, answered_ms: float | None = 9_000.0) -> dict[str, Any]:
    return {"text": text, "started_ms": started_ms, "reply_arrived_ms": answered_ms}


def test_an_interruption_lasts_from_the_first_speech_to_the_clear_that_dropped_something() -> None:
    calls = [
        {"sid": "CA1", "said": [said(QUESTIONS[0], 100), said(CUTTING_IN, 1_000), said(CUTTING_IN, 50_000, None)]},
        {"sid": "CA2", "said": [said(CUTTING_IN, 1_000)]},
    ]
    stamps = [
        stamp(1_050, "clear", dropped_ms=0),
        stamp(1_200, "clear", dropped_ms=900),
        stamp(1_240, "clear", "CA2", dropped_ms=800),
    ]
    row = interruptions_of(calls, stamps)
    assert (row["interruptions"], row["not_stopped"], row["unanswered"]) == (3, 1, 1)
    assert (row["speech_to_clear_p50_ms"], row["speech_to_clear_max_ms"]) == (200.0, 240.0)


def noisy(sid: str, *, cleared: float | None = 1_200, resumed: float | None = 2_110) -> list[dict[str, Any]]:
    stamps = [stamp(1_600, "noise", sid, started_ms=1_000, ended_ms=1_600)]
    stamps += [stamp(cleared, "clear", sid, dropped_ms=900)] if cleared else []
    return stamps + ([stamp(resumed, "sound_after_clear", sid)] if resumed else [])


def test_a_false_interruption_is_over_with_the_first_sound_after_it() -> None:
    stamps = [*noisy("CA1"), *noisy("CA2", cleared=None, resumed=None), *noisy("CA3", resumed=None)]
    row = false_interruptions_of([], stamps, {"CA1": [500.0, 2_100.0]})
    assert (row["noises"], row["noises_ignored"], row["not_resumed"]) == (3, 1, 1)
    assert row["known_to_audio_p95_ms"] == 10.0
    assert row["quiet_to_audio_p95_ms"] == 510.0


def test_what_was_lost_and_what_was_heard_twice_are_told_apart() -> None:
    calls = [{"heard": [{"skipped_ms": None}, {"skipped_ms": 2.5}, {"skipped_ms": -20.0}]}]
    row = false_interruptions_of(calls, [], {})
    assert (row["went_on_in_mid_sentence"], row["lost_max_ms"], row["heard_twice_max_ms"]) == (2, 2.5, 20.0)


def test_the_gateways_log_tells_when_an_interruption_was_known_to_be_none() -> None:
    event = {"event": "false_interruption", "call_id": "CA1", "timestamp": "2026-11-25T20:00:00.250000Z"}
    log = ["no JSON", json.dumps({"event": "attached"}), json.dumps(event)]
    ((call, (at_ms,)),) = known_false(log).items()
    assert call == "CA1"
    assert at_ms % 1_000 == 250
