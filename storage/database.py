"""The way to the database: SQLite by default, PostgreSQL by URL."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.util import await_only

from core.ports.errors import StorageUnavailable

_WRITES = "holdfast_writes"
_AWAY_CLASSES = {"08", "53", "57"}  # SQLSTATE: connection, resources, shut down or cancelled by a time limit
_RAW = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError)  # from connections used without SQLAlchemy
_AWAY_STATES = {"25P03", "25P04", "40001", "40P01", "55P03"}  # timed out in a transaction; lost against another writer


class Database:
    """One engine with its pool; close it at the end of the process.

    Args:
        url: "sqlite+aiosqlite:///file.db" or "postgresql+asyncpg://user@host/name".
        pool_size: connections kept (PostgreSQL); twice as many more in a rush.
        connect_seconds: until a server that does not answer counts as away.
        statement_seconds: until a statement does; on SQLite, how long to wait for the one writer before us.
    """

    def __init__(
        self, url: str, *, pool_size: int = 5, connect_seconds: float = 3.0, statement_seconds: float = 5.0
    ) -> None:
        if url.startswith("sqlite"):
            self.engine = _sqlite_engine(url, statement_seconds)
        else:
            self.engine = _postgresql_engine(url, pool_size, connect_seconds, statement_seconds)
        self.writer = self.engine.execution_options(**{_WRITES: True})

    @property
    def on_postgresql(self) -> bool:
        """Whether this is PostgreSQL; else it is SQLite."""
        return self.engine.dialect.name == "postgresql"

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for one look. Raises StorageUnavailable."""
        with storage_failures():
            async with AsyncSession(self.engine, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session for one transaction, committed at the end of the block. Raises StorageUnavailable."""
        with storage_failures():
            async with AsyncSession(self.writer, expire_on_commit=False) as session, session.begin():
                yield session

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


@contextmanager
def storage_failures() -> Iterator[None]:
    """Turn what a driver raises when its database is away into StorageUnavailable; faults of ours pass through."""
    try:
        yield
    except DBAPIError as error:
        if is_away(error):
            raise StorageUnavailable(f"database: {_reason(error)}") from error
        raise
    except (OSError, TimeoutError, PoolTimeoutError, *_RAW) as error:
        raise StorageUnavailable(f"database: {type(error).__name__}") from error


def is_away(error: DBAPIError) -> bool:
    """Whether the database, not the statement, is to blame, so that a later try may succeed."""
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in _AWAY_STATES or state[:2] in _AWAY_CLASSES
    # SQLite has no states: locked, full, unreadable and missing files are operational errors.
    return isinstance(error, OperationalError) and not isinstance(error, IntegrityError)


def _reason(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or type(error.orig).__name__)


def _postgresql_engine(url: str, pool_size: int, connect_seconds: float, statement_seconds: float) -> AsyncEngine:
    # A writer that hangs in a transaction would hold the feed's lock: the server ends it.
    limits = {
        "idle_in_transaction_session_timeout": str(int(2_000 * statement_seconds)),
        "lock_timeout": str(int(1_000 * statement_seconds)),
        "statement_timeout": str(int(1_000 * statement_seconds)),
    }
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=2 * pool_size,
        pool_timeout=connect_seconds,
        pool_pre_ping=True,
        pool_recycle=1_800,
        hide_parameters=True,
        connect_args={
            "timeout": connect_seconds,
            "command_timeout": statement_seconds + 1,
            "server_settings": limits | {"application_name": "holdfast"},
        },
    )


def _sqlite_engine(url: str, busy_seconds: float) -> AsyncEngine:
    engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": busy_seconds})
    event.listen(engine.sync_engine, "connect", partial(_prepare_sqlite, busy_seconds))
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(busy_seconds: float, connection: Any, _: object) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    cursor = connection.cursor()
    _keep_a_log(cursor, time.monotonic() + busy_seconds)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _keep_a_log(cursor: Any, until: float) -> None:
    """Readers and the writer go side by side. SQLite itself does not wait here for others that open a new file."""
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            await_only(asyncio.sleep(0.01))


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and then writes cannot wait for another writer, so writers queue up at once.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
