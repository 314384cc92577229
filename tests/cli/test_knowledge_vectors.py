"""Vectors of documents: made in another process, kept, shared."""

from pathlib import Path

import numpy as np

from cli.knowledge_vectors import KeptPassageVectors
from core.ngrams import ngrams

TEXTS = ["Returns. Within 30 days.", "Shipping. Fast."]


def only_file(folder: Path) -> Path:
    (file,) = folder.glob("*.npy")
    return file


async def test_texts_are_put_into_vectors_elsewhere_and_kept(tmp_path: Path) -> None:
    found = await KeptPassageVectors("lexical", tmp_path / "knowledge").vectors(TEXTS)
    assert found is not None
    assert np.allclose(found, ngrams(TEXTS), atol=1e-3)
    file = only_file(tmp_path / "knowledge")
    written = file.stat().st_mtime_ns
    again = await KeptPassageVectors("lexical", tmp_path / "knowledge").vectors(TEXTS)
    assert again is not None
    assert file.stat().st_mtime_ns == written


async def test_broken_file_is_made_again(tmp_path: Path) -> None:
    kept = KeptPassageVectors("lexical", tmp_path)
    await kept.vectors(TEXTS)
    file = only_file(tmp_path)
    file.write_bytes(b"nothing")
    assert await KeptPassageVectors("lexical", tmp_path).vectors(TEXTS) is not None


async def test_folder_that_cannot_be_written_costs_no_call(tmp_path: Path) -> None:
    (tmp_path / "knowledge").write_text("a file")
    assert await KeptPassageVectors("lexical", tmp_path / "knowledge").vectors(TEXTS) is None
