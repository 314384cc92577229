"""What chaos makes of a call as the carrier heard it."""

import math
import re
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

from cli.bench_stack import PLAYBOOK
from cli.settings import PACKAGED_PLAYBOOKS
from core.playbook import parse_playbook
from evals.chaos import BETWEEN, CASE, SPEAKING, THINKING, Cost, Kill, Verdict, rows_of, script_of, take_times
from evals.heard_answers import answers_of

ZERO = 1_000_000.0  # since the epoch
FILLERS = ["One moment, please."]


def heard(begin: float, end: float, text: str, *silences: tuple[float, float]) -> dict[str, Any]:
    words = text.split()
    each = (end - begin) / len(words)
    return {
        "at_ms": begin,
        "end_ms": end,
        "played_ms": ZERO + begin,
        "silences": [list(silence) for silence in silences],
        "words": [{"text": word, "at_ms": begin + place * each} for place, word in enumerate(words)],
    }


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
    kills = [Kill(ZERO + at_ms, calls if speaking else frozenset(), calls)]
    take_times(verdict, "CA1", answers_of(call), kills, FILLERS)
    return verdict


def costs(verdict: Verdict) -> dict[str, list[float]]:
    return {moment: [cost.ms for cost in found] for moment, found in verdict.delays.items()}


def test_a_call_in_which_all_went_well_has_no_faults() -> None:
    assert [line.faults(FILLERS) for line in answers_of(FINE)] == [[], [], [], []]
    assert [line.delay_ms(FILLERS) for line in answers_of(FINE)] == [0, 1_000, 1_000, 1_000]


def test_a_line_that_brought_only_fillers_is_not_answered() -> None:
    call = a_call([heard(3_000, 4_000, "One moment, please.")], [], [])
    assert "nothing but fillers" in answers_of(call)[1].faults(FILLERS)[0]
    assert "nothing but fillers" in answers_of(call)[2].faults([])[0]


def test_words_that_are_heard_again_in_one_answer_were_said_twice() -> None:
    again = a_call(
        [heard(3_000, 4_000, "It has shipped on Mon"), heard(4_000, 6_000, "It has shipped on Monday.")], [], []
    )
    assert "it has shipped on" in answers_of(again)[1].faults([])[0]


def test_a_kill_counts_for_what_the_call_was_doing() -> None:
    assert costs(killed(4_000)) == {SPEAKING: [0.0], THINKING: [], BETWEEN: []}
    assert costs(killed(-3_000)) == {SPEAKING: [0.0], THINKING: [], BETWEEN: []}, "the greeting counts too"
    assert costs(killed(12_500)) == {SPEAKING: [], THINKING: [1_000.0], BETWEEN: []}
    assert costs(killed(11_000, speaking=False)) == {SPEAKING: [], THINKING: [], BETWEEN: [1_000.0]}
    assert costs(killed(9_000, speaking=False)) == {SPEAKING: [], THINKING: [], BETWEEN: [1_000.0]}


def test_a_kill_of_another_worker_costs_a_call_nothing() -> None:
    assert costs(killed(4_000, speaking=False)) == {SPEAKING: [], THINKING: [], BETWEEN: []}


def test_the_silence_that_a_kill_has_left_in_an_answer_is_measured() -> None:
    gap = a_call([heard(3_000, 4_000, "The first"), heard(4_400, 6_000, "answer is short.")], [], [])
    assert costs(killed(3_500, call=gap))[SPEAKING] == [400.0]
    within = a_call([heard(3_000, 6_000, "The first answer is short.", (3_700, 3_900), (4_000, 4_350))], [], [])
    assert costs(killed(3_800, call=within))[SPEAKING] == [350.0]
    assert costs(killed(3_950, call=within))[SPEAKING] == [350.0], "what had ended before is none of its"


