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
from core.steps import is_number

TOLD: Final = 4  # passages in a prompt
ENOUGH_BY_WORDS: Final = 0.12
SURE_BY_WORDS: Final = 0.28  # from here on words find what meaning finds, see docs/benchmarks.md
LIKE_EACH_OTHER: Final = 0.78  # of what a sentence is like another passage: a question's likeness to one that answers
LEAST_ENOUGH: Final = 0.25  # whatever the documents are: few passages tell little of what is like what
MOST_ENOUGH: Final = 0.42
USUAL_BY_WORDS: Final = 0.15  # of questions; who shares more words with a passage needs less meaning, and the reverse
TOLD_TOO: Final = 0.9  # of what is enough: where something is told, the passages next to it are told, too
SENTENCES_COMPARED: Final = 200
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
        self._embedder = embedder
        views = views_of(passages, embedder)
        count, sentences = len(views.whole), len(views.alone)
        if len(vectors) != count + 2 * sentences:
            raise ValueError(f"{len(vectors)} vectors for {count} passages and {sentences} sentences")
        self._whole = np.ascontiguousarray(vectors[:count], dtype=np.float32)
        alone, headed = vectors[count : count + sentences], vectors[count + sentences :]
        self._sentences = (np.asarray(alone, dtype=np.float32) + np.asarray(headed, dtype=np.float32)) / 2
        self._owners = np.array(views.owners, dtype=np.int64)
        self.enough = ENOUGH_BY_WORDS if _by_words(embedder) else self._calibrated(alone)

    @property
    def method(self) -> str:
        """Which embedder searches."""
        return self._embedder.name

    def needs_meaning(self, text: str) -> bool:
        """Whether the question has to be embedded."""
        return not (_asks_nothing(text) or self._told_by_words(text))

    def _told_by_words(self, text: str) -> list[Found]:
        """What words alone are sure of."""
        found = self._words.answers(text) if self._words is not None else []
        return found if found and found[0].score >= SURE_BY_WORDS else []

    def search(self, text: str, limit: int = TOLD) -> list[Found]:
        """The passages most like a text, the likest first, whatever their score."""
        if not self.passages or not text.strip():
            return []
        (scores,) = self._scores(self._embedder.embed([text]))
        likest = np.argsort(-scores, kind="stable")[:limit]
        return [Found(self.passages[place], round(float(scores[place]), 3)) for place in likest]

    def answers(self, text: str, before: str = "", enough: float | None = None) -> list[Found]:
        """The passages that may answer a turn; none if the documents are about something else.

        Args:
            before: what the caller said in the turn before.
            enough: how like a passage has to be; default: ``self.enough``, and words have a say.
        """
        if enough is None and _asks_nothing(text):
            return []
        if enough is None and (sure := self._told_by_words(text)):
            return sure
        found = self._likely(text, enough)
        if not found and before and len(words_in(text)) <= FEW_WORDS:
            found = self._likely(f"{before} {text}", enough)
        return found

    def _likely(self, text: str, enough: float | None) -> list[Found]:
        found = self.search(text)
        if enough is not None or self._words is None:
            least = self.enough if enough is None else enough
            return [one for one in found if one.score >= least]
        shared = self._words.search(text, 1)
        if not shared or found[0].score + shared[0].score < self.enough + USUAL_BY_WORDS:
            return []
        return found[:1] + [one for one in found[1:] if one.score >= TOLD_TOO * self.enough]

    def _scores(self, asked: Vectors) -> Vectors:
        """Of every passage, a row a text."""
        scores = asked @ self._whole.T
        if len(self._owners):
            first = np.flatnonzero(np.diff(self._owners, prepend=-1))  # of each passage; every one has a sentence
            best = np.maximum.reduceat(self._sentences @ asked.T, first, axis=0)
            scores = (scores + 2 * best.T) / 3
        return scores

    def _calibrated(self, sentences: Vectors) -> float:
        """How like a passage a question has to be: the more so, the more alike these passages are among each other.

        What a sentence has in common with passages that it does not stand in is their subject, and no answer.
        """
        places = np.linspace(0, len(sentences) - 1, min(len(sentences), SENTENCES_COMPARED)).astype(np.int64)
        if len(self.passages) < 2 or not len(places):
            return LEAST_ENOUGH
        scores = self._scores(sentences[places])
        scores[np.arange(len(places)), self._owners[places]] = -1.0
        alike = float(np.median(scores.max(axis=1)))
        return round(min(max(LIKE_EACH_OTHER * alike, LEAST_ENOUGH), MOST_ENOUGH), 3)


def _asks_nothing(text: str) -> bool:
    """Whether it is a number, of an order, a telephone."""
    return is_number(text) and "?" not in text


def _by_words(embedder: Embedder) -> bool:
    return embedder.name == NgramEmbedder.name


def _sentences(passages: Sequence[Passage]) -> Iterator[tuple[int, str]]:
    for place, passage in enumerate(passages):
        for sentence in _SENTENCE_END.split(passage.text):
            yield place, sentence
