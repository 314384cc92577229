"""Following the live feed: one poller a process, however many look on."""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import structlog
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.ports.call_log import CallEvent, StoredEvent
from core.ports.errors import StorageUnavailable
from storage.database import Database, storage_failures
from storage.models import EventLine

CHANNEL: Final = "holdfast_call_events"

_PAGE = 500
_Lines = Select[int, str, str, float, dict[str, Any]]

log = structlog.get_logger()


class FeedTail:
    """Reads new lines once and shows them to every follower.

    Followers who are close behind read from memory, others from SQL, so a slow one costs no memory and loses nothing.
    No line can be missed: feeds write under one lock, so ids become visible in their order (see storage/feed.py).

    Args:
        poll_seconds: how often to look on SQLite, and on PostgreSQL while it cannot be listened to.
        listening_poll_seconds: how often to look on PostgreSQL all the same, should a notice get lost.
        kept: lines in memory.
    """

    def __init__(
        self,
        database: Database,
        *,
        poll_seconds: float = 0.2,
        listening_poll_seconds: float = 2.0,
        kept: int = 2_000,
    ) -> None:
        self._database = database
        self._poll_seconds = poll_seconds
        self._listening_poll_seconds = listening_poll_seconds
        self._kept = kept
        self._recent: list[StoredEvent] = []  # all lines after _floor, up to _head
        self._floor = 0
        self._head = 0
        self._news = asyncio.Event()  # replaced with each batch of news
        self._followers = 0
        self._pump: asyncio.Task[None] | None = None
        self._look = asyncio.Event()  # a reason to look: news, a lost connection, a change of followers
        self._closed = False

    async def follow(self, *, after: int, call_id: str | None = None) -> AsyncIterator[StoredEvent]:
        """Lines with a greater id, as they come. An ``after`` beyond the feed's end counts as its end.

        Raises StorageUnavailable at the start; later the line goes quiet until the database is back.
        """
        end = await self.last_id()
        position = min(after, end)
        with self._following(end):
            while not self._closed:
                lines, position = await self._after(position, call_id)
                for line in lines:
                    yield line

    async def last_id(self) -> int:
        """The feed's end as it is now; 0 when empty. Raises StorageUnavailable."""
        async with self._database.read() as session:
            return (await session.scalar(select(func.max(EventLine.id)))) or 0

    async def close(self) -> None:
        """Stop looking; all followers' lines end."""
        self._closed = True
        self._look.set()
        self._tell()
        if self._pump is not None:
            await asyncio.wait([self._pump])

    @contextmanager
    def _following(self, end: int) -> Iterator[None]:
        self._followers += 1
        if self._pump is None:
            self._recent, self._floor, self._head = [], end, end
            self._pump = asyncio.create_task(self._look_out(), name="feed-tail")
        try:
            yield
        finally:
            self._followers -= 1
            self._look.set()  # with nobody left the pump stops by itself, never in the middle of a query

    async def _after(self, position: int, call_id: str | None) -> tuple[list[StoredEvent], int]:
        while position >= self._head and not self._closed:
            await self._news.wait()
        head = self._head
        if position >= self._floor:
            lines = self._recent[bisect_right(self._recent, position, key=lambda line: line.id) :]
            return [line for line in lines if call_id in (None, line.event.call_id)], head
        wanted = _lines().where(EventLine.id > position, EventLine.id <= head)
        if call_id is not None:
            wanted = wanted.where(EventLine.call_id == call_id)
        try:
            page = await self._read(wanted)
        except StorageUnavailable:
            await asyncio.sleep(self._poll_seconds)
            return [], position
        return page, page[-1].id if len(page) == _PAGE else head

    async def _look_out(self) -> None:
        listener = _Listener(self._database, self._look)
        away = False
        try:
            while self._followers and not self._closed:
                self._look.clear()
                try:
                    await listener.listen()
                    await self._read_news()
                    away = False
                except StorageUnavailable as error:
                    if not away:
                        log.warning("feed_unreadable", error=str(error))
                    away = True
                quiet = self._listening_poll_seconds if listener.listening else self._poll_seconds
                with suppress(TimeoutError):
                    async with asyncio.timeout(quiet):
                        await self._look.wait()
        finally:
            self._pump = None
            await listener.close()

    async def _read_news(self) -> None:
        page: list[StoredEvent] | None = None
        while page is None or len(page) == _PAGE:
            page = await self._read(_lines().where(EventLine.id > self._head))
            if not page:
                return
            self._recent += page
            self._head = page[-1].id
            if (too_many := len(self._recent) - self._kept) > 0:
                self._floor = self._recent[too_many - 1].id
                del self._recent[:too_many]
            self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _read(self, wanted: _Lines) -> list[StoredEvent]:
        async with self._database.read() as session:
            return [
                StoredEvent(id, CallEvent(call_id, kind, at_ms, data))
                for id, call_id, kind, at_ms, data in await session.execute(wanted)
            ]


class _Listener:
    """Hears PostgreSQL's notices on a connection of its own; on SQLite it hears nothing."""

    def __init__(self, database: Database, heard: asyncio.Event) -> None:
        self._database = database
        self._heard = heard
        self._connection: AsyncConnection | None = None
        self._driver: Any = None  # asyncpg brings no types

    @property
    def listening(self) -> bool:
        """Whether notices will come."""
        return self._driver is not None and not self._driver.is_closed()

    async def listen(self) -> None:
        """Listen, once more if the connection is gone. Raises StorageUnavailable."""
        if self.listening or not self._database.on_postgresql:
            return
        await self.close()
        with storage_failures():
            self._connection = await self._database.engine.connect()
            raw = await self._connection.get_raw_connection()
            self._driver = raw.driver_connection
            await self._driver.add_listener(CHANNEL, self._hear)
            self._driver.add_termination_listener(self._hear)

    async def close(self) -> None:
        """Give the connection up: it is not to be used for anything else."""
        connection, self._connection, self._driver = self._connection, None, None
        if connection is not None:
            await connection.invalidate()
            await connection.close()

    def _hear(self, *_: object) -> None:
        self._heard.set()


def _lines() -> _Lines:
    line = EventLine
    return select(line.id, line.call_id, line.kind, line.at_ms, line.data).order_by(line.id).limit(_PAGE)
