"""What the callers of a bench say."""

import itertools
from pathlib import Path

from core.canned import CannedFinder
from core.playbook import parse_playbook
from core.steps import StepFinder
from evals.call_bench import LINES, scripts_of

PLAYBOOK = parse_playbook((Path(__file__).parents[2] / "playbooks" / "order_support.yaml").read_text(), "order_support")


def test_no_two_lines_of_a_bench_are_alike() -> None:
    scripts = list(itertools.islice(scripts_of(turns=5), 40))
    lines = [line["say"] for script in scripts for line in script if "say" in line]
    assert len(lines) == len(set(lines)) == 200
    assert all(script[-1] == {"hang_up": True, "after": 2.5} for script in scripts)


def test_the_model_answers_each_line_and_is_not_asked_for_its_step() -> None:
    steps, canned = StepFinder(PLAYBOOK), CannedFinder(PLAYBOOK)
    for line in LINES:
        text = line.format(number=20_001)
        step = steps.find(text, "").name
        assert step == "returns", line
        assert canned.find(text, step) is None, line
