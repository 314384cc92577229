"""Finds a playbook's step by the words of a turn, without a model: fast where it is sure, silent where it is not."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from core.conversation import Step
from core.playbook import Playbook

LEXICAL: Final = "lexical"

_FLOOR = 0.42  # below this likeness nothing is sure, however few steps there are
_MARGIN = 0.12  # how much liker than the next step's the best example must be
_WORDS = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_CLAUSES = re.compile(r"[.?!;]+|\b(?:and|but)\b")
_COMMON = frozenset(
    """
    a an and are at be been but can could did do does for from had has have hello hi i i'd i'll i'm i've in is it it's
    just me my of on or our please so thank thanks that that's the then there this to uh um was we well were will with
    would yeah yes you your ok okay
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
_NUMBERS = frozenset(
    """
    zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand double dash dot slash
    """.split()  # noqa: SIM905
)
_LABELS = frozenset({"number", "reference", "code", "id", "account"})  # "my order number is ..."

Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Example:
    step: str
    features: Weights


class StepFinder:
    """Compares a turn with the examples of a playbook's steps. Built once a playbook; finding takes well under 1 ms.

    How like two texts are is the cosine of their words, pairs of words and word parts, the rarer the weightier. A
    step is found if its likest example is like enough and clearly liker than any other step's. What is like enough is
    learnt from the examples themselves: each is looked up among the others, and no wrong finding may pass.
    """

    def __init__(self, playbook: Playbook) -> None:
        self._steps = {step.name: step for step in playbook.steps}
        texts = [(step.name, example) for step in playbook.steps for example in step.examples]
        counted = [(name, _features(text)) for name, text in texts]
        self._rarity = _rarity(features for _, features in counted)
        self._examples = [_Example(name, self._weigh(features)) for name, features in counted]
        self._enough = self._calibrate()

    def find(self, text: str, current_step: str) -> Step:
        """The step of a turn; ``name`` None if unsure."""
        if len(self._steps) == 1:
            return self._found(next(iter(self._steps)), 1.0)
        best, likeness, sure = self._judge(text)
        if best is not None and sure:
            if any(other != best for other in self._steps_of_clauses(text)):
                return Step(name=None, confidence=0.0, method=LEXICAL)  # two wishes in one breath
            return self._found(best, min(1.0, likeness))
        if current_step in self._steps and _is_number(text):
            return self._found(current_step, 0.9)  # an answer to what the step asked for
        return Step(name=None, confidence=likeness, method=LEXICAL)

    def _judge(self, text: str) -> tuple[str | None, float, bool]:
        best, likeness, margin = _best(self._weigh(_features(text)), self._examples)
        return best, likeness, likeness >= self._enough and margin >= _MARGIN

    def _steps_of_clauses(self, text: str) -> Iterator[str]:
        clauses = _CLAUSES.split(text)
        for clause in clauses if len(clauses) > 1 else ():
            best, _, sure = self._judge(clause)
            if best is not None and sure:
                yield best

    def _found(self, name: str, confidence: float) -> Step:
        step = self._steps[name]
        return Step(name, round(confidence, 3), LEXICAL, escalates=step.escalates, ends_call=step.ends_call)

    def _weigh(self, features: Counter[str]) -> Weights:
        weights = {name: (1 + math.log(count)) * self._weight(name) for name, count in features.items()}
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {name: weight / length for name, weight in weights.items()}

    def _weight(self, feature: str) -> float:
        return self._rarity.get(feature) or self._rarity[feature[:2]]

    def _calibrate(self) -> float:
        wrong = [_FLOOR]
        for index, example in enumerate(self._examples):
            others = self._examples[:index] + self._examples[index + 1 :]
            best, likeness, margin = _best(example.features, others)
            if best != example.step and margin >= _MARGIN:
                wrong.append(likeness + 0.01)
        return min(max(wrong), 0.95)


def _best(features: Weights, examples: Sequence[_Example]) -> tuple[str | None, float, float]:
    """The likest step, how like, and by how much more than the next step."""
    likeness: dict[str, float] = {}
    for example in examples:
        like = sum(weight * example.features.get(name, 0.0) for name, weight in features.items())
        likeness[example.step] = max(like, likeness.get(example.step, 0.0))
    ranked = sorted(likeness.items(), key=lambda found: -found[1])
    if not ranked:
        return None, 0.0, 0.0
    second = ranked[1][1] if len(ranked) > 1 else 0.0
    return ranked[0][0], ranked[0][1], ranked[0][1] - second


def _features(text: str) -> Counter[str]:
    words = _WORDS.findall(text.lower().replace("’", "'"))
    telling = [word for word in words if word not in _COMMON] or words
    features = Counter(f"w:{word}" for word in telling)
    features.update(f"p:{left} {right}" for left, right in pairwise(telling))
    features.update(f"c:{part}" for word in telling for part in _parts(word))
    return features


def _parts(word: str) -> Iterable[str]:
    """Stems and endings shine through: overlapping fours of letters of longer words."""
    if len(word) < 5:
        return ()
    framed = f"^{word}"
    return (framed[at : at + 4] for at in range(len(framed) - 3))


def _rarity(documents: Iterable[Counter[str]]) -> dict[str, float]:
    """Feature -> weight; "w:", "p:", "c:" stand for one never seen. Word parts count less: there are many of them."""
    seen: Counter[str] = Counter({"w:": 1, "p:": 1, "c:": 1})
    total = 0
    for features in documents:
        seen.update(features.keys())
        total += 1
    return {
        name: (0.4 if name.startswith("c:") else 1.0) * (math.log((1 + total) / (0.5 + count)) + 0.1)
        for name, count in seen.items()
    }


def _is_number(text: str) -> bool:
    """Whether the turn is a number, an id or a date, said or spelt."""
    words = _WORDS.findall(text.lower())
    telling = [word for word in words if word not in _COMMON and word not in _LABELS]
    numbers = [word for word in telling if word in _NUMBERS or any(char.isdigit() for char in word)]
    return bool(numbers) and 2 * len(numbers) >= len(telling)
