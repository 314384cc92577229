"""Finds the canned answer to a turn: fixed words of the playbook, spoken with no model call.

By likeness to the questions in the playbook, and, where there are enough of a question, by what they teach together
(core.learnt_steps), which knows them by their meaning in other words.

A wrong answer is worse than a slow one, so this is surer than finding a step: whatever the turn holds beyond the
question (a number, a "not", a second wish) is for the model, and so is a question asked otherwise: "can I" is not
"when".
"""

from dataclasses import dataclass
from typing import Final

from core.learnt_steps import Example, distinct
from core.likeness import Likeness, clauses_of, telling_words, words_in
from core.playbook import Playbook
from core.small_words import SMALL_WORDS
from core.step_fit import FEWEST_EXAMPLES
from core.steps import LEXICAL, Learnt, numbers_in

_FLOOR: Final = 0.6
_MARGIN: Final = 0.15
_SURER: Final = 0.18  # than it takes to find a step: a wrong answer is worse than a slow one
_SURER_BY_WORDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class CannedAnswer:
    """What to say, and the step it belongs to."""

    step: str
    answer: str
    confidence: float
    method: str  # as a step's


@dataclass(frozen=True, slots=True)
class _Known:
    step: str
    answer: str
    particular: frozenset[str]  # numbers and negations that stand in its examples
    asked: frozenset[frozenset[str]]  # the question words of each example


class CannedFinder:
    """Compares a turn with the questions that have canned answers, and with everything else callers say."""

    def __init__(self, playbook: Playbook) -> None:
        self.learnt: Learnt | None = None  # comes some seconds after the playbook
        self._known: dict[str, _Known] = {}
        self._small = SMALL_WORDS.get(playbook.language[:2], SMALL_WORDS["en"])
        self._examples = [(step.name, example) for step in playbook.steps for example in step.examples]
        self._learnable = False
        for step in playbook.steps:
            for place, canned in enumerate(step.canned):
                label = f"{step.name}/{place}"  # no step's name holds a slash
                particular = frozenset().union(*map(self._particular, canned.examples))
                asked = frozenset(map(self._question_words, canned.examples))
                self._known[label] = _Known(step.name, canned.answer, particular, asked)
                self._examples += [(label, example) for example in canned.examples]
                self._learnable |= len(canned.examples) >= FEWEST_EXAMPLES
        self._labels = frozenset(label for label, _ in self._examples)
        self._likeness = (
            Likeness(self._examples, floor=_FLOOR, margin=_MARGIN, acted_on=self._known) if self._known else None
        )

    @property
    def to_learn(self) -> tuple[Example, ...]:
        """What ``learnt`` is learnt from; () if no question has enough examples."""
        return distinct(self._examples) if self._learnable else ()

    def find(self, text: str, step: str | None) -> CannedAnswer | None:
        """The answer to a turn whose step was found as ``step`` (None: not found); None if unsure."""
        if self._likeness is None:
            return None
        clauses = clauses_of(text, self._small.joiners)
        telling = [clause for clause in clauses if len(telling_words(clause)) > 1] if len(clauses) > 1 else []
        likest, *parts = map(self._likeness.likest, (text, *telling))
        if not likest.sure:
            answer = self._by_learning(text, telling)
        elif all(part.sure and part.label == likest.label for part in parts):
            answer = self._answer(text, likest.label, min(1.0, likest.likeness), LEXICAL)
        else:
            answer = None
        return answer if answer is not None and step in (None, answer.step) else None

    def _by_learning(self, text: str, clauses: list[str]) -> CannedAnswer | None:
        if self.learnt is None:
            return None
        surer = _SURER_BY_WORDS if self.learnt.method == LEXICAL else _SURER
        (whole,) = self.learnt.decide([text], self._labels, surer)
        if whole.step is None:
            return None  # whatever its parts are: each takes some ms
        parts = self.learnt.decide(clauses, self._labels, surer) if clauses else ()
        if any(part.step != whole.step for part in parts):
            return None
        return self._answer(text, whole.step, whole.confidence, self.learnt.method)

    def _answer(self, text: str, label: str | None, confidence: float, method: str) -> CannedAnswer | None:
        """The label's answer, if nothing in the text asks for more or otherwise than its examples do."""
        known = self._known.get(label or "")
        if known is None or not self._particular(text) <= known.particular:
            return None
        if self._question_words(text) not in known.asked:
            return None
        return CannedAnswer(known.step, known.answer, confidence, method)

    def _question_words(self, text: str) -> frozenset[str]:
        return frozenset(word.partition("'")[0] for word in words_in(text)) & self._small.questions

    def _particular(self, text: str) -> frozenset[str]:
        words = words_in(text)
        denied = {word for word in words if word in self._small.negations or word.endswith("n't")}
        return frozenset(numbers_in(telling_words(text))) | denied
