"""Learns steps from examples in a process of its own, at the lowest priority, and keeps what was learnt on disk."""

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
from core.learnt_steps import Example, LearntSteps, background_speech, learn
from core.ports.embedder import Embedder, Vectors
from core.step_fit import Fit

log = structlog.get_logger()

LONGEST_S: Final = 300.0  # even 5,000 examples on a busy machine
VERSION: Final = 4  # of how steps are learnt: what another version kept is not looked at


class KeptStepFits:
    """One file an embedder and set of examples. Several workers may share the folder; one of them learns at a time.

    Args:
        folder: made if it is not there.
    """

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self._embedder = embedder
        self._folder = folder
        self._one_at_a_time = asyncio.Lock()

    async def learnt(self, own: Sequence[Example], grown: Sequence[Example] = ()) -> LearntSteps | None:
        """See core.ports.step_fits."""
        file = self._folder / f"{key_of(own, self._embedder.name, grown)}.npz"
        async with self._one_at_a_time:
            kept = await asyncio.to_thread(_read, file)
            if kept is None and await self._learn([*own, *grown], len(own), file):
                kept = await asyncio.to_thread(_read, file)
        return LearntSteps(kept, self._embedder, [*own, *grown]) if kept is not None else None

    async def _learn(self, examples: Sequence[Example], own: int, file: Path) -> bool:
        order = {"embedder": self._embedder.name, "file": str(file), "examples": list(examples), "own": own}
        try:
            await work_apart("cli.step_fits", order, LONGEST_S)
        except WorkFailed as failed:
            log.error("steps_not_learnt", examples=len(examples), reason=str(failed))
            return False
        return True


def key_of(own: Sequence[Example], embedder: str, grown: Sequence[Example] = ()) -> str:
    """Names what is learnt from exactly this."""
    content = json.dumps([VERSION, embedder, background_speech(), sorted(own), sorted(grown)])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def main() -> None:
    """The process that learns: one order on standard input, one file. Nothing is written if there is too little."""
    order = take_order()
    file = Path(order["file"])
    embedder = embedder_of(EmbedderName(order["embedder"]))
    examples = [(step, text) for step, text in order["examples"]]
    learnt = learn(examples, embedder, _background(embedder, file.parent), order["own"])
    if learnt is not None:
        content = {"labels": learnt.labels, "weights": learnt.weights, "threshold": learnt.threshold}
        _write(file, content)


def _background(embedder: Embedder, folder: Path) -> Vectors:
    """The background speech, embedded once a machine."""
    key = key_of((), embedder.name)
    file = folder / f"background-{key}.npz"
    try:
        with np.load(file) as kept:
            return np.asarray(kept["vectors"], dtype=np.float32)
    except (OSError, ValueError, KeyError):
        vectors = embedder.embed(background_speech())
        _write(file, {"vectors": vectors})
        return vectors


def _write(file: Path, content: dict[str, object]) -> None:
    arrays = {name: np.asarray(value) for name, value in content.items()}
    write_whole(file, lambda stream: np.savez(stream, allow_pickle=False, **arrays))


def _read(file: Path) -> Fit | None:
    try:
        with np.load(file) as kept:
            labels = tuple(str(label) for label in kept["labels"])
            weights = np.asarray(kept["weights"], dtype=np.float32)
            return Fit(labels, weights, float(kept["threshold"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError) as error:
        log.warning("learnt_steps_unreadable", file=file.name, reason=str(error))
        return None


if __name__ == "__main__":
    main()
