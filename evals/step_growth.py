"""What a playbook learns from its calls: turns in the order of their coming, the model's answers as labels."""

from collections.abc import Callable, Collection, Sequence
from random import Random

from core.agenda import NO_STEP
from core.growth import CLEAR, as_example, taught
from core.learnt_steps import Example, LearntSteps, distinct
from evals.figures import Row
from evals.step_eval import Labelled, evaluate

Learn = Callable[[Sequence[Example], Sequence[Example]], LearntSteps]
"""From a playbook's own examples and from what calls have brought."""


def grow(
    own: Sequence[Example],
    calls: Sequence[Labelled],
    turns: Sequence[Labelled],
    learn: Learn,
    *,
    every: int,
    wrong: float,
    reviewed: bool = False,
    close: Collection[str] = (),
) -> list[Row]:
    """Rows of step_eval.evaluate: before the first turn of ``calls``, after each ``every`` of them, and at the end.

    As in automatic playbooks: a turn that is clearly decided becomes an example of what was decided, right or wrong;
    one that is not decided goes to the model, and becomes an example of the step that the model names, or of none.

    Args:
        reviewed: as in playbooks that are not automatic, each example accepted: turns that are decided teach nothing.
        wrong: the share of the model's answers that name another step: it errs, and the caller says nothing.
        close: steps that are counted once more apart.
    """
    rng = Random(0)
    own = distinct(own)
    steps = sorted({step for step, _ in own})
    grown: list[Example] = []
    learnt = learn(own, ())
    rows: list[Row] = [_row(0, len(own), learnt, turns, close)]
    for first in range(0, len(calls), every):
        batch = calls[first : first + every]
        for turn in batch:
            (decision,) = learnt.decide([turn.text], steps)
            text = as_example(turn.text)
            if not text:
                continue
            if decision.step is None:
                told = turn.step if turn.step is not None and turn.step in steps else NO_STEP
                grown.insert(0, (rng.choice(steps) if rng.random() < wrong else told, text))
            elif decision.confidence >= CLEAR and not reviewed:
                grown.insert(0, (decision.step, text))
        examples = taught(own, grown)
        learnt = learn(own, examples[len(own) :])
        rows.append(_row(first + len(batch), len(examples), learnt, turns, close))
    return rows


def _row(
    after_turns: int, examples: int, learnt: LearntSteps, turns: Sequence[Labelled], close: Collection[str]
) -> Row:
    return {"after_turns": after_turns, "examples": examples, **evaluate(learnt, turns, close)}
