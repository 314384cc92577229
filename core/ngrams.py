"""Texts as vectors without any weights: their words, pairs of words and parts of words, hashed."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from core.likeness import COMMON, words_in

WIDTH: Final = 4096
_PART_WEIGHT: Final = 0.5  # there are many parts in a word
_COMMON_WEIGHT: Final = 0.7  # "the" tells less than "order"
_PART_SIZES: Final = (3, 4, 5)


class NgramEmbedder:
    """An embedder that needs nothing: what callers say alike is near, whatever it means."""

    name: Final = "lexical"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See core.ports.embedder."""
        return ngrams(texts)


def ngrams(texts: Sequence[str]) -> NDArray[np.float32]:
    """One row a text, of length 1 (0 for a text without words)."""
    rows = np.zeros((len(texts), WIDTH), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        for feature, weight in _features(words_in(text)):
            code = crc32(feature.encode())
            row[code % WIDTH] += weight if code & 0x8000_0000 else -weight  # collisions cancel rather than add up
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(lengths > 0, lengths, 1.0)
    return rows


def _features(words: list[str]) -> Iterator[tuple[str, float]]:
    for word in words:
        weight = _COMMON_WEIGHT if word in COMMON else 1.0
        yield f"w {word}", weight
        framed = f"<{word}>"
        for size in _PART_SIZES if word not in COMMON else ():
            for at in range(len(framed) - size + 1):
                yield f"c {framed[at : at + size]}", _PART_WEIGHT
    for left, right in pairwise(["<", *words, ">"] if words else []):
        yield f"p {left} {right}", 0.7
