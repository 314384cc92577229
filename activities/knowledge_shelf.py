"""The documents of playbooks, ready to be searched: no turn reads SQL or waits for vectors."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import structlog

from core.knowledge.index import KnowledgeIndex, views_of
from core.knowledge.passages import Passage
from core.ngrams import NgramEmbedder
from core.ports.embedder import Embedder, Vectors
from core.ports.errors import StorageUnavailable
from core.ports.knowledge import Documents, PassageVectors
from core.recently_embedded import RecentlyEmbedded

log = structlog.get_logger()

LOOK_EVERY_S: Final = 5.0  # for documents that have changed
AGAIN_S: Final = 60.0  # where vectors cannot be made, as on a full disk
REST: Final = 20.0  # times what it took: trying again may have a twentieth of a processor
FIRST_LOOK_S: Final = 10.0  # a worker takes calls without documents rather than none

_Version = tuple[str, str, str]
"""A playbook's name, a document's path and its version."""


class KnowledgeShelf:
    """Keeps an index of each playbook's documents, by its name, and makes it anew when one of them changes.

    Until the vectors of new documents are there they are searched by their words alone.

    Args:
        clock: seconds.
    """

    def __init__(
        self,
        documents: Documents,
        vectors: PassageVectors,
        embedder: RecentlyEmbedded,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._documents = documents
        self._vectors = vectors
        self._embedder = embedder
        self._indexes: dict[str, KnowledgeIndex] = {}
        self._seen: dict[str, Mapping[str, str]] = {}  # playbook -> its documents' versions, as last read
        self._meant: dict[_Version, Vectors] = {}
        self._ahead: set[asyncio.Task[None]] = set()
        self._clock = clock
        self._rests_until = 0.0
        self._unmeant: set[str] = set()  # playbooks that are searched by words while they need not be

    def index(self, playbook: str) -> KnowledgeIndex | None:
        """The index of the playbook of this name; None: it has no documents."""
        return self._indexes.get(playbook)

    def expect(self, playbook: str, text: str, *, own_threshold: bool = False) -> None:
        """A turn will be answered: embed its words while the workflow goes on, not when a caller waits for them.

        Args:
            own_threshold: the playbook says itself how like a passage has to be, so words are not believed.
        """
        index = self._indexes.get(playbook)
        by_meaning = index is not None and index.method == self._embedder.name != NgramEmbedder.name
        if index is not None and by_meaning and (own_threshold or index.needs_meaning(text)):
            task = asyncio.create_task(self._embedder.embed_ahead(text))
            self._ahead.add(task)
            task.add_done_callback(self._ahead.discard)

    async def settled(self) -> None:
        """Until what was expected is embedded: for whoever has no call waiting."""
        await asyncio.gather(*self._ahead)

    async def open(self) -> None:
        """Have what there is searched by words at least; for no longer than a worker may take to start."""
        try:
            async with asyncio.timeout(FIRST_LOOK_S):
                await self._refresh()
        except (TimeoutError, StorageUnavailable) as error:
            log.warning("documents_not_read", reason=str(error) or "the database is slow")

    async def run(self) -> None:
        """Forever: at once, and again whenever documents change."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Look once: read what has changed, then find its meaning."""
        try:
            await self._refresh()
        except StorageUnavailable as error:
            log.warning("documents_not_looked_at", reason=str(error))
        began = self._clock()
        if began < self._rests_until:
            return
        for playbook in sorted(self._unmeant):
            await self._find_meaning(playbook)
        if self._unmeant:
            now = self._clock()
            self._rests_until = now + max(AGAIN_S, REST * (now - began))

    async def _refresh(self) -> None:
        catalogue = await self._documents.catalogue()
        for playbook in self._indexes.keys() - catalogue.keys():
            del self._indexes[playbook]
            self._seen.pop(playbook, None)
            self._unmeant.discard(playbook)
        for playbook, versions in catalogue.items():
            if self._seen.get(playbook) != versions:
                await self._read(playbook, versions)
        wanted = {(name, *version) for name, versions in catalogue.items() for version in versions.items()}
        self._meant = {version: vectors for version, vectors in self._meant.items() if version in wanted}

    async def _read(self, playbook: str, versions: Mapping[str, str]) -> None:
        passages = await self._documents.passages(playbook)
        everything = [passage for path in sorted(passages) for passage in passages[path]]
        words = RecentlyEmbedded(NgramEmbedder())
        vectors = await asyncio.to_thread(words.embed, views_of(everything, words).texts)
        self._indexes[playbook] = KnowledgeIndex(everything, vectors, words)
        self._seen[playbook] = dict(versions)
        if self._embedder.name != words.name:
            self._unmeant.add(playbook)
        log.info("documents_read", playbook=playbook, documents=len(passages), passages=len(everything))

    async def _find_meaning(self, playbook: str) -> None:
        try:
            passages = await self._documents.passages(playbook)
        except StorageUnavailable:
            return  # at the next look
        parts = list[tuple[Sequence[Passage], Vectors]]()
        for path in sorted(passages):
            version = playbook, path, self._seen[playbook].get(path, "")
            vectors = self._meant.get(version)
            if vectors is None:
                vectors = await self._vectors.vectors(views_of(passages[path], self._embedder).texts)
            if vectors is None:
                return
            self._meant[version] = vectors
            parts.append((passages[path], vectors))
        words = self._indexes[playbook]
        self._indexes[playbook] = await asyncio.to_thread(_joined, parts, self._embedder, words)
        self._unmeant.discard(playbook)
        log.info("documents_indexed", playbook=playbook, documents=len(passages), method=self._embedder.name)


def _joined(
    parts: Sequence[tuple[Sequence[Passage], Vectors]], embedder: Embedder, words: KnowledgeIndex
) -> KnowledgeIndex:
    """One index of several documents: their vectors in the order of the views of all of them together."""
    views = [views_of(passages, embedder) for passages, _ in parts]
    places = [
        (len(view.whole), len(view.whole) + len(view.alone), len(view.whole) + 2 * len(view.alone)) for view in views
    ]
    vectors = np.vstack(
        [vectors[:whole] for (_, vectors), (whole, _, _) in zip(parts, places, strict=True)]
        + [vectors[whole:alone] for (_, vectors), (whole, alone, _) in zip(parts, places, strict=True)]
        + [vectors[alone:headed] for (_, vectors), (_, alone, headed) in zip(parts, places, strict=True)]
    )
    return KnowledgeIndex([passage for passages, _ in parts for passage in passages], vectors, embedder, words)
