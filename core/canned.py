"""Finds the canned answer to a turn: fixed words of the playbook, spoken with no model call.

A wrong answer is worse than a slow one, so this is surer than finding a step: whatever the turn holds beyond the
question (a number, a "not", a second wish) is for the model, and so is a question asked otherwise: "can I" is not
"when".
"""

from dataclasses import dataclass
from typing import Final

from core.likeness import Likeness, clauses_of, telling_words, words_in
from core.playbook import Playbook
from core.small_words import SMALL_WORDS
from core.steps import numbers_in

_FLOOR: Final = 0.6
_MARGIN: Final = 0.15


@dataclass(frozen=True, slots=True)
class CannedAnswer:
    """What to say, and the step it belongs to."""

    step: str
    answer: str
    likeness: float


@dataclass(frozen=True, slots=True)
class _Known:
    step: str
    answer: str
    particular: frozenset[str]  # numbers and negations that stand in its examples
    asked: frozenset[frozenset[str]]  # the question words of each example


class CannedFinder:
    """Compares a turn with the questions that have canned answers, and with everything else callers say."""

    def __init__(self, playbook: Playbook) -> None:
        self._known: dict[str, _Known] = {}
        self._small = SMALL_WORDS.get(playbook.language[:2], SMALL_WORDS["en"])
        examples = [(step.name, example) for step in playbook.steps for example in step.examples]
        for step in playbook.steps:
            for place, canned in enumerate(step.canned):
                label = f"{step.name}/{place}"  # no step's name holds a slash
                particular = frozenset().union(*map(self._particular, canned.examples))
                asked = frozenset(map(self._question_words, canned.examples))
                self._known[label] = _Known(step.name, canned.answer, particular, asked)
                examples += [(label, example) for example in canned.examples]
        self._likeness = Likeness(examples, floor=_FLOOR, margin=_MARGIN, acted_on=self._known) if self._known else None

    def find(self, text: str, step: str | None) -> CannedAnswer | None:
        """The answer to a turn whose step was found as ``step`` (None: not found); None if unsure."""
        if self._likeness is None:
            return None
        likest = self._likeness.likest(text)
        known = self._known.get(likest.label or "")
        if known is None or likest.label is None or not likest.sure or step not in (None, known.step):
            return None
        if not self._particular(text) <= known.particular or self._question_words(text) not in known.asked:
            return None
        if self._says_more(text, likest.label):
            return None
        return CannedAnswer(known.step, known.answer, min(1.0, likest.likeness))

    def _says_more(self, text: str, label: str) -> bool:
        """Whether a part of the turn says something else: a second wish, or what the answer does not know of."""
        clauses = clauses_of(text, self._small.joiners)
        return len(clauses) > 1 and any(
            len(telling_words(clause)) > 1 and not self._is(clause, label) for clause in clauses
        )

    def _is(self, clause: str, label: str) -> bool:
        likest = self._likeness.likest(clause) if self._likeness else None
        return likest is not None and likest.sure and likest.label == label

    def _question_words(self, text: str) -> frozenset[str]:
        return frozenset(word.partition("'")[0] for word in words_in(text)) & self._small.questions

    def _particular(self, text: str) -> frozenset[str]:
        words = words_in(text)
        denied = {word for word in words if word in self._small.negations or word.endswith("n't")}
        return frozenset(numbers_in(telling_words(text))) | denied
