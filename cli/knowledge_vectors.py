"""Puts documents into vectors in a process of its own, at the lowest priority, and keeps them on disk."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import structlog

from cli.background_work import WorkFailed, take_order, work_apart, write_whole
from cli.embedders import EmbedderName, embedder_of
from core.ports.embedder import Vectors

log = structlog.get_logger()

LONGEST_S: Final = 900.0  # a thousand pages on a busy machine
VERSION: Final = 2  # of how vectors are kept: what another version kept is not looked at


class KeptPassageVectors:
    """One file for the texts of one document. Several workers may share the folder; each makes one at a time.

    Args:
        embedder: the name of one that ``cli.embedders`` knows.
        folder: made if it is not there.
    """

    def __init__(self, embedder: str, folder: Path) -> None:
        self._embedder = embedder
        self._folder = folder
        self._one_at_a_time = asyncio.Lock()

    async def vectors(self, texts: Sequence[str]) -> Vectors | None:
        """See core.ports.knowledge."""
        content = json.dumps([VERSION, self._embedder, list(texts)])
        file = self._folder / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.npy"
        async with self._one_at_a_time:
            kept = await asyncio.to_thread(_read, file)
            if kept is None and await self._embed(texts, file):
                kept = await asyncio.to_thread(_read, file)
        return kept if kept is None or len(kept) == len(texts) else None

    async def _embed(self, texts: Sequence[str], file: Path) -> bool:
        order = {"embedder": self._embedder, "file": str(file), "texts": list(texts)}
        try:
            await work_apart("cli.knowledge_vectors", order, LONGEST_S)
        except WorkFailed as failed:
            log.error("documents_not_indexed", texts=len(texts), reason=str(failed))
            return False
        return True


def main() -> None:
    """The process: one order on standard input, one file."""
    order = take_order()
    vectors = embedder_of(EmbedderName(order["embedder"])).embed(order["texts"])
    write_whole(Path(order["file"]), lambda stream: np.save(stream, vectors.astype(np.float16), allow_pickle=False))


def _read(file: Path) -> Vectors | None:
    try:
        return np.asarray(np.load(file, allow_pickle=False), dtype=np.float32)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError) as error:
        log.warning("passage_vectors_unreadable", file=file.name, reason=str(error))
        return None


if __name__ == "__main__":
    main()
