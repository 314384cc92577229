"""The sentence embedder: like meanings near each other, cut as the model was taught."""

import numpy as np
import pytest

from vendors.minilm_embedder import MiniLmEmbedder, _vocabulary
from vendors.word_pieces import WordPieces


@pytest.fixture(scope="module")
def embedder() -> MiniLmEmbedder:
    return MiniLmEmbedder()


def test_like_meanings_are_near_each_other(embedder: MiniLmEmbedder) -> None:
    order, parcel, weather, nothing = embedder.embed(
        ["Where is my order?", "Has the parcel been shipped yet", "It will rain tomorrow", ""]
    )
    assert order @ parcel > order @ weather + 0.2
    assert np.linalg.norm([order, parcel, weather, nothing], axis=1) == pytest.approx([1, 1, 1, 1], abs=1e-4)


def test_text_is_embedded_alike_alone_and_among_longer_ones(embedder: MiniLmEmbedder) -> None:
    (alone,) = embedder.embed(["where is my order"])
    among = embedder.embed(["where is my order", "a much longer text that goes on and on " * 40])[0]
    assert alone @ among > 0.97  # int8: scales are found for each batch


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Hello, World!", [101, 7592, 1010, 2088, 999, 102]),
        ("Héllo", [101, 7592, 102]),
        ("embeddings", [101, 7861, 8270, 4667, 2015, 102]),
        ("x" * 200, [101, 100, 102]),
        ("", [101, 102]),
    ],
)
def test_words_are_cut_as_the_model_was_taught(text: str, ids: list[int]) -> None:
    assert WordPieces(_vocabulary()).ids(text, 128) == ids


def test_long_texts_are_cut_off() -> None:
    assert len(WordPieces(_vocabulary()).ids("hello " * 500, 128)) == 128
