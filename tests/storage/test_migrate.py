import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect

from storage.database import Database
from storage.migrate import current_revision, downgrade, is_up_to_date, migrate, newest_revision
from storage.models import Base, personal_columns


@pytest.fixture
async def empty(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


async def differences(database: Database) -> list[Any]:
    def compare(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, Base.metadata))

    async with database.engine.connect() as connection:
        return await connection.run_sync(compare)


async def tables(database: Database) -> set[str]:
    async with database.engine.connect() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


async def test_migrations_make_exactly_the_models(empty: Database, database_url: str) -> None:
    await migrate(database_url)
    assert await differences(empty) == []


async def test_an_empty_database_has_no_revision_and_a_migrated_one_the_newest(
    empty: Database, database_url: str
) -> None:
    assert await current_revision(empty) is None
    assert not await is_up_to_date(empty)
    await migrate(database_url)
    assert await current_revision(empty) == newest_revision()
    assert await is_up_to_date(empty)


async def test_down_and_up_again(empty: Database, database_url: str) -> None:
    await migrate(database_url)
    await downgrade(database_url, "base")
    assert await tables(empty) == {"alembic_version"} | ({"sqlite_sequence"} & await tables(empty))
    await migrate(database_url)
    assert await differences(empty) == []


async def test_several_processes_may_migrate_at_once(empty: Database, database_url: str) -> None:
    await asyncio.gather(*(migrate(database_url) for _ in range(4)))
    assert await is_up_to_date(empty)


async def test_many_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    async def look(url: str) -> str | None:
        database = Database(url)
        try:
            return await current_revision(database)
        finally:
            await database.close()

    for number in range(60):  # one open in 500 met another one's
        url = f"sqlite+aiosqlite:///{tmp_path}/{number}.db"
        assert await asyncio.gather(*(look(url) for _ in range(16))) == [None] * 16


def test_columns_with_personal_data_are_marked() -> None:
    assert {f"{column.table.name}.{column.name}" for column in personal_columns()} == {
        "calls.caller_number",
        "calls.variables",
        "calls.summary",
        "calls.topic",
        "calls.follow_up",
        "turns.caller",
        "turns.said",
        "turns.heard",
        "turns.supervisor",
        "tool_calls.arguments",
        "tool_calls.content",
        "transfers.reason",
        "transfers.summary",
        "transfers.whisper",
        "callbacks.caller_number",
        "callbacks.reason",
        "callbacks.summary",
        "callbacks.note",
        "step_examples.text",
        "contact_uploads.first_faults",
        "call_events.data",
        "after_calls.caller_number",
        "after_calls.state",
        "dead_letters.letter",
        "contacts.number",
        "contacts.variables",
        "attempts.number",
        "dnc.number",
        "permission_changes.number",
        "consents.number",
    }
