"""Writing the live feed: a queue in memory, emptied in the background, one transaction for many lines."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from uuid import uuid4

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.ports.call_log import CallEvent, CallFeed
from core.ports.errors import StorageUnavailable
from storage.database import Database
from storage.live import OF_CALLS, OF_TURNS, apply_to_call
from storage.models import Call, EventLine
from storage.rows import insert_new, make_sure_of
from storage.tail import CHANNEL

_KNOWN_CALLS: Final = 10_000
_LOCK: Final = 7_204_982  # one feed writes at a time, so that ids become visible in their order
_ALONE: Final = select(func.pg_advisory_xact_lock(_LOCK), func.pg_notify(CHANNEL, ""))

log = structlog.get_logger()


class SqlCallFeed(CallFeed):
    """Notes lines; ``start`` it in the process's event loop, ``close`` it at the end.

    A line is written once, even if the database took it and could not say so. While the database is away lines wait;
    beyond ``capacity`` the oldest are dropped and counted.

    Args:
        capacity: lines in memory at most.
        batch: lines of one transaction at most.
        linger_seconds: how long a line waits for company: fewer transactions, and most of the delay a viewer sees.
        retry_seconds: between tries while the database is away.
    """

    def __init__(
        self,
        database: Database,
        *,
        capacity: int = 10_000,
        batch: int = 200,
        linger_seconds: float = 0.5,
        retry_seconds: float = 1.0,
    ) -> None:
        self.dropped = 0  # lines nobody will see, since the start
        self._database = database
        self._capacity = capacity
        self._batch = batch
        self._linger_seconds = linger_seconds
        self._retry_seconds = retry_seconds
        self._source = uuid4().hex  # with its own count, what tells our lines from all others
        self._count = 0
        self._known: dict[str, None] = {}  # calls whose row is there, the newest last
        self._waiting: deque[tuple[int, CallEvent]] = deque()
        self._writing: list[tuple[int, CallEvent]] = []
        self._news = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._hurry = asyncio.Event()  # set by ``flush`` and ``close``: no lingering
        self._closed = False
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Lines not yet written."""
        return len(self._waiting) + len(self._writing)

    def note(self, event: CallEvent) -> None:
        """Queue a line. For the event loop's thread only."""
        self._count += 1
        self._waiting.append((self._count, event))
        while self._waiting and self.waiting > self._capacity:
            self._waiting.popleft()
            self._drop()
        self._empty.clear()
        self._news.set()

    def start(self) -> None:
        """Begin to write in the background."""
        self._task = asyncio.create_task(self._write_forever(), name="call-feed")

    async def flush(self) -> None:
        """Return once all that was noted before has been written or dropped."""
        self._hurry.set()
        try:
            await self._empty.wait()
        finally:
            self._hurry.clear()

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Write what waits, for so long at most, and stop."""
        if self._task is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await self.flush()
        self._closed = True  # should a driver swallow the cancellation
        self._task.cancel()
        await asyncio.wait([self._task])
        self._task = None
        if self.waiting:
            log.warning("feed_lines_lost", lines=self.waiting)

    async def _write_forever(self) -> None:
        while not self._closed:
            await self._news.wait()
            await self._pause(self._linger_seconds)
            while self._waiting and not self._closed:
                self._writing = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._batch))]
                await self._write_whatever_happens(self._writing)
                if not self._closed:
                    self._writing = []
            self._news.clear()
            self._empty.set()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()

    async def _write_whatever_happens(self, lines: Sequence[tuple[int, CallEvent]]) -> None:
        away = False
        while not self._closed:
            try:
                await self._write(lines)
                return
            except StorageUnavailable as error:
                if not away:
                    log.warning("feed_waits", error=str(error), lines=self.waiting)
                away = True
                await asyncio.sleep(self._retry_seconds)
            except Exception as error:  # noqa: BLE001  a supervisor: one bad line must not end the feed
                await self._write_singly(lines, error)
                return

    async def _write_singly(self, lines: Sequence[tuple[int, CallEvent]], error: Exception) -> None:
        if len(lines) > 1:
            for line in lines:
                await self._write_whatever_happens([line])
        else:
            log.error("feed_line_refused", kind=lines[0][1].kind, error=type(error).__name__)
            self._drop()

    async def _write(self, lines: Sequence[tuple[int, CallEvent]]) -> None:
        rows = [
            {
                "source": self._source,
                "source_seq": seq,
                "call_id": event.call_id,
                "kind": event.kind,
                "at_ms": event.at_ms,
                "data": dict(event.data),
            }
            for seq, event in lines
        ]
        first = {event.call_id: event.at_ms for _, event in reversed(lines) if event.kind in OF_CALLS | OF_TURNS}
        unknown = sorted(first.keys() - self._known.keys())
        async with self._database.write() as session:
            if self._database.on_postgresql:
                await session.execute(_ALONE)
            await session.execute(insert_new(session, EventLine), rows)
            await make_sure_of(session, Call, [{"call_id": id, "started_ms": first[id]} for id in unknown])
            await _update_calls(session, [event for _, event in lines if event.kind in OF_CALLS])
        self._know(unknown)

    def _know(self, call_ids: Sequence[str]) -> None:
        self._known |= dict.fromkeys(call_ids)
        while len(self._known) > _KNOWN_CALLS:
            del self._known[next(iter(self._known))]

    def _drop(self) -> None:
        self.dropped += 1
        if self.dropped.bit_count() == 1:  # the first, then ever more rarely
            log.warning("feed_lines_dropped", dropped=self.dropped)


async def _update_calls(session: AsyncSession, events: Sequence[CallEvent]) -> None:
    if not events:
        return
    ids = {event.call_id for event in events}
    wanted = select(Call).where(Call.call_id.in_(ids), ~Call.recorded).order_by(Call.call_id).with_for_update()
    calls = {call.call_id: call for call in await session.scalars(wanted)}
    for event in events:
        if (call := calls.get(event.call_id)) is not None:
            apply_to_call(call, event)