def test_the_longest_silence_is_before_an_answer_or_within_it() -> None:
    (_, late, paused, never) = answers_of(
        a_call(
            [heard(5_500, 6_000, "So it is.")],
            [heard(13_000, 14_000, "It is"), heard(16_000, 17_000, "so.")],
            [heard(23_000, 24_000, "Yes.")],
        )
    )
    assert (late.longest_silence_ms, paused.longest_silence_ms) == (3_500.0, 2_000.0)
    assert replace(never, heard=(), until_ms=never.ended_ms + 9_000).longest_silence_ms == 9_000


def test_a_filler_is_no_answer_yet() -> None:
    filled = a_call([heard(3_000, 4_000, "One moment, please."), heard(5_000, 6_000, "It is so.")], [], [])
    assert answers_of(filled)[1].delay_ms(FILLERS) == 3_000
    assert costs(killed(4_500, call=filled)) == {SPEAKING: [], THINKING: [3_000.0], BETWEEN: []}


def test_an_answer_that_was_broken_off_is_noticed() -> None:
    broken = a_call([heard(3_000, 4_000, "The first answer is")], [], [])
    assert answers_of(broken)[1].faults([]) == ["the answer to “Line 0?” was broken off after “is”"]


def test_an_answer_is_known_by_the_number_of_its_line() -> None:
    other = a_call([heard(3_000, 4_000, "Thank you, I heard 20002.")], [], [])
    line = replace(answers_of(other)[1], line="Where is order 20001?")
    assert "was answered with" in line.faults([])[0]
    assert replace(line, line="Where is order 20002?").faults([]) == []


def test_a_wish_takes_longer_than_a_question_and_that_is_no_delay() -> None:
    verdict = Verdict()
    verdict.usual = [Cost(1_000.0, "Line 1?"), Cost(3_000.0, CASE)]
    verdict.delays[THINKING] = [Cost(1_200.0, "Line 2?"), Cost(3_300.0, CASE)]
    (_, thinking, _) = rows_of(verdict)
    assert (thinking["p50_ms"], thinking["p95_ms"]) == (200.0, 300.0)


def test_what_an_answer_takes_anyway_is_no_delay() -> None:
    (_, thinking, _) = rows_of(killed(12_500))
    assert (thinking["struck"], thinking["p95_ms"]) == (1, 0.0)
    assert not math.isnan(float(thinking["bar_p95_ms"]))


def test_each_caller_has_one_wish_with_an_effect_and_the_same_seed_plans_the_same() -> None:
    script = script_of(Random(7), 6, 20_001, patient=True)
    lines = [step["say"] for step in script if "say" in step]
    assert (len(lines), lines.count(CASE)) == (6, 1)
    assert script == script_of(Random(7), 6, 20_001, patient=True)
    assert script != script_of(Random(8), 6, 20_001, patient=True)


def test_patient_callers_wait_until_each_line_was_answered() -> None:
    script = script_of(Random(7), 4, 20_001, patient=True)
    for (line, _), (_, wait_for) in pairwise([(step.get("say"), step.get("wait_for")) for step in script[:-1]]):
        assert line
        assert wait_for
        told = "A case was opened. Is there anything else?" if line == CASE else f"I heard {line[-6:-1]}. So it is."
        assert re.search(wait_for, told)
        assert not re.search(wait_for, "One moment, please.")


def test_callers_whose_wish_was_lost_with_a_gateway_go_on_when_they_are_asked_to() -> None:
    script = script_of(Random(7), 4, 20_001, patient=False)
    (after,) = (script[place + 1] for place, step in enumerate(script) if step.get("say") == CASE)
    welcome_back = parse_playbook((PACKAGED_PLAYBOOKS / f"{PLAYBOOK}.yaml").read_text()).welcome_back
    told = ["Is there anything else?", welcome_back, "One moment, please."]
    assert [bool(re.search(str(after["wait_for"]), line, re.IGNORECASE)) for line in told] == [True, True, False]
