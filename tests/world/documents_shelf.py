"""Documents in memory, and vectors made at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from activities.knowledge_shelf import KnowledgeShelf
from core.knowledge.markdown import markdown_blocks
from core.knowledge.passages import Passage, passages_of
from core.ngrams import NgramEmbedder, ngrams
from core.ports.embedder import Embedder, Vectors
from core.ports.errors import StorageUnavailable
from core.recently_embedded import RecentlyEmbedded


class FakeDocuments:
    """Markdown by playbook and path; ``away`` as a database that cannot be reached."""

    def __init__(self, **texts: dict[str, str]) -> None:
        self.texts = texts
        self.away = False

    async def catalogue(self) -> Mapping[str, Mapping[str, str]]:
        """A document's version is its text."""
        self._reach()
        return {playbook: dict(texts) for playbook, texts in self.texts.items() if texts}

    async def passages(self, playbook: str) -> Mapping[str, Sequence[Passage]]:
        """Read anew each time."""
        self._reach()
        return {path: passages_of(path, markdown_blocks(text)) for path, text in self.texts[playbook].items()}

    def _reach(self) -> None:
        if self.away:
            raise StorageUnavailable("away")

    async def listed(self, playbook: str) -> Any:
        """Nobody asks."""
        raise AssertionError(playbook)

    async def upload(self, playbook: str, path: str, content: bytes, passages: Sequence[Passage]) -> Any:
        """Nobody asks."""
        raise AssertionError(path)

    async def remove(self, playbook: str, path: str) -> bool:
        """Nobody asks."""
        raise AssertionError(path)


class MeaningEmbedder:
    """An embedder that is not the one by words, though it knows no more."""

    name = "meaning"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """By words."""
        return ngrams(texts)


class FakeVectors:
    """Writes down what it was asked for; ``fails`` as a process that does."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.fails = False

    async def vectors(self, texts: Sequence[str]) -> Vectors | None:
        """By words."""
        self.asked.append(list(texts))
        return None if self.fails else ngrams(texts)


async def shelf_of(playbook: str, embedder: Embedder | None = None, **texts: str) -> KnowledgeShelf:
    """A shelf that has read documents of a playbook: name -> markdown of name.md."""
    documents = FakeDocuments(**{playbook: {f"{name}.md": text for name, text in texts.items()}})
    shelf = KnowledgeShelf(documents, FakeVectors(), RecentlyEmbedded(embedder or NgramEmbedder()))
    await shelf.look()
    return shelf
