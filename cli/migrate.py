"""holdfast migrate: the database's schema, the playbooks and Temporal's search attributes, once per deploy."""

import asyncio
from pathlib import Path

from sqlalchemy import make_url
from temporalio.service import RPCError

from cli.knowledge_files import published_documents
from cli.playbook_check import read_playbook
from cli.process import Complaint, complaints
from cli.progress import progress
from cli.settings import Settings
from cli.temporal_client import connect, register_search_attributes
from core.playbook import Playbook, PlaybookFaults
from core.ports.errors import StorageUnavailable
from storage.database import Database
from storage.documents import ReadFile, SqlDocuments
from storage.migrate import migrate
from storage.playbooks import SqlPlaybooks


def run(*, database_only: bool) -> None:
    """Migrate, publish and register; exits with 2 and one line when a server is away."""
    with complaints(PlaybookFaults):
        settings = Settings.read()
        asyncio.run(_migrate(settings, database_only=database_only))


async def _migrate(settings: Settings, *, database_only: bool) -> None:
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite" and url.database:
        _make_folder_of(Path(url.database))
    shown = url.render_as_string(hide_password=True)
    try:
        async with progress("Migrating the database"):
            await migrate(settings.database)
            playbooks = await _publish(settings)
    except StorageUnavailable as error:
        raise Complaint(f"DATABASE_URL: cannot reach {shown}: {error.__cause__ or error}") from error
    print(f"database is up to date: {shown}")
    print(f"playbooks are published: {', '.join(playbook.ref for playbook in playbooks)}")
    if not database_only:
        await _register(settings)


async def _publish(settings: Settings) -> list[Playbook]:
    database = Database(settings.database, pool_size=1)
    try:
        documents = await asyncio.to_thread(_documents_of, settings.playbooks)
        playbooks = await SqlPlaybooks(database).publish(settings.playbooks)
        for playbook, files in documents.items():
            await SqlDocuments(database).publish(playbook, files)
        return playbooks
    except OSError as error:
        raise Complaint(f"HOLDFAST_PLAYBOOKS: cannot read {settings.playbooks}: {error.strerror}") from error
    finally:
        await database.close()


def _documents_of(folder: Path) -> dict[str, dict[str, ReadFile]]:
    """Those that the folder's playbooks name, by playbook. Raises PlaybookFaults."""
    files = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
    playbooks = [(read_playbook(file), file) for file in files]
    return {playbook.name: published_documents(playbook, file) for playbook, file in playbooks}


async def _register(settings: Settings) -> None:
    try:
        async with progress("Registering search attributes"):
            added = await register_search_attributes(await connect(settings))
    except (RuntimeError, RPCError) as error:
        raise Complaint(f"TEMPORAL_ADDRESS: cannot use {settings.temporal_address}: {error}") from error
    print(f"search attributes are registered{': ' + ', '.join(added) if added else ''}")


def _make_folder_of(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
