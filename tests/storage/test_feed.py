import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from core.contracts.call import Direction
from core.outcome import Disposition
from core.ports.call_log import CallEvent
from storage.calls import SqlCallReader, SqlCallStore
from storage.database import Database
from storage.feed import SqlCallFeed
from storage.models import Call, EventLine
from tests.storage.records import ended_call


def line(kind: str, at_ms: float = 1.0, call_id: str = "CA1", **data: Any) -> CallEvent:
    return CallEvent(call_id, kind, at_ms, data)


def opening(at_ms: float = 1.0, call_id: str = "CA1") -> CallEvent:
    numbers = {"caller_number": "+15550100", "our_number": "+12025550142"}
    return line("call_started", at_ms, call_id, direction=Direction.OUTBOUND, playbook="shop@1", **numbers)


async def kept(database: Database) -> list[CallEvent]:
    async with database.read() as session:
        lines = await session.scalars(select(EventLine).order_by(EventLine.id))
        return [CallEvent(row.call_id, row.kind, row.at_ms, row.data) for row in lines]


async def test_lines_are_kept_in_the_order_they_were_noted(feed: SqlCallFeed, database: Database) -> None:
    noted = [line("problem", float(n), what=f"{n}") for n in range(450)]
    for event in noted:
        feed.note(event)
    await feed.flush()
    assert await kept(database) == noted
    assert (feed.waiting, feed.dropped) == (0, 0)


async def test_a_live_call_looks_as_its_lines_tell(feed: SqlCallFeed, reader: SqlCallReader) -> None:
    for event in (
        opening(10.0),
        line("phase", 11.0, phase="dialling"),
        line("phase", 20.0, phase="live"),
        line("assistant_said", 21.0, turn=0, part=0, heard="Hello.", complete=True, interrupted=False),
        line("step_found", 28.0, turn=1, step="goodbye", method="model", confidence=0.7, choices=["goodbye"]),
        line("mood", 28.5, turn=1, mood="angry"),
        line("turn_withdrawn", 29.0, turn=1),
        line("caller_turn", 30.0, turn=1, text="Where is my order?", confidence=0.9),
        line("step_found", 31.0, turn=1, step="find_order", method="lexical", confidence=0.8, matters=["returns"]),
        line("tool_called", 32.0, turn=1, name="look_up", arguments={"order": "1"}),
        line("tool_called", 33.0, turn=1, name="look_up", arguments={"order": "1"}),  # the activity's second attempt
        line("tool_returned", 34.0, turn=1, name="look_up", ok=True, content="{}", took_ms=80),
        line("tool_called", 35.0, turn=1, name="still_running", arguments={}),
        line("reply_started", 36.0, turn=1, layers={"hop": 12.5}, latency_ms=12.5),
        line("assistant_said", 37.0, turn=1, part=0, heard="One", complete=False, interrupted=True),
        line("assistant_said", 38.0, turn=1, part=0, heard="One moment.", played_ms=900, talk_over_ms=0),
        line("assistant_said", 39.0, turn=1, part=1, heard="It is", interrupted=True, played_ms=400, talk_over_ms=80),
        line("step_found", 40.0, turn=2, step="find_order", method="lexical", confidence=0.8, took_ms=2.0),  # ahead
    ):
        feed.note(event)
    await feed.flush()

    found = await reader.call("CA1")
    assert found is not None
    row, (greeting, question) = found
    assert (row.direction, row.playbook, row.caller_number) == (Direction.OUTBOUND, "shop@1", "+15550100")
    assert (row.phase, row.step, row.turns) == ("live", "find_order", 1)
    assert (row.started_ms, row.answered_ms, row.ended_ms) == (10.0, 20.0, None)
    assert greeting.heard == "Hello."
    assert (question.caller, question.confidence, question.started_ms) == ("Where is my order?", 0.9, 30.0)
    assert (question.step, question.step_method, question.step_confidence) == ("find_order", "lexical", 0.8)
    assert (question.matters, question.choices) == (("find_order", "returns"), ())
    assert question.mood == ""
    assert (question.heard, question.interrupted) == ("One moment. It is", True)
    assert (question.played_ms, question.talk_over_ms) == (1_300, 80)
    assert question.layers == {"hop": 12.5}
    assert [(tool.call.name, tool.call.arguments, tool.ok) for tool in question.tools] == [
        ("look_up", {"order": "1"}, True)
    ]
    assert (await reader.calls(live=True))[0] == [row]


