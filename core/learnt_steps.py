"""Finds steps by what was learnt from a playbook's examples: by meaning where there is an embedder that knows it."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np

from core.agenda import NO_STEP
from core.ngrams import NgramEmbedder, ngrams
from core.ports.embedder import Embedder, Vectors
from core.step_fit import FEWEST_EXAMPLES, Fit, fit
from core.steps import Decision, Learnt

Example = tuple[str, str]
"""A step, and what a caller says in it; or NO_STEP, and what a caller said that belongs to none."""

_WORDS_BESIDE_MEANING: Final = 0.5
_WORDS_ALONE: Final = 1.8  # with a looser penalty, words alone tell more
_FLOOR: Final = 0.68
_FLOOR_OF_WORDS: Final = 0.6


class LearntSteps(Learnt):
    """Decides in some ms by meaning, 0.2 ms by words alone; how many examples there were makes no difference."""

    def __init__(self, learnt: Fit, embedder: Embedder, examples: Sequence[Example]) -> None:
        self.learnt = learnt
        self.method = embedder.name
        self._embedder = embedder
        counts = {label: sum(label == step for step, _ in examples) for label in learnt.labels}
        self._enough = {label for label, count in counts.items() if count >= FEWEST_EXAMPLES}

    def decide(self, texts: Sequence[str], reachable: Collection[str], raised: float = 0.0) -> list[Decision]:
        """See core.steps.Learnt."""
        labels = self.learnt.labels
        every = self.learnt.chances(features(texts, self._embedder))
        here = np.array([label in reachable for label in labels])
        if not here.any():
            return [Decision(None, "", 0.0) for _ in texts]
        among = np.where([*here, True], every, 0.0)
        among /= np.maximum(among.sum(axis=1, keepdims=True), 1e-9)
        found = []
        for row, elsewhere in zip(among[:, :-1], (every[:, :-1] * ~here).sum(axis=1), strict=True):
            best, confidence = labels[int(row.argmax())], float(row.max())
            sure = confidence >= min(self.learnt.threshold + raised, 0.995)
            sure = sure and elsewhere < 0.5 and best in self._enough  # else a wish that cannot be followed from here
            found.append(Decision(best if sure else None, best, confidence))
        return found


def learn(
    examples: Sequence[Example], embedder: Embedder, background: Vectors | None = None, own: int | None = None
) -> Fit | None:
    """Learn to tell the steps of examples apart; None if there are too few examples of every step.

    Takes seconds of CPU: away from whatever must go on.

    Args:
        background: the embedded background speech, where it is at hand.
        own: how many of the examples, the first ones, are the playbook's; the others come from calls. None: all.
    """
    if not enough_to_learn(examples):
        return None
    said = background_speech()
    return fit(
        features([text for _, text in examples], embedder),
        [None if step == NO_STEP else step for step, _ in examples],
        features(said, embedder, background),
        _FLOOR_OF_WORDS if embedder.name == NgramEmbedder.name else _FLOOR,
        own,
    )


def enough_to_learn(examples: Sequence[Example]) -> bool:
    """Whether a step has as many examples as it takes."""
    return max(Counter(step for step, _ in examples if step != NO_STEP).values(), default=0) >= FEWEST_EXAMPLES


def features(texts: Sequence[str], embedder: Embedder, embedded: Vectors | None = None) -> Vectors:
    """What decisions are made from: the words as they are, beside what they mean if the embedder knows."""
    if embedder.name == NgramEmbedder.name:
        return _WORDS_ALONE * ngrams(texts)
    meaning = embedder.embed(texts) if embedded is None else embedded
    return np.hstack([meaning, _WORDS_BESIDE_MEANING * ngrams(texts)])


@cache
def background_speech() -> tuple[str, ...]:
    """What callers say that belongs to no step of any playbook, written for this project."""
    return tuple((files("core") / "step_background.txt").read_text(encoding="utf-8").splitlines())


def distinct(examples: Iterable[Example]) -> tuple[Example, ...]:
    """Each once, in their order; of a text in two steps the first counts."""
    found: dict[str, str] = {}
    for step, text in examples:
        found.setdefault(" ".join(text.lower().split()), step)
    return tuple((step, text) for text, step in found.items())
