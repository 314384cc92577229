import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from core.ports.call_log import CallEvent, StoredEvent
from storage.database import Database
from storage.feed import SqlCallFeed
from storage.models import Call
from storage.tail import FeedTail


def line(call_id: str, n: int) -> CallEvent:
    return CallEvent(call_id, "problem", float(n), {"what": str(n)})


async def take(lines: AsyncIterator[StoredEvent], count: int) -> list[StoredEvent]:
    """The next so many lines; pytest's time limit ends a wait that is in vain."""
    return [await anext(lines) for _ in range(count)]


@pytest.fixture
async def tail(database: Database) -> AsyncIterator[FeedTail]:
    tail = FeedTail(database, kept=50)
    yield tail
    await tail.close()


async def test_a_follower_sees_old_lines_and_then_new_ones(feed: SqlCallFeed, tail: FeedTail) -> None:
    for n in range(3):
        feed.note(line("CA1", n))
    await feed.flush()
    lines = tail.follow(after=0)
    old = await take(lines, 3)
    feed.note(line("CA1", 3))
    new = await take(lines, 1)
    assert [stored.event for stored in old + new] == [line("CA1", n) for n in range(4)]
    assert await tail.last_id() == new[0].id


async def test_a_follower_of_one_call_sees_only_its_lines(feed: SqlCallFeed, tail: FeedTail) -> None:
    for n in range(20):
        feed.note(line(f"CA{n % 4}", n))
    await feed.flush()
    lines = tail.follow(after=0, call_id="CA2")
    seen = await take(lines, 5)
    feed.note(line("CA1", 90))
    feed.note(line("CA2", 91))
    seen += await take(lines, 1)
    assert [stored.event.at_ms for stored in seen] == [2, 6, 10, 14, 18, 91]


async def test_a_follower_who_comes_back_goes_on_where_it_was(feed: SqlCallFeed, tail: FeedTail) -> None:
    for n in range(5):
        feed.note(line("CA1", n))
    await feed.flush()
    first = await take(tail.follow(after=0), 2)
    rest = await take(tail.follow(after=first[-1].id), 3)
    assert [stored.event.at_ms for stored in first + rest] == [0, 1, 2, 3, 4]


async def test_a_place_beyond_the_end_counts_as_the_end(feed: SqlCallFeed, tail: FeedTail) -> None:
    feed.note(line("CA1", 0))
    await feed.flush()
    lines = tail.follow(after=1_000_000)  # remembered from a database that is no more
    waiting = asyncio.ensure_future(anext(lines))
    await tail.last_id()  # after the follower's own look: requests queue up in order
    while not waiting.done():
        feed.note(line("CA1", 1))
        await feed.flush()
        await asyncio.wait([waiting], timeout=0.5)
    assert (await waiting).event.at_ms == 1


async def test_a_slow_follower_misses_nothing_that_memory_has_forgotten(feed: SqlCallFeed, tail: FeedTail) -> None:
    slow, quick = tail.follow(after=0), tail.follow(after=0)
    feed.note(line("CA1", 0))
    seen = await take(slow, 1)
    for n in range(1, 1_200):  # memory holds 50, a page 500
        feed.note(line("CA1", n))
    await take(quick, 1_200)
    seen += await take(slow, 1_199)
    assert [stored.event.at_ms for stored in seen] == list(range(1_200))


async def test_two_feeds_and_one_tail_every_line_once_and_in_order(database: Database, tail: FeedTail) -> None:
    feeds = [SqlCallFeed(database, batch=7, linger_seconds=0.0) for _ in range(2)]
    lines = tail.follow(after=0)
    for feed in feeds:
        feed.start()

    async def write(feed: SqlCallFeed, call_id: str) -> None:
        for n in range(300):
            feed.note(line(call_id, n))
            if n % 11 == 0:
                await asyncio.sleep(0)
            if n % 50 == 0:
                await feed.flush()

    _, _, seen = await asyncio.gather(write(feeds[0], "CA0"), write(feeds[1], "CA1"), take(lines, 600))
    for feed in feeds:
        await feed.close()
    for call_id in ("CA0", "CA1"):
        assert [stored.event.at_ms for stored in seen if stored.event.call_id == call_id] == list(range(300))
    ids = [stored.id for stored in seen]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
async def test_a_line_with_an_earlier_id_that_commits_later_is_not_skipped(database: Database, tail: FeedTail) -> None:
    slow, quick = (SqlCallFeed(database, linger_seconds=0.0) for _ in range(2))
    slow.start()
    quick.start()
    lines = tail.follow(after=0)
    first = asyncio.ensure_future(anext(lines))
    async with database.write() as session:
        session.add(Call(call_id="CA-slow", started_ms=0.0))
        await session.flush()  # the slow feed must wait for us to add this call, its line inserted but not committed
        slow.note(CallEvent("CA-slow", "phase", 0.0, {"phase": "live"}))
        await _somebody_waits_for_a_lock(database)
        quick.note(line("CA-quick", 1))
        await asyncio.wait([first], timeout=0.5)
    seen = [await first, *await take(lines, 1)]
    assert {stored.event.call_id for stored in seen} == {"CA-slow", "CA-quick"}
    await asyncio.gather(slow.close(), quick.close())


async def _somebody_waits_for_a_lock(database: Database) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with database.engine.connect() as connection:
        while not await connection.scalar(waiting):
            await connection.rollback()


async def test_closing_ends_all_followers(feed: SqlCallFeed, tail: FeedTail) -> None:
    async def follow() -> list[StoredEvent]:
        return [stored async for stored in tail.follow(after=0)]

    followers = [asyncio.create_task(follow()) for _ in range(3)]
    feed.note(line("CA1", 0))
    await take(tail.follow(after=0), 1)
    await tail.close()
    for lines in await asyncio.gather(*followers):
        assert len(lines) <= 1
