"""An embedder that remembers what it was last asked for: one turn's texts are looked at more than once."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np

from core.ports.embedder import Embedder, Vectors

_ROOM: Final = 256  # texts: a few turns of every call of a worker


class RecentlyEmbedded:
    """In front of another embedder; for the texts of turns, a few at a time."""

    def __init__(self, embedder: Embedder) -> None:
        self.name = embedder.name
        self._embedder = embedder
        self._recent: OrderedDict[str, Vectors] = OrderedDict()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See core.ports.embedder."""
        new = list(dict.fromkeys(text for text in texts if text not in self._recent))
        if new:
            self._recent.update(zip(new, self._embedder.embed(new), strict=True))
        return self._found(texts)

    async def embed_ahead(self, text: str) -> None:
        """Remember a text that will be asked for, without holding the event loop up."""
        if text not in self._recent:
            (vector,) = await asyncio.to_thread(self._embedder.embed, [text])
            self._recent[text] = vector

    def forget(self) -> None:
        """For whoever wants to know what embedding takes."""
        self._recent.clear()

    def _found(self, texts: Sequence[str]) -> Vectors:
        found = np.array([self._recent[text] for text in texts], dtype=np.float32)
        for text in texts:
            self._recent.move_to_end(text)
        while len(self._recent) > _ROOM:
            self._recent.popitem(last=False)
        return found
