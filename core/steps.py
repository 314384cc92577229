"""Finds the step a turn belongs to by its words: fast, free, sure where it is sure, silent where it is not."""

from collections.abc import Iterator
from typing import Final

from core.conversation import Step
from core.likeness import Likeness, clauses_of, telling_words
from core.playbook import Playbook

LEXICAL: Final = "lexical"

_FLOOR = 0.42
_MARGIN = 0.12
_NUMBERS = frozenset(
    """
    zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand double dash dot slash
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
_LABELS = frozenset({"number", "reference", "code", "id", "account"})  # "my order number is ..."


class StepFinder:
    """Compares a turn with what callers say in a playbook's steps. Built once a playbook."""

    def __init__(self, playbook: Playbook) -> None:
        self._steps = {step.name: step for step in playbook.steps}
        examples = [(step.name, example) for step in playbook.steps for example in step.callers_say]
        self._likeness = Likeness(examples, floor=_FLOOR, margin=_MARGIN)

    def find(self, text: str, current_step: str) -> Step:
        """The step of a turn; ``name`` None if unsure."""
        if len(self._steps) == 1:
            return self._found(next(iter(self._steps)), 1.0)
        likest = self._likeness.likest(text)
        if likest.label is not None and likest.sure:
            if any(other != likest.label for other in self._steps_of_clauses(text)):
                return Step(name=None, confidence=0.0, method=LEXICAL)  # two wishes in one breath
            return self._found(likest.label, min(1.0, likest.likeness))
        if current_step in self._steps and is_number(text):
            return self._found(current_step, 0.9)  # an answer to what the step asked for
        return Step(name=None, confidence=likest.likeness, method=LEXICAL)

    def _steps_of_clauses(self, text: str) -> Iterator[str]:
        clauses = clauses_of(text)
        for clause in clauses if len(clauses) > 1 else ():
            likest = self._likeness.likest(clause)
            if likest.label is not None and likest.sure:
                yield likest.label

    def _found(self, name: str, confidence: float) -> Step:
        step = self._steps[name]
        return Step(name, round(confidence, 3), LEXICAL, escalates=step.escalates, ends_call=step.ends_call)


def is_number(text: str) -> bool:
    """Whether the turn is a number, an id or a date, said or spelt."""
    telling = [word for word in telling_words(text) if word not in _LABELS]
    numbers = numbers_in(telling)
    return bool(numbers) and 2 * len(numbers) >= len(telling)


def numbers_in(words: list[str]) -> list[str]:
    """Those that are numbers, in digits or as words."""
    return [word for word in words if word in _NUMBERS or any(char.isdigit() for char in word)]
