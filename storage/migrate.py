"""Bring a database to the newest schema; the migrations are part of the package."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from storage.database import Database, storage_failures

_LOCK = 7_204_981  # any number, the same in every process: one migrates, the others wait and find it done


async def migrate(url: str, revision: str = "head") -> None:
    """Upgrade to ``revision``; several processes may do it at once. Raises StorageUnavailable."""
    await _run(url, lambda config: command.upgrade(config, revision))


async def downgrade(url: str, revision: str) -> None:
    """Go back to ``revision`` ("base": nothing), losing what later ones brought. Raises StorageUnavailable."""
    await _run(url, lambda config: command.downgrade(config, revision))


async def current_revision(database: Database) -> str | None:
    """The schema's revision, None for an empty database. Raises StorageUnavailable."""

    def look(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    with storage_failures():
        async with database.engine.connect() as connection:
            return await connection.run_sync(look)


async def is_up_to_date(database: Database) -> bool:
    """Whether the schema is the newest this program knows. Raises StorageUnavailable."""
    return await current_revision(database) == newest_revision()


def newest_revision() -> str | None:
    """The revision that ``migrate`` brings about."""
    return ScriptDirectory.from_config(_config()).get_current_head()


async def _run(url: str, action: Callable[[Config], None]) -> None:
    database = Database(url, pool_size=1, statement_seconds=600)
    config = _config()

    def run(connection: Connection) -> None:
        if database.on_postgresql:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = connection
        action(config)

    try:
        with storage_failures():
            async with database.writer.begin() as connection:
                await connection.run_sync(run)
    finally:
        await database.close()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
