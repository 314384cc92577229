"""Playbooks by name and by content, kept in SQL, remembered in memory."""

import asyncio
import math
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.playbook import Fault, Playbook, PlaybookFaults, fault_at, parse_playbook
from core.ports.errors import StorageUnavailable, UnknownPlaybook
from core.ports.playbooks import KeptVersion, Playbooks, PlaybookVersions
from storage.database import Database
from storage.models import PlaybookVersion
from storage.rows import make_sure_of

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """The latest version of every name, as last read."""

    read_at: float  # time.monotonic(), seconds; -inf: good only while the database is away
    refs: dict[str, str]  # name -> ref


class SqlPlaybooks(Playbooks, PlaybookVersions):
    """All versions that were ever published.

    A version loaded once never touches SQL again. What is the latest is read again after ``fresh_seconds``; while the
    database is away, what was read before goes on. Methods raise StorageUnavailable if nothing was.

    Args:
        default: the name of the playbook that answers numbers which no playbook lists.
    """

    def __init__(self, database: Database, default: str | None = None, fresh_seconds: float = 3.0) -> None:
        self._database = database
        self._default = default
        self._fresh_seconds = fresh_seconds
        self._loaded: dict[str, Playbook] = {}  # by ref
        self._catalogue: _Catalogue | None = None

    async def publish(self, folder: Path) -> list[Playbook]:
        """Make the folder's playbooks (*.yaml, *.yml) the latest of their names; other names stay as they are.

        All or nothing. Several processes may publish the same folder at once.

        Raises:
            PlaybookFaults: with every fault of every file, or two files with one name.
            StorageUnavailable: nothing was published.
        """
        return await self._publish(await asyncio.to_thread(_read_folder, folder))

    async def put(self, name: str, text: str) -> Playbook:
        """Make the text the newest version of this name."""
        playbook = await asyncio.to_thread(_read_text, name, text)
        await self._publish([(playbook, text)])
        return playbook

    async def versions(self, name: str) -> list[KeptVersion]:
        """All, the newest first."""
        version = PlaybookVersion
        wanted = select(version.digest, version.created_ms, version.published_ms).where(version.name == name)
        async with self._database.read() as session:
            rows = (await session.execute(wanted.order_by(version.published_ms.desc()))).all()
        if not rows:
            raise UnknownPlaybook(name)
        return [KeptVersion(f"{name}@{digest}", created, published) for digest, created, published in rows]

    async def text(self, ref: str) -> str:
        """The text as it was written."""
        name, _, wanted = ref.partition("@")
        async with self._database.read() as session:
            version = await session.get(PlaybookVersion, (name, wanted))
        if version is None:
            raise UnknownPlaybook(ref)
        return version.text

    async def _publish(self, written: list[tuple[Playbook, str]]) -> list[Playbook]:
        async with self._database.write() as session:
            for playbook, text in written:
                await _make_latest(session, playbook, text)
        playbooks = [playbook for playbook, _ in written]
        self._loaded |= {playbook.ref: playbook for playbook in playbooks}
        known = self._catalogue.refs if self._catalogue else {}
        self._catalogue = _Catalogue(-math.inf, known | {playbook.name: playbook.ref for playbook in playbooks})
        return playbooks

    async def load(self, ref: str) -> Playbook:
        """The playbook with exactly this reference."""
        if (known := self._loaded.get(ref)) is not None:
            return known
        text = await self.text(ref)
        try:
            playbook = await asyncio.to_thread(parse_playbook, text, f"{ref} in the database")
        except PlaybookFaults as error:  # an older program took it
            log.error("playbook_unreadable", ref=ref, faults=str(error))
            raise UnknownPlaybook(f"{ref}: this version of Holdfast cannot read it") from error
        return self._loaded.setdefault(ref, playbook)

    async def latest(self, name: str) -> Playbook:
        """The newest version."""
        refs = await self._latest_refs()
        if name not in refs:
            raise UnknownPlaybook(name)
        return await self.load(refs[name])

    async def for_number(self, number: str) -> Playbook:
        """The newest playbook that lists the number (of several, the first by name), else the default one."""
        for _, ref in sorted((await self._latest_refs()).items()):
            with suppress(UnknownPlaybook):  # one that cannot be read must not keep the others from answering
                playbook = await self.load(ref)
                if number in playbook.numbers:
                    return playbook
        if self._default is None:
            raise UnknownPlaybook("none answers this number, and there is no default")
        return await self.latest(self._default)

    async def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(await self._latest_refs())

    async def _latest_refs(self) -> dict[str, str]:
        known = self._catalogue
        if known is not None and time.monotonic() - known.read_at < self._fresh_seconds:
            return known.refs
        try:
            refs = await self._read_latest_refs()
        except StorageUnavailable as error:
            if known is None:
                raise
            log.warning("playbooks_not_fresh", error=str(error))
            refs = known.refs
        self._catalogue = _Catalogue(time.monotonic(), refs)
        return refs

    async def _read_latest_refs(self) -> dict[str, str]:
        version = PlaybookVersion
        async with self._database.read() as session:
            wanted = select(version.name, version.digest).order_by(version.name, version.published_ms)
            return {name: f"{name}@{digest}" for name, digest in await session.execute(wanted)}


async def _make_latest(session: AsyncSession, playbook: Playbook, text: str) -> None:
    now_ms = time.time() * 1_000
    version = {"name": playbook.name, "digest": playbook.digest, "text": text}
    await make_sure_of(session, PlaybookVersion, [version | {"created_ms": now_ms, "published_ms": now_ms}])
    of_name = select(PlaybookVersion).where(PlaybookVersion.name == playbook.name).with_for_update()
    versions = (await session.scalars(of_name.order_by(PlaybookVersion.published_ms.desc()))).all()
    if versions[0].digest != playbook.digest:  # an older text comes back, or a clock ran ahead
        ours = next(row for row in versions if row.digest == playbook.digest)
        ours.published_ms = max(now_ms, versions[0].published_ms + 1)


def _read_text(name: str, text: str) -> Playbook:
    file = f"{name}.yaml"
    playbook = parse_playbook(text, file)
    if playbook.name != name:
        raise PlaybookFaults([fault_at(text, file, ("name",), f"is {playbook.name!r}, and published as {name!r}")])
    return playbook


def _read_folder(folder: Path) -> list[tuple[Playbook, str]]:
    written: dict[str, tuple[Playbook, str]] = {}
    faults: list[Fault] = []
    for file in sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml")):
        text = file.read_text(encoding="utf-8")
        try:
            playbook = parse_playbook(text, str(file))
        except PlaybookFaults as error:
            faults += error.faults
            continue
        if playbook.name in written:
            faults.append(Fault(str(file), 1, "name", f"another file of {file.parent} is named {playbook.name!r}"))
        written[playbook.name] = playbook, text
    if faults:
        raise PlaybookFaults(faults)
    return list(written.values())
