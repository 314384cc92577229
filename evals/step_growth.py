"""What a playbook learns from its calls: turns in the order of their coming, the model's answers as labels."""

from collections.abc import Callable, Sequence
from random import Random

from core.growth import as_example, taught
from core.learnt_steps import Example, LearntSteps
from evals.figures import Row
from evals.step_eval import Labelled, evaluate

Learn = Callable[[Sequence[Example]], LearntSteps]


def grow(
    own: Sequence[Example],
    calls: Sequence[Labelled],
    turns: Sequence[Labelled],
    learn: Learn,
    *,
    every: int,
    wrong: float,
) -> list[Row]:
    """Rows of step_eval.evaluate: before the first turn of ``calls``, after each ``every`` of them, and at the end.

    A turn that is not decided goes to the model; if it is in scope it becomes an example, as in automatic playbooks.

    Args:
        wrong: the share of these that get another step's label: the model errs, and the caller says nothing.
    """
    rng = Random(0)
    steps = sorted({step for step, _ in own})
    grown: list[Example] = []
    learnt = learn(own)
    rows = [_row(learnt, turns, own, grown, 0)]
    for first in range(0, len(calls), every):
        batch = calls[first : first + every]
        for turn in batch:
            (decision,) = learnt.decide([turn.text], steps)
            if decision.step is None and turn.step in steps and (text := as_example(turn.text)):
                label = rng.choice(steps) if rng.random() < wrong else turn.step
                grown.insert(0, (label, text))
        learnt = learn(taught(own, grown))
        rows.append(_row(learnt, turns, own, grown, first + len(batch)))
    return rows


def _row(
    learnt: LearntSteps, turns: Sequence[Labelled], own: Sequence[Example], grown: Sequence[Example], seen: int
) -> Row:
    examples = len(taught(own, grown))
    return {"after_turns": seen, "examples": examples, **evaluate(learnt, turns)}
