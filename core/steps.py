"""Finds the step a turn belongs to without a model: fast, free, sure where it is sure, silent where it is not."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from core.conversation import Step
from core.likeness import Likeness, clauses_of, telling_words
from core.playbook import Playbook

LEXICAL: Final = "lexical"

_FLOOR = 0.42
_MARGIN = 0.12
_LIKELY = 0.3  # of an undecided turn: the model names the same step for nine of ten
_MAY_BE = 0.1  # of a clause whose likeliest step is another one than the whole turn's
_COMPARED = 500  # examples: comparing with more takes too long (0.3 ms then), and so many have been learnt from well
_NUMBERS = frozenset(
    """
    zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand double dash dot slash
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
_LABELS = frozenset({"number", "reference", "code", "id", "account"})  # "my order number is ..."


@dataclass(frozen=True, slots=True)
class Decision:
    """The likeliest step of a text; ``step`` None if that is not sure enough to act on."""

    step: str | None
    likeliest: str
    confidence: float


class Learnt(Protocol):
    """What a playbook's examples teach (core.learnt_steps)."""

    method: str

    def decide(self, texts: Sequence[str], reachable: Collection[str], raised: float = 0.0) -> list[Decision]:
        """The steps of texts, out of those that the call can go to from here.

        Args:
            raised: how much surer than calibrated a decision has to be.
        """
        ...


class StepFinder:
    """Finds the steps of a playbook. Built once a playbook.

    Where a playbook has few examples a turn is compared with each (core.likeness). What that leaves open is decided by
    ``learnt``, what all examples teach together, which is there some seconds after the playbook.
    """

    def __init__(self, playbook: Playbook) -> None:
        self.learnt: Learnt | None = None
        self.bars: Mapping[str, float] = {}  # method -> how sure it has to be at least: core.auditing
        self._steps = {step.name: step for step in playbook.steps}
        self._reachable = {step.name: reachable_from(playbook, step.name) for step in playbook.steps}
        examples = [(step.name, example) for step in playbook.steps for example in step.callers_say]
        self._likeness = Likeness(examples if len(examples) <= _COMPARED else (), floor=_FLOOR, margin=_MARGIN)

    def find(self, text: str, current_step: str, reachable: Collection[str] | None = None) -> Step:
        """The step of a turn; ``name`` None if unsure.

        Args:
            reachable: where the turn may lead, by all that is known; None: by the step's transitions alone.
        """
        if len(self._steps) == 1:
            return self._found(next(iter(self._steps)), 1.0, LEXICAL)
        if reachable is None:
            reachable = self._reachable.get(current_step, frozenset(self._steps))
        likest = self._likeness.likest(text)
        if likest.label is not None and likest.sure and likest.label in reachable:
            found = self._by_likeness(text, likest.label, min(1.0, likest.likeness), reachable)
        elif self.learnt is not None:
            found = self._by_learning(self.learnt, text, reachable)
        else:
            found = Step(name=None, confidence=likest.likeness, method=LEXICAL)
        if found.confidence < self.bars.get(found.method, 0.0):
            likely = found.name or found.likely
            found = replace(found, name=None, likely=likely, escalates=False, ends_call=False)
        if found.name is None and current_step in self._steps and is_number(text):
            return self._found(current_step, 0.9, LEXICAL)  # an answer to what the step asked for
        return found

    def _by_learning(self, learnt: Learnt, text: str, reachable: Collection[str]) -> Step:
        (whole,) = learnt.decide([text], reachable)
        unsure = Step(name=None, confidence=round(whole.confidence, 3), method=learnt.method)
        if whole.step is None:  # the model is asked, and what it does not agree to is never said: words are enough here
            alone = all(step == whole.likeliest for step in self._steps_of_clauses(text))
            return replace(unsure, likely=whole.likeliest) if alone and whole.confidence >= _LIKELY else unsure
        if _asks_for_more(_clauses(text), learnt, reachable, whole.step):
            return unsure
        return self._found(whole.step, whole.confidence, learnt.method)

    def _by_likeness(self, text: str, label: str, likeness: float, reachable: Collection[str]) -> Step:
        more = any(other != label for other in self._steps_of_clauses(text))
        if not more and self.learnt is not None:
            more = _asks_for_more(_clauses(text), self.learnt, reachable, label)
        if more:
            return Step(name=None, confidence=0.0, method=LEXICAL)  # two wishes in one breath
        return self._found(label, likeness, LEXICAL)

    def _steps_of_clauses(self, text: str) -> Iterator[str]:
        for clause in _clauses(text):
            likest = self._likeness.likest(clause)
            if likest.label is not None and likest.sure:
                yield likest.label

    def _found(self, name: str, confidence: float, method: str) -> Step:
        step = self._steps[name]
        return Step(name, round(confidence, 3), method, escalates=step.escalates, ends_call=step.ends_call)


def _clauses(text: str) -> list[str]:
    """The parts of what was said in one breath, if there are several."""
    clauses = [clause for clause in clauses_of(text) if clause]
    return clauses if len(clauses) > 1 else []


def _asks_for_more(clauses: Sequence[str], learnt: Learnt, reachable: Collection[str], step: str) -> bool:
    """Whether a part speaks of another step, or may: a wish that is passed over is worse than a slow answer."""
    decided = learnt.decide(clauses, reachable) if clauses else ()
    return any(
        part.step not in (None, step)
        or (part.likeliest not in ("", step) and part.confidence >= _MAY_BE and len(telling_words(clause)) > 1)
        for clause, part in zip(clauses, decided, strict=True)
    )


def reachable_from(playbook: Playbook, name: str) -> frozenset[str]:
    """Where a caller's words may lead from a step; everywhere, where a playbook says nothing of transitions."""
    if not any(step.transitions for step in playbook.steps):
        return frozenset(step.name for step in playbook.steps)
    return frozenset({name, *(way.to for way in playbook.step(name).transitions)}) | playbook.anytime_steps


def is_number(text: str) -> bool:
    """Whether the turn is a number, an id or a date, said or spelt."""
    telling = [word for word in telling_words(text) if word not in _LABELS]
    numbers = numbers_in(telling)
    return bool(numbers) and 2 * len(numbers) >= len(telling)


def numbers_in(words: list[str]) -> list[str]:
    """Those that are numbers, in digits or as words."""
    return [word for word in words if word in _NUMBERS or any(char.isdigit() for char in word)]
