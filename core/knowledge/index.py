"""Finds the passages that may answer what a caller asks, and tells when there are none."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.knowledge.passages import Passage
from core.likeness import words_in
from core.ngrams import NgramEmbedder
from core.ports.embedder import Embedder, Vectors

TOLD: Final = 4  # passages in a prompt
ENOUGH: Final = 0.33  # of likeness by meaning: measured by `holdfast eval knowledge`, see docs/benchmarks.md
ENOUGH_BY_WORDS: Final = 0.12
SURE_BY_WORDS: Final = 0.25  # from here on words find what meaning finds, see docs/benchmarks.md
FEW_WORDS: Final = 7  # such a turn may only be understood with the one before: "And how much is that?"

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Found:
    """A passage and how like the question it is, 0 to 1."""

    passage: Passage
    score: float


@dataclass(frozen=True, slots=True)
class Views:
    """What of a document is put into vectors: each passage whole, and each of its sentences alone and headed."""

    whole: list[str]
    alone: list[str]
    headed: list[str]
    owners: list[int]  # of each sentence: the place of its passage

    @property
    def texts(self) -> list[str]:
        """All of it, in the order in which ``KnowledgeIndex`` takes their vectors."""
        return [*self.whole, *self.alone, *self.headed]


def views_of(passages: Sequence[Passage], embedder: Embedder) -> Views:
    """A sentence is found by meaning where its passage is about several things. Words tell little of one alone."""
    sentences = [] if _by_words(embedder) else list(_sentences(passages))
    return Views(
        whole=[passage.in_context for passage in passages],
        alone=[sentence for _, sentence in sentences],
        headed=[": ".join([*passages[place].headings[-1:], sentence]) for place, sentence in sentences],
        owners=[place for place, _ in sentences],
    )


class KnowledgeIndex:
    """Searches in the time of one product of matrices, beside that of embedding the question.

    Args:
        vectors: of ``views_of(passages, embedder).texts``, by the same embedder.
        words: an index of the same passages by words, whose findings stand where it is sure.
    """

    def __init__(
        self, passages: Sequence[Passage], vectors: Vectors, embedder: Embedder, words: "KnowledgeIndex | None" = None
    ) -> None:
        self.passages = tuple(passages)
        self._words = words
        self.enough = ENOUGH_BY_WORDS if _by_words(embedder) else ENOUGH
        self._embedder = embedder
        views = views_of(passages, embedder)
        count, sentences = len(views.whole), len(views.alone)
        if len(vectors) != count + 2 * sentences:
            raise ValueError(f"{len(vectors)} vectors for {count} passages and {sentences} sentences")
        self._whole = np.ascontiguousarray(vectors[:count], dtype=np.float32)
        alone, headed = vectors[count : count + sentences], vectors[count + sentences :]
        self._sentences = (np.asarray(alone, dtype=np.float32) + np.asarray(headed, dtype=np.float32)) / 2
        self._owners = np.array(views.owners, dtype=np.int64)

    @property
    def method(self) -> str:
        """Which embedder searches."""
        return self._embedder.name

    def told_by_words(self, text: str) -> list[Found]:
        """What words alone are sure of; none: the question has to be embedded."""
        found = self._words.answers(text) if self._words is not None else []
        return found if found and found[0].score >= SURE_BY_WORDS else []

    def search(self, text: str, limit: int = TOLD) -> list[Found]:
        """The passages most like a text, the likest first, whatever their score."""
        if not self.passages or not text.strip():
            return []
        (asked,) = self._embedder.embed([text])
        scores = self._whole @ asked
        if len(self._owners):
            best = np.full(len(scores), -1.0, dtype=np.float32)
            np.maximum.at(best, self._owners, self._sentences @ asked)
            scores = (scores + 2 * best) / 3
        likest = np.argsort(-scores, kind="stable")[:limit]
        return [Found(self.passages[place], round(float(scores[place]), 3)) for place in likest]

    def answers(self, text: str, before: str = "", enough: float | None = None) -> list[Found]:
        """The passages that may answer a turn; none if the documents are about something else.

        Args:
            before: what the caller said in the turn before.
            enough: how like a passage has to be; default: as measured for the embedder, and words are believed.
        """
        if enough is None and (sure := self.told_by_words(text)):
            return sure
        least = self.enough if enough is None else enough
        found = [one for one in self.search(text) if one.score >= least]
        if not found and before and len(words_in(text)) <= FEW_WORDS:
            found = [one for one in self.search(f"{before} {text}") if one.score >= least]
        return found


def _by_words(embedder: Embedder) -> bool:
    return embedder.name == NgramEmbedder.name


def _sentences(passages: Sequence[Passage]) -> Iterator[tuple[int, str]]:
    for place, passage in enumerate(passages):
        for sentence in _SENTENCE_END.split(passage.text):
            yield place, sentence
