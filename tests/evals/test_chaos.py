"""What chaos makes of a call as the carrier heard it."""

import math
from random import Random
from typing import Any

from evals.chaos import BETWEEN, CASE, SPEAKING, THINKING, Kill, Verdict, answers_of, rows_of, script_of, take_times

ZERO = 1_000_000.0  # since the epoch


def heard(begin: float, end: float, text: str) -> dict[str, Any]:
    return {"at_ms": begin, "end_ms": end, "played_ms": ZERO + begin, "text": text}


def said(begin: float, end: float, text: str) -> dict[str, Any]:
    return {"at_ms": begin, "end_ms": end, "speech_end_ms": ZERO + end, "text": text}


def a_call(*answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Three lines after a greeting, ten seconds apart, each two seconds long."""
    greeting = heard(-5_000, -1_000, "Hello, this is Robin. How can I help you?")
    lines = [said(10_000 * place, 10_000 * place + 2_000, f"Line {place}?") for place in range(3)]
    return {"sid": "CA1", "said": lines, "heard": [greeting, *(one for answer in answers for one in answer)]}


FINE = a_call(
    [heard(3_000, 6_000, "The first answer is short.")],
    [heard(13_000, 15_000, "The second one goes on"), heard(15_000, 17_000, "for a little longer.")],
    [heard(23_000, 26_000, "And the third ends it.")],
)


def killed(at_ms: float, *, speaking: bool = True, call: dict[str, Any] = FINE) -> Verdict:
    calls = frozenset({"CA1"})
    verdict = Verdict()
    take_times(verdict, "CA1", answers_of(call), [Kill(ZERO + at_ms, calls if speaking else frozenset(), calls)])
    return verdict


def test_a_call_in_which_all_went_well_has_no_faults() -> None:
    assert [line.faults(["One moment, please."]) for line in answers_of(FINE)] == [[], [], [], []]
    assert [line.delay_ms for line in answers_of(FINE)] == [0, 1_000, 1_000, 1_000]


def test_a_line_that_brought_only_fillers_is_not_answered() -> None:
    call = a_call([heard(3_000, 4_000, "One moment, please.")], [], [])
    assert "nothing but fillers" in answers_of(call)[1].faults(["One moment, please."])[0]
    assert "nothing but fillers" in answers_of(call)[2].faults([])[0]


def test_words_that_are_heard_again_in_one_answer_were_said_twice() -> None:
    again = a_call(
        [heard(3_000, 4_000, "It has shipped on Mon"), heard(4_000, 6_000, "It has shipped on Monday.")], [], []
    )
    assert "it has shipped on" in answers_of(again)[1].faults([])[0]


def test_a_kill_counts_for_what_the_call_was_doing() -> None:
    assert killed(4_000).delays == {SPEAKING: [0.0], THINKING: [], BETWEEN: []}
    assert killed(-3_000).delays == {SPEAKING: [0.0], THINKING: [], BETWEEN: []}, "the greeting counts too"
    assert killed(12_500).delays == {SPEAKING: [], THINKING: [1_000.0], BETWEEN: []}
    assert killed(11_000, speaking=False).delays == {SPEAKING: [], THINKING: [], BETWEEN: [1_000.0]}
    assert killed(9_000, speaking=False).delays == {SPEAKING: [], THINKING: [], BETWEEN: [1_000.0]}


def test_a_kill_of_another_worker_costs_a_call_nothing() -> None:
    assert killed(4_000, speaking=False).delays == {SPEAKING: [], THINKING: [], BETWEEN: []}


def test_the_silence_that_a_kill_has_left_in_an_answer_is_measured() -> None:
    gap = a_call([heard(3_000, 4_000, "The first"), heard(4_400, 6_000, "answer is short.")], [], [])
    assert killed(3_500, call=gap).delays[SPEAKING] == [400.0]


def test_what_an_answer_takes_anyway_is_no_delay() -> None:
    (_, thinking, _) = rows_of(killed(12_500))
    assert (thinking["struck"], thinking["p95_ms"]) == (1, 0.0)
    assert not math.isnan(float(thinking["bar_p95_ms"]))


def test_each_caller_has_one_wish_with_an_effect_and_the_same_seed_plans_the_same() -> None:
    script = script_of(Random(7), 6, 20_001)
    lines = [step["say"] for step in script if "say" in step]
    assert (len(lines), lines.count(CASE)) == (6, 1)
    assert script == script_of(Random(7), 6, 20_001)
    assert script != script_of(Random(8), 6, 20_001)
