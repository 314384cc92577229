"""The sentence embedder: like meanings near each other, cut as the model was taught."""

import numpy as np
import onnxruntime
import pytest

from vendors.minilm_embedder import MiniLmEmbedder, _vocabulary, _weights
from vendors.onnx_attention import with_fused_attention
from vendors.onnx_products import with_integer_products
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
    among = embedder.embed(["a much longer text that goes on and on " * 40, "where is my order"])[1]
    assert np.array_equal(alone, among)


def test_nothing_is_embedded_as_nothing(embedder: MiniLmEmbedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_products_in_whole_numbers_mean_what_those_in_float32_do(embedder: MiniLmEmbedder) -> None:
    as_it_is = MiniLmEmbedder()
    as_it_is._session = onnxruntime.InferenceSession(_weights(), providers=["CPUExecutionProvider"])
    texts = ["where is my order", "I would like to move the visit to Friday, if that is no trouble", "yes"]
    likeness = (embedder.embed(texts) * as_it_is.embed(texts)).sum(axis=1)
    assert (likeness > 0.96).all()
    assert (likeness < 0.99999).any()  # else nothing was computed in whole numbers


def test_attention_by_one_operator_means_what_it_does_spelt_out(embedder: MiniLmEmbedder) -> None:
    model = with_integer_products(_weights())
    spelt_out = MiniLmEmbedder()
    spelt_out._session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    texts = ["where is my order", "I would like to move the visit to Friday, if that is no trouble", "yes"]
    assert ((embedder.embed(texts) * spelt_out.embed(texts)).sum(axis=1) > 0.99).all()
    assert b"MultiHeadAttention" in with_fused_attention(model, 12)
    assert b"Softmax" not in with_fused_attention(model, 12)


def test_model_whose_attention_is_spelt_otherwise_is_refused() -> None:
    once = with_fused_attention(with_integer_products(_weights()), 12)
    with pytest.raises(ValueError, match="no attention"):
        with_fused_attention(once, 12)
    renamed = _weights().replace(b"IsNaN", b"IsInf")
    with pytest.raises(ValueError, match="spelt otherwise: no IsNaN takes"):
        with_fused_attention(renamed, 12)


def test_whatever_is_no_such_model_is_refused() -> None:
    for model, says in (
        (b"", "empty"),
        (b"\x3a\x00", "no product"),  # an empty graph
        (b"\x3a\x7f", "cut off"),
        (b"PK\x03\x04", "no protocol buffers"),
    ):
        with pytest.raises(ValueError, match=says):
            with_integer_products(model)


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
