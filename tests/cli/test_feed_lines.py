"""A call's live feed as people read it on a terminal."""

from typing import Any

import pytest
from rich.text import Text

from cli.feed_lines import Transcript, in_words


def shown(kind: str, **data: Any) -> str | None:
    words = in_words(kind, data)
    return None if words is None else Text.from_markup(words).plain


@pytest.mark.parametrize(
    ("kind", "data", "line"),
    [
        ("caller_turn", {"text": "Where is [my] order?"}, "caller     Where is [my] order?"),
        ("assistant_said", {"heard": "It is", "interrupted": True}, "assistant  It is -- (interrupted)"),
        (
            "step_found",
            {"step": "order_status", "method": "lexical", "confidence": 0.934, "took_ms": 0.4},
            "  step     order_status (lexical, 0.93, 0 ms)",
        ),
        (
            "step_found",
            {"step": "returns", "method": "model", "confidence": 0.9, "took_ms": 400, "matters": ["person", "goodbye"]},
            "  step     returns (model, 0.90, 400 ms), then person, then goodbye",
        ),
        (
            "step_found",
            {"step": "greet", "method": "unclear", "confidence": 0.2, "took_ms": 400, "choices": ["returns", "person"]},
            "  step     greet (unclear, 0.20, 400 ms), asked: returns or person?",
        ),
        ("tool_called", {"name": "find", "arguments": {"number": "12"}}, "  tool     find(number='12')"),
        (
            "tool_returned",
            {"ok": False, "content": "no such order", "took_ms": 81},
            "  tool     failed: no such order (81 ms)",
        ),
        (
            "reply_started",
            {"latency_ms": 911.4, "layers": {"end_of_turn": 371, "hop": 15, "step": 0.0, "model": 400, "voice": 125}},
            "  latency  911 ms = end_of_turn 371 + hop 15 + model 400 + voice 125",
        ),
        ("call_ended", {"disposition": "completed"}, "ended      completed"),
        (
            "call_summarized",
            {"summary": "Asked.", "topic": "orders", "resolved": True},
            "summary    Asked. (orders, resolved)",
        ),
        ("problem", {"what": "no voice"}, "problem    no voice"),
    ],
)
def test_each_kind_reads_as_one_line(kind: str, data: dict[str, Any], line: str) -> None:
    assert shown(kind, **data) == line


def test_both_directions_name_the_person_first() -> None:
    numbers = {"caller_number": "+15550100", "our_number": "+15550199", "playbook": "renewal@1"}
    assert (
        shown("call_started", direction="inbound", **numbers) == "call       +15550100 -> +15550199, playbook renewal@1"
    )
    assert (
        shown("call_started", direction="outbound", **numbers)
        == "call       +15550100 <- +15550199, playbook renewal@1"
    )


def test_a_reply_that_was_only_tool_calls_is_left_out() -> None:
    assert shown("assistant_said", heard="", interrupted=False) is None


def test_a_reply_that_was_cut_off_before_its_first_word_is_told() -> None:
    assert shown("assistant_said", heard="", interrupted=True) == "assistant  (interrupted before a word was heard)"


def test_an_unknown_kind_is_left_out() -> None:
    assert shown("weather") is None


def test_a_step_found_ahead_is_shown_once_its_turn_has_ended_and_only_the_last() -> None:
    transcript = Transcript()
    assert transcript.add("step_found", {"turn": 1, "step": "goodbye"}) == []
    assert transcript.add("step_found", {"turn": 1, "step": "returns"}) == []
    caller, step = transcript.add("caller_turn", {"turn": 1, "text": "Bye. No, wait!"})
    assert "No, wait" in caller
    assert "returns" in step
    (again,) = transcript.add("step_found", {"turn": 1, "step": "goodbye"})
    assert "goodbye" in again


def test_nothing_is_shown_of_what_was_found_for_a_withdrawn_turn() -> None:
    transcript = Transcript()
    assert transcript.add("step_found", {"turn": 1, "step": "goodbye"}) == []
    assert transcript.add("mood", {"turn": 1, "mood": "angry"}) == []
    assert transcript.add("turn_withdrawn", {"turn": 1}) == []
    assert transcript.add("mood", {"turn": 1, "mood": "calm"}) == []
    caller, mood = transcript.add("caller_turn", {"turn": 1, "text": "Bye. No, wait!"})
    assert "No, wait" in caller
    assert "calm" in mood
