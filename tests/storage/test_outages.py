"""What happens while the database is away."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.contracts.call import CallSummary
from core.conversation import Usage
from core.ports.call_log import CallEvent
from core.ports.errors import StorageUnavailable
from storage.calls import SqlCallReader, SqlCallStore
from storage.database import Database
from storage.feed import SqlCallFeed
from storage.migrate import migrate
from storage.playbooks import SqlPlaybooks
from storage.tail import FeedTail
from tests.postgres import PostgresServer
from tests.storage.proxy import CutWire
from tests.storage.records import ended_call

SUMMARY = CallSummary("s", "t", True)


@pytest.fixture
async def wire(postgres_server: PostgresServer) -> AsyncIterator[CutWire]:
    wire = CutWire(postgres_server.port)
    await wire.mend()
    yield wire
    await wire.cut()


@pytest.fixture
async def far(wire: CutWire, postgres_server: PostgresServer, postgres_url: str) -> AsyncIterator[Database]:
    """A migrated PostgreSQL behind the wire."""
    await migrate(postgres_url)
    database = Database(postgres_url.replace(f":{postgres_server.port}/", f":{wire.port}/"), connect_seconds=1.0)
    yield database
    await database.close()


@pytest.mark.postgres
async def test_readers_and_stores_say_that_the_database_is_away_and_recover(far: Database, wire: CutWire) -> None:
    store, reader = SqlCallStore(far), SqlCallReader(far)
    await store.save(ended_call())
    await wire.cut()
    for work in (
        store.save(ended_call()),
        store.save_summary("CA1", SUMMARY, Usage()),
        store.save_crm_note("CA1", "n"),
        reader.calls(),
        reader.call("CA1"),
        reader.last_event_id(),
        anext(reader.tail(after=0)),
        migrate(far.engine.url.render_as_string(hide_password=False)),
    ):
        with pytest.raises(StorageUnavailable):
            await work
    await wire.mend()
    assert await reader.call("CA1") is not None
    await reader.close()


@pytest.mark.postgres
async def test_lines_wait_for_the_database_and_followers_go_on_with_it(far: Database, wire: CutWire) -> None:
    feed = SqlCallFeed(far, linger_seconds=0.0, retry_seconds=0.05)
    tail = FeedTail(far, poll_seconds=0.05)
    feed.start()
    lines = tail.follow(after=0)
    for n in range(10):
        feed.note(CallEvent("CA1", "problem", float(n), {}))
    seen = [await anext(lines) for _ in range(10)]

    await wire.cut()
    for n in range(10, 20):
        feed.note(CallEvent("CA1", "problem", float(n), {}))
    assert feed.waiting == 10
    await wire.mend()
    seen += [await anext(lines) for _ in range(10)]

    assert [stored.event.at_ms for stored in seen] == list(range(20))
    await feed.close()
    await tail.close()


@pytest.mark.postgres
async def test_playbooks_read_before_go_on_without_the_database(far: Database, wire: CutWire, tmp_path: Path) -> None:
    text = "name: shop\ngoal: G.\npersona: P.\ngreeting: Hi.\nsteps: [{name: help, goal: Help.}]\n"
    (tmp_path / "shop.yaml").write_text(text)
    await SqlPlaybooks(far).publish(tmp_path)
    playbooks = SqlPlaybooks(far, default="shop", fresh_seconds=0.0)
    before = await playbooks.for_number("+12025550142")
    await wire.cut()
    assert await playbooks.for_number("+12025550142") == before
    assert await playbooks.latest("shop") == before
    assert await playbooks.names() == ["shop"]


async def test_an_sqlite_file_that_cannot_be_opened_is_a_database_that_is_away(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/holdfast.db")
    with pytest.raises(StorageUnavailable):
        await SqlCallReader(database).calls()
    with pytest.raises(StorageUnavailable):
        await SqlCallStore(database).save(ended_call())
    await database.close()
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:  # one that never opened its file still tells its loop so
            await asyncio.to_thread(thread.join)


async def test_an_sqlite_file_another_program_holds_is_away_for_writers_only(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/holdfast.db"
    await migrate(url)
    database = Database(url, statement_seconds=0.05)
    other = sqlite3.connect(tmp_path / "holdfast.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable):
        await SqlCallStore(database).save(ended_call())
    assert await SqlCallReader(database).calls() == ([], None)
    other.execute("ROLLBACK")
    await SqlCallStore(database).save(ended_call())
    other.close()
    await database.close()


@pytest.mark.postgres
async def test_a_server_that_takes_the_call_but_never_answers_is_given_up_in_time() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    mute = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = mute.sockets[0].getsockname()[1]
    database = Database(f"postgresql+asyncpg://nobody@127.0.0.1:{port}/x", connect_seconds=0.2)
    began = time.monotonic()
    with pytest.raises(StorageUnavailable):
        await SqlCallReader(database).calls()
    assert time.monotonic() - began < 5.0
    await database.close()
    mute.close()


async def test_the_message_of_a_refused_statement_holds_no_data(database: Database) -> None:
    async with database.write() as session:
        with pytest.raises(DBAPIError) as refused:
            await session.execute(text("SELECT :secret FROM nowhere"), {"secret": "+15550100"})
        await session.rollback()
    assert "+15550100" not in str(refused.value)
