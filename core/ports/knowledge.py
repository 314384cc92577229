"""Where documents are kept, and where their vectors come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.knowledge.passages import Passage
from core.ports.embedder import Vectors


@dataclass(frozen=True, slots=True)
class KeptDocument:
    """A document of a playbook as lists show it."""

    playbook: str  # its name: all its versions share its documents
    path: str
    digest: str  # SHA-256 of its content, 64 hex digits
    size: int  # bytes
    passages: int
    uploaded: bool  # over REST; else it is published with the playbook's files
    changed_ms: float


class DocumentIsPublished(Exception):
    """The document comes from the playbook's own files, and is changed there."""


class Documents(Protocol):
    """The documents of playbooks. All raise StorageUnavailable."""

    async def catalogue(self) -> Mapping[str, Mapping[str, str]]:
        """Playbook name -> path -> which version of it, of all documents there are."""
        ...

    async def passages(self, playbook: str) -> Mapping[str, Sequence[Passage]]:
        """The passages of a playbook's documents, by path."""
        ...

    async def listed(self, playbook: str) -> Sequence[KeptDocument]:
        """A playbook's documents, by path."""
        ...

    async def upload(self, playbook: str, path: str, content: bytes, passages: Sequence[Passage]) -> KeptDocument:
        """Keep a document, in the place of what was uploaded there before. Raises DocumentIsPublished."""
        ...

    async def remove(self, playbook: str, path: str) -> bool:
        """Drop what was uploaded; whether there was anything. Raises DocumentIsPublished."""
        ...


class PassageVectors(Protocol):
    """Puts documents' texts into vectors, away from the process that has calls, and keeps them."""

    async def vectors(self, texts: Sequence[str]) -> Vectors | None:
        """One row a text; None if that failed (which is logged)."""
        ...
