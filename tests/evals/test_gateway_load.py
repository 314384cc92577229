"""The lean callers and recogniser of the gateway's bench."""

import pytest

from core import g711
from evals.gateway_bench import answers_of, cpu_of
from evals.gateway_load.caller import PATIENCE_MS, QUIET_MS, Caller
from evals.gateway_load.frames import FRAME, SILENCE, Sent, read, took_ms, without_bits, write
from evals.gateway_load.recogniser import EAGER_FRAMES, END_FRAMES, Turns

SPEECH = without_bits(bytes(range(FRAME)))
QUESTIONS = [SPEECH * 3, SPEECH * 5]


def frame(*, speaking: bool, question: int = 0) -> Sent:
    return Sent(micros=1, call=2, question=question, speaking=speaking, measured=True)


def test_a_frame_tells_what_was_written_into_it_and_sounds_the_same() -> None:
    sent = Sent(micros=0xFFFF_FFF0, call=249, question=5, speaking=True, measured=False)
    written = write(SPEECH, sent)
    assert read(written) == sent
    assert without_bits(written) == SPEECH


def test_a_frame_of_somebody_else_tells_nothing() -> None:
    assert read(g711.SILENT_FRAME) is None
    assert read(b"") is None


def test_the_clock_may_wrap_while_a_frame_is_on_its_way() -> None:
    assert took_ms(Sent(0xFFFF_FFFF, 0, 0, False, False), now_micros=1_499) == 1.5


@pytest.mark.parametrize("eager", [True, False])
def test_a_turn_ends_after_so_many_silent_frames(eager: bool) -> None:
    turns = Turns(eager=eager)
    heard = [turns.hear(frame(speaking=True)) for _ in range(30)]
    silent = [turns.hear(frame(speaking=False)) for _ in range(END_FRAMES + 5)]
    assert heard[0] == ("StartOfTurn", "How")
    assert silent[END_FRAMES - 1] == ("EndOfTurn", "How long do I have to return the jacket?")
    events = [event for event in silent if event]
    assert [name for name, _ in events] == (["EagerEndOfTurn", "EndOfTurn"] if eager else ["EndOfTurn"])
    assert (silent[EAGER_FRAMES - 1] is not None) is eager
    assert turns.index == 1


def test_a_caller_asks_once_what_was_played_is_over_for_a_while() -> None:
    caller = Caller(0, QUESTIONS, first=0)
    caller.play(8_000, now_ms=0.0)  # a second of greeting
    assert caller.frame(1_000 + QUIET_MS - 1) == SILENCE
    said = [caller.frame(1_000 + QUIET_MS + 20 * place) for place in range(6)]
    assert said == [SPEECH] * 5 + [SILENCE]
    assert caller.frame(3_000) == SILENCE
    caller.play(160, now_ms=3_100)
    (asked,) = caller.asked
    assert (asked.ended_ms, asked.answered_ms) == (1_000 + QUIET_MS + 100, 3_100)


def test_a_caller_who_gets_no_answer_asks_something_else_after_a_while() -> None:
    caller = Caller(0, QUESTIONS, first=1)
    caller.play(8, now_ms=0.0)
    for place in range(4):
        caller.frame(1_000 + 20 * place)
    assert caller.frame(1_000 + PATIENCE_MS) == SILENCE
    assert caller.frame(1_100 + PATIENCE_MS) == SPEECH
    assert caller.asked[0].answered_ms is None


def test_marks_return_when_all_before_them_was_played_or_dropped() -> None:
    caller = Caller(0, QUESTIONS, first=0)
    caller.play(800, now_ms=0.0)
    caller.mark("first")
    caller.play(800, now_ms=10.0)
    caller.mark("second")
    assert caller.marks_due(99.0) == []
    assert caller.marks_due(100.0) == ["first"]
    caller.clear(now_ms=120.0)
    assert caller.marks_due(120.0) == ["second"]


def test_answers_are_counted_from_the_end_of_their_own_turn() -> None:
    said = {
        "asked": [
            {"call": 0, "ended_ms": 1_000.0, "answered_ms": 1_420.0},
            {"call": 0, "ended_ms": 9_000.0, "answered_ms": None},
            {"call": 0, "ended_ms": 20_000.0, "answered_ms": None},  # the call ended with it
            {"call": 1, "ended_ms": 1_000.0, "answered_ms": 1_450.0},
        ]
    }
    row = answers_of({"ended": [(0, 1_390.0), (1, 1_400.0), (0, 9_390.0)]}, said)
    assert (row["turns"], row["unanswered"]) == (2, 1)
    assert (row["end_of_turn_to_audio_p50_ms"], row["end_of_turn_to_audio_max_ms"]) == (30.0, 50.0)


def test_the_process_nearest_to_a_whole_core_is_named() -> None:
    row = cpu_of({"gateway": 30.0, "worker": 57.0}, seconds=60, calls=150)
    assert row["gateway_cpu_s_per_call_min"] == 0.2
    assert row["busiest"] == "worker 95% of a core"
