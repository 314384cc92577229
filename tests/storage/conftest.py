"""A migrated database and the parts on it."""

from collections.abc import AsyncIterator

import pytest

from storage.calls import SqlCallReader, SqlCallStore
from storage.database import Database
from storage.feed import SqlCallFeed
from storage.migrate import migrate


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url)
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def feed(database: Database) -> AsyncIterator[SqlCallFeed]:
    feed = SqlCallFeed(database, linger_seconds=0.01, retry_seconds=0.02)
    feed.start()
    yield feed
    await feed.close()


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[SqlCallReader]:
    reader = SqlCallReader(database)
    yield reader
    await reader.close()


@pytest.fixture
def store(database: Database) -> SqlCallStore:
    return SqlCallStore(database)
