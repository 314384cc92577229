"""Texts that were embedded a moment ago are not embedded again."""

from collections.abc import Sequence

import numpy as np

from core.ngrams import NgramEmbedder
from core.ports.embedder import Vectors
from core.recently_embedded import RecentlyEmbedded


class Counting:
    """An embedder that writes down what it was asked for."""

    name = "counting"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return NgramEmbedder().embed(texts)


def test_each_text_is_embedded_once_and_comes_back_in_its_place() -> None:
    inner = Counting()
    recent = RecentlyEmbedded(inner)
    first = recent.embed(["where is my order"])
    found = recent.embed(["a jacket", "where is my order", "a jacket"])
    assert inner.asked == ["where is my order", "a jacket"]
    assert np.array_equal(found, NgramEmbedder().embed(["a jacket", "where is my order", "a jacket"]))
    assert np.array_equal(found[1], first[0])
    assert recent.name == "counting"


def test_what_was_not_asked_for_lately_is_forgotten() -> None:
    inner = Counting()
    recent = RecentlyEmbedded(inner)
    for number in range(1_000):
        recent.embed(["asked all the time", f"said once, {number}"])
    recent.embed(["said once, 0", "asked all the time"])
    assert inner.asked.count("said once, 0") == 2
    assert inner.asked.count("asked all the time") == 1
