"""What of a caller's waiting is the vendors' and what is ours."""

import itertools
from typing import Any

import pytest

from evals.call_bench import heard_turns, scripts_of

LINE: dict[str, Any] = {"text": "How do I return order 20001?", "speech_end_ms": 1_000.0, "reply_arrived_ms": 1_970.0}


def stamp(at_ms: float, vendor: str, what: str, **data: str) -> dict[str, Any]:
    return {"at_ms": at_ms, "vendor": vendor, "what": what, "data": data}


STAMPS = [
    stamp(1_375, "deepgram", "end_of_turn", text=LINE["text"]),
    stamp(1_400, "anthropic", "request", text=LINE["text"]),
    stamp(1_820, "anthropic", "first_sentence", text="Within 30 days.", request=LINE["text"]),
    stamp(1_825, "elevenlabs", "text", text="Within 30 days."),
    stamp(1_955, "elevenlabs", "first_byte", text="Within 30 days."),
]


def test_overhead_is_what_neither_recogniser_model_nor_voice_took() -> None:
    (turn,), unanswered = heard_turns([{"said": [LINE]}], STAMPS)
    assert unanswered == 0
    assert turn.latency == 970
    assert (turn.recogniser, turn.model, turn.voice) == (375, 420, 130)
    assert turn.overhead == pytest.approx(970 - 375 - 420 - 130)


def test_a_line_nobody_answered_counts_as_unanswered() -> None:
    turns, unanswered = heard_turns([{"said": [LINE | {"reply_arrived_ms": None}]}], STAMPS)
    assert turns == []
    assert unanswered == 1


def test_what_was_stamped_before_the_line_was_said_is_of_another_turn() -> None:
    earlier = [one | {"at_ms": one["at_ms"] - 5_000} for one in STAMPS]
    (turn,), _ = heard_turns([{"said": [LINE]}], [*earlier, *STAMPS])
    assert turn.latency == 970


def test_no_two_lines_of_a_bench_are_alike() -> None:
    scripts = list(itertools.islice(scripts_of(turns=5), 40))
    lines = [line["say"] for script in scripts for line in script if "say" in line]
    assert len(lines) == len(set(lines)) == 200
    assert all(script[-1] == {"hang_up": True} for script in scripts)
