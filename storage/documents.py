"""Documents of playbooks in SQL: published with the playbooks' files, or uploaded over REST."""

import hashlib
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.knowledge.passages import Passage
from core.ports.knowledge import DocumentIsPublished, Documents, KeptDocument
from storage.database import Database
from storage.models import Document
from storage.rows import make_sure_of

ReadFile = tuple[bytes, Sequence[Passage]]
"""A file's content, and what it was read into."""


class SqlDocuments(Documents):
    """Each method is one transaction. All raise StorageUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def catalogue(self) -> Mapping[str, Mapping[str, str]]:
        """Playbook name -> path -> which version of it."""
        wanted = select(Document.playbook, Document.path, Document.digest, Document.changed_ms)
        found: dict[str, dict[str, str]] = defaultdict(dict)
        async with self._database.read() as session:
            for playbook, path, digest, changed_ms in await session.execute(wanted):
                found[playbook][path] = f"{digest} {changed_ms}"
        return found

    async def passages(self, playbook: str) -> Mapping[str, Sequence[Passage]]:
        """By path."""
        wanted = select(Document.path, Document.passages).where(Document.playbook == playbook)
        async with self._database.read() as session:
            return {path: [_passage(path, row) for row in rows] for path, rows in await session.execute(wanted)}

    async def listed(self, playbook: str) -> Sequence[KeptDocument]:
        """By path."""
        wanted = _listed().where(Document.playbook == playbook).order_by(Document.path)
        async with self._database.read() as session:
            return [_kept(*row) for row in await session.execute(wanted)]

    async def publish(self, playbook: str, files: Mapping[str, ReadFile]) -> int:
        """Have a playbook's published documents be these files, by path; how many have changed.

        What was uploaded under the path of a file gives way to it; other uploads stay.
        """
        changed = 0
        async with self._database.write() as session:
            known = {
                row.path: row
                for row in await session.scalars(
                    select(Document).where(Document.playbook == playbook).with_for_update()
                )
            }
            for path, (content, passages) in files.items():
                changed += await _keep(session, known.get(path), playbook, path, content, passages, uploaded=False)
            for path, row in known.items():
                if path not in files and not row.uploaded:
                    await session.delete(row)
                    changed += 1
        return changed

    async def upload(self, playbook: str, path: str, content: bytes, passages: Sequence[Passage]) -> KeptDocument:
        """Keep it, in the place of what was uploaded there before."""
        async with self._database.write() as session:
            row = await _locked(session, playbook, path)
            if row is not None and not row.uploaded:
                raise DocumentIsPublished(path)
            await _keep(session, row, playbook, path, content, passages, uploaded=True)
            await session.flush()
            ours = (Document.playbook == playbook, Document.path == path)
            return _kept(*(await session.execute(_listed().where(*ours))).one())

    async def remove(self, playbook: str, path: str) -> bool:
        """Drop what was uploaded."""
        async with self._database.write() as session:
            row = await _locked(session, playbook, path)
            if row is None:
                return False
            if not row.uploaded:
                raise DocumentIsPublished(path)
            await session.execute(delete(Document).where(Document.playbook == playbook, Document.path == path))
            return True


async def _locked(session: AsyncSession, playbook: str, path: str) -> Document | None:
    wanted = select(Document).where(Document.playbook == playbook, Document.path == path)
    return (await session.scalars(wanted.with_for_update())).one_or_none()


async def _keep(
    session: AsyncSession,
    row: Document | None,
    playbook: str,
    path: str,
    content: bytes,
    passages: Sequence[Passage],
    *,
    uploaded: bool,
) -> bool:
    """Whether anything has changed. Two that are new at once: the later one's content stays."""
    told = [_row(passage) for passage in passages]
    digest = hashlib.sha256(content).hexdigest()
    if row is None:
        new = {"digest": "", "uploaded": uploaded, "content": b"", "passages": [], "changed_ms": 0.0}
        await make_sure_of(session, Document, [{"playbook": playbook, "path": path} | new])
        row = await _locked(session, playbook, path)
        assert row is not None
    row.uploaded = uploaded
    if row.digest == digest and row.passages == told:
        return False
    row.digest, row.content, row.passages = digest, content, told
    row.changed_ms = time.time() * 1_000
    return True


def _listed() -> Any:
    """All but the texts themselves."""
    document = Document
    return select(
        document.playbook,
        document.path,
        document.digest,
        func.length(document.content),
        document.passages,
        document.uploaded,
        document.changed_ms,
    )


def _kept(
    playbook: str, path: str, digest: str, size: int, passages: Sequence[Any], uploaded: bool, changed_ms: float
) -> KeptDocument:
    return KeptDocument(playbook, path, digest, size, len(passages), uploaded, changed_ms)


def _row(passage: Passage) -> dict[str, Any]:
    return {"text": passage.text, "headings": list(passage.headings), "page": passage.page}


def _passage(path: str, row: Mapping[str, Any]) -> Passage:
    return Passage(path, str(row["text"]), tuple(row["headings"]), int(row["page"]))
