"""How like a text is to examples: by words, pairs of words and word parts, the rarer the weightier."""

import math
import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

WORDS: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
COMMON: Final = frozenset(
    """
    a an and are at be been but can could did do does for from had has have hello hi i i'd i'll i'm i've in is it it's
    just me my of on or our please so thank thanks that that's the then there this to uh um was we well were will with
    would yeah yes you your ok okay
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
JOINERS: Final = frozenset({"and", "but"})
_CLAUSE_ENDS: Final = re.compile(r"[.?!;]+")
_SURE_AT_LAST: Final = 0.95  # whatever calibration says: so like an example is like enough

_Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Likest:
    """The label of the likest example, how like it is (0 to 1), and whether that is safe to act on."""

    label: str | None
    likeness: float
    sure: bool


class Likeness:
    """Compares texts with labelled examples: the cosine of their features. Built once; comparing takes well under 1 ms:
    only examples that share a feature with the text are looked at.

    A label is sure if its likest example is like enough and clearly liker than any other label's. What is like enough
    is learnt from the examples themselves: each is looked up among the others, and no wrong finding may pass.

    Args:
        examples: (label, text).
        floor: below this likeness nothing is sure, however few examples there are.
        margin: how much liker than the next label's the best example must be.
        acted_on: the labels whose wrong finding does harm; None: all.
    """

    def __init__(
        self,
        examples: Sequence[tuple[str, str]],
        *,
        floor: float,
        margin: float,
        acted_on: Container[str] | None = None,
    ) -> None:
        self._margin = margin
        self._labels = [label for label, _ in examples]
        counted = [_features(text) for _, text in examples]
        self._rarity = _rarity(counted)
        weighed = [self._weigh(features) for features in counted]
        self._sharing: dict[str, list[tuple[int, float]]] = {}  # feature -> the examples that have it, and its weight
        for place, weights in enumerate(weighed):
            for name, weight in weights.items():
                self._sharing.setdefault(name, []).append((place, weight))
        self._enough = self._calibrate(weighed, floor, acted_on)

    def likest(self, text: str) -> Likest:
        """What a text is likest to."""
        best, likeness, margin = self._best(self._weigh(_features(text)))
        return Likest(best, likeness, likeness >= self._enough and margin >= self._margin)

    def _weigh(self, features: Counter[str]) -> _Weights:
        weights = {name: (1 + math.log(count)) * self._weight(name) for name, count in features.items()}
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {name: weight / length for name, weight in weights.items()}

    def _weight(self, feature: str) -> float:
        return self._rarity.get(feature) or self._rarity[feature[:2]]

    def _best(self, features: _Weights, but: int | None = None) -> tuple[str | None, float, float]:
        """The likest label, how like, and by how much more than the next one. ``but``: an example to leave out."""
        likeness = [0.0] * len(self._labels)
        for name, weight in features.items():
            for place, own in self._sharing.get(name, ()):
                likeness[place] += weight * own
        best: dict[str, float] = {}
        for place, label in enumerate(self._labels):
            if place != but and likeness[place] >= best.get(label, 0.0):
                best[label] = likeness[place]
        ranked = sorted(best.items(), key=lambda found: -found[1])
        if not ranked:
            return None, 0.0, 0.0
        second = ranked[1][1] if len(ranked) > 1 else 0.0
        return ranked[0][0], ranked[0][1], ranked[0][1] - second

    def _calibrate(self, weighed: Sequence[_Weights], floor: float, acted_on: Container[str] | None) -> float:
        wrong = [floor]
        for place, label in enumerate(self._labels):
            best, likeness, margin = self._best(weighed[place], but=place)
            harmful = best is not None and best != label and (acted_on is None or best in acted_on)
            if harmful and margin >= self._margin:
                wrong.append(likeness + 0.01)
        return min(max(wrong), _SURE_AT_LAST)


def clauses_of(text: str, joiners: Container[str] = JOINERS) -> list[str]:
    """The parts of what was said in one breath."""
    clauses: list[list[str]] = []
    for part in _CLAUSE_ENDS.split(text):
        clauses.append([])
        for word in part.split():
            if word.lower() in joiners:
                clauses.append([])
            else:
                clauses[-1].append(word)
    return [" ".join(clause) for clause in clauses]


def telling_words(text: str) -> list[str]:
    """The words that say something, in small letters."""
    return [word for word in words_in(text) if word not in COMMON]


def words_in(text: str) -> list[str]:
    """All words, in small letters."""
    return WORDS.findall(text.lower().replace("’", "'"))


def _features(text: str) -> Counter[str]:
    telling = telling_words(text) or words_in(text)
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
