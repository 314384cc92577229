"""Puts documents into vectors in a process of its own, at the lowest priority, and keeps them on disk."""

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import structlog

from cli.embedders import EmbedderName, embedder_of
from core.ports.embedder import Vectors

log = structlog.get_logger()

LONGEST_S: Final = 900.0  # a thousand pages on a busy machine
VERSION: Final = 1  # of how vectors are kept: what another version kept is not looked at


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
        order = json.dumps({"embedder": self._embedder, "file": str(file), "texts": list(texts)})
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cli.knowledge_vectors",
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
        try:
            _, errors = await asyncio.wait_for(process.communicate(order.encode()), LONGEST_S)
        except TimeoutError:
            errors = b"it took too long"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            log.error("documents_not_indexed", texts=len(texts), reason=errors.decode(errors="replace")[-500:])
        return process.returncode == 0


def main() -> None:
    """The process: one order on standard input, one file."""
    os.nice(19)
    order = json.load(sys.stdin)
    file = Path(order["file"])
    file.parent.mkdir(parents=True, exist_ok=True)
    vectors = embedder_of(EmbedderName(order["embedder"])).embed(order["texts"])
    beside = file.with_suffix(f".{os.getpid()}.part")
    with beside.open("wb") as stream:
        np.save(stream, vectors.astype(np.float16), allow_pickle=False)
    beside.replace(file)  # another process may be reading


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