async def test_lines_of_two_processes_in_any_order_come_to_the_same(feed: SqlCallFeed, reader: SqlCallReader) -> None:
    told = [opening(10.0), line("phase", 20.0, phase="live"), line("call_ended", 30.0, disposition="completed")]
    for call_id, order in (("CA1", (0, 1, 2)), ("CA2", (2, 1, 0)), ("CA3", (1, 2, 0))):
        for place in order:
            feed.note(CallEvent(call_id, told[place].kind, told[place].at_ms, told[place].data))
        await feed.flush()
    for row in (await reader.calls())[0]:
        assert (row.phase, row.started_ms, row.answered_ms, row.ended_ms) == ("ended", 10.0, 20.0, 30.0)
        assert (row.disposition, row.playbook) == (Disposition.COMPLETED, "shop@1")


async def test_a_record_is_not_changed_by_lines_that_come_late(
    feed: SqlCallFeed, store: SqlCallStore, reader: SqlCallReader
) -> None:
    await store.save(ended_call())
    before = await reader.call("CA1")
    feed.note(opening())
    feed.note(line("phase", 1e12, phase="live"))
    feed.note(line("caller_turn", turn=1, text="late", confidence=1.0))
    await feed.flush()
    assert await reader.call("CA1") == before


async def test_what_the_feed_told_is_replaced_by_the_record(
    feed: SqlCallFeed, store: SqlCallStore, reader: SqlCallReader
) -> None:
    feed.note(opening())
    feed.note(line("caller_turn", turn=5, text="misheard", confidence=0.1))
    await feed.flush()
    await store.save(ended_call())
    found = await reader.call("CA1")
    assert found is not None
    assert tuple(found[1]) == ended_call().turns


async def test_one_bad_line_is_dropped_and_the_others_are_kept(feed: SqlCallFeed, database: Database) -> None:
    feed.note(line("problem", what="before"))
    feed.note(line("problem", what=object()))
    feed.note(line("phase"))  # without its phase
    feed.note(line("problem", what="nul \x00 inside"))
    await feed.flush()
    assert [event.data["what"] for event in await kept(database)] == ["before", "nul  inside"]
    assert feed.dropped == 2


async def test_a_line_the_database_took_without_saying_so_is_kept_once(database: Database) -> None:
    feed = SqlCallFeed(database)
    lines = [(1, line("problem", what="a")), (2, line("problem", what="b"))]
    await feed._write(lines)
    await feed._write([*lines, (3, line("problem", what="c"))])
    assert [event.data["what"] for event in await kept(database)] == ["a", "b", "c"]


async def test_closing_writes_what_waits(database: Database) -> None:
    feed = SqlCallFeed(database, linger_seconds=3_600)
    feed.start()
    feed.note(line("problem", what="last words"))
    await feed.close()
    assert len(await kept(database)) == 1


@pytest.fixture
async def locked(database: Database) -> AsyncIterator[asyncio.Event]:
    """Nobody can write until the event is set."""
    release, held = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with database.write() as session:
            session.add(Call(call_id="held", started_ms=0.0))
            await session.flush()
            if database.on_postgresql:
                await (await session.connection()).exec_driver_sql("LOCK TABLE call_events IN EXCLUSIVE MODE")
            held.set()
            await release.wait()

    task = asyncio.create_task(hold())
    await held.wait()
    yield release
    release.set()
    await task


async def test_noting_never_waits_and_the_oldest_lines_give_way(database: Database, locked: asyncio.Event) -> None:
    feed = SqlCallFeed(database, capacity=10, linger_seconds=0.0)
    feed.start()
    for n in range(25):
        feed.note(line("problem", what=n))
    assert (feed.waiting, feed.dropped) == (10, 15)
    locked.set()
    await feed.close()
    assert [event.data["what"] for event in await kept(database)] == list(range(15, 25))


async def test_closing_at_once_after_a_flush_ends_the_feed(database: Database) -> None:
    for n in range(20):
        feed = SqlCallFeed(database, linger_seconds=0.001)
        feed.start()
        flushed = asyncio.create_task(feed.flush())
        while not flushed.done():  # lines come while others are being written
            if n > 0:
                feed.note(line("problem", what=n))
                n -= 1
            await asyncio.sleep(0)
        await feed.flush()
        await feed.close()
        assert feed.waiting == 0
