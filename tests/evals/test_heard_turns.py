"""What of a caller's waiting is the vendors' and what is ours."""

from typing import Any

import pytest

from evals.heard_turns import HeardTurn, heard_turns

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
    assert (turn.recogniser, turn.begun, turn.model, turn.voice) == (375, 375, 420, 130)
    assert turn.overhead == pytest.approx(970 - 375 - 420 - 130)


def eager(*at_ms: float, what: str = "eager_end_of_turn") -> list[dict[str, Any]]:
    return [stamp(at, "deepgram", what, text=LINE["text"]) for at in at_ms]


def sooner(ms: float) -> list[dict[str, Any]]:
    """The same answer, made ahead of the end of turn."""
    return [one if one["vendor"] == "deepgram" else one | {"at_ms": one["at_ms"] - ms} for one in STAMPS]


def test_an_answer_made_ahead_is_counted_from_the_eager_end_of_turn() -> None:
    line = LINE | {"reply_arrived_ms": 1_810.0}
    (turn,), _ = heard_turns([{"said": [line]}], eager(1_215) + sooner(160))
    assert (turn.recogniser, turn.begun) == (375, 215)
    assert turn.overhead == pytest.approx(810 - 215 - 420 - 130)


def test_an_eager_end_that_was_taken_back_has_not_begun_the_answer() -> None:
    withdrawn = [*eager(1_215), stamp(1_230, "anthropic", "request", text=LINE["text"])]
    (turn,), _ = heard_turns([{"said": [LINE]}], [*withdrawn, *eager(1_300, what="turn_resumed"), *STAMPS])
    assert turn.begun == 375
    assert turn.model == 420


def heard(*texts: str, arrived_ms: float) -> dict[str, Any]:
    words = [{"text": text, "at_ms": 9_000 + 100 * place} for place, text in enumerate(texts)]
    return {"at_ms": 9_000, "arrived_ms": arrived_ms, "played_ms": arrived_ms + 10, "words": words}


def test_a_filler_is_not_taken_for_the_answer() -> None:
    line = LINE | {"reply_arrived_ms": 1_500.0}
    greeting = heard("Within", "30", "days.", arrived_ms=500.0)
    apart = [greeting, heard("One", "moment.", arrived_ms=1_500.0), heard("Within", "30", "days.", arrived_ms=2_400.0)]
    (turn,), _ = heard_turns([{"said": [line], "heard": apart}], STAMPS)
    assert (turn.latency, turn.filled) == (1_400, True)
    together = [heard("One", "moment.", "Within", "30", "days.", arrived_ms=1_500.0)]
    (turn,), _ = heard_turns([{"said": [line], "heard": together}], STAMPS)
    assert (turn.latency, turn.filled) == (710, True)
    (turn,), _ = heard_turns([{"said": [LINE], "heard": [heard("Within", "30", arrived_ms=1_970.0)]}], STAMPS)
    assert (turn.latency, turn.filled) == (970, False)


def test_no_answer_is_due_before_the_end_of_turn_however_soon_it_was_made() -> None:
    turn = HeardTurn(latency=390, recogniser=375, begun=210, model=50, voice=20)
    assert turn.vendors == 375
    assert turn.overhead == 15


def test_a_line_nobody_answered_counts_as_unanswered() -> None:
    turns, unanswered = heard_turns([{"said": [LINE | {"reply_arrived_ms": None}]}], STAMPS)
    assert turns == []
    assert unanswered == 1


def test_what_was_stamped_before_the_line_was_said_is_of_another_turn() -> None:
    earlier = [one | {"at_ms": one["at_ms"] - 5_000} for one in STAMPS]
    (turn,), _ = heard_turns([{"said": [LINE]}], [*earlier, *STAMPS])
    assert turn.latency == 970
