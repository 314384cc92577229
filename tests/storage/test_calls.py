import asyncio
import base64
from dataclasses import replace

import pytest
from sqlalchemy import select

from core.contracts.call import CallSummary, Phase
from core.conversation import Usage
from core.costs import costs_of, costs_of_model
from core.outcome import Disposition
from core.ports.call_log import CallEvent
from storage.calls import SqlCallReader, SqlCallStore
from storage.database import Database
from storage.feed import SqlCallFeed
from storage.models import Cost, ToolRun
from tests.storage.records import GREETING, QUESTION, ended_call

SUMMARY = CallSummary("Asked for an order.", "delivery", True, "none")


async def test_a_saved_call_reads_back_as_its_workflow_knew_it(store: SqlCallStore, reader: SqlCallReader) -> None:
    record = ended_call()
    await store.save(record)
    found = await reader.call("CA1")
    assert found is not None
    row, turns = found
    assert tuple(turns) == record.turns
    assert (row.call_id, row.playbook, row.tenant) == ("CA1", record.call.playbook.ref, "acme")
    assert (row.started_ms, row.answered_ms, row.ended_ms) == (500.125, 1_000.0, 62_000.0)
    assert (row.disposition, row.phase, row.step, row.turns) == (Disposition.COMPLETED, "ended", "find_order", 1)
    assert row.talk_over_rate == 140 / 1_640


async def test_a_voice_that_stood_in_is_on_record(store: SqlCallStore, reader: SqlCallReader) -> None:
    stood_in = replace(QUESTION, usage=replace(QUESTION.usage, voice="deepgram aura-2-thalia-en"))
    await store.save(ended_call(turns=(GREETING, stood_in)))
    found = await reader.call("CA1")
    assert found is not None
    assert tuple(found[1]) == (GREETING, stood_in)


async def test_saving_again_leaves_what_the_newer_record_says(
    store: SqlCallStore, reader: SqlCallReader, database: Database
) -> None:
    await store.save(ended_call())
    shorter = ended_call(turns=(replace(QUESTION, tools=QUESTION.tools[:1], heard=QUESTION.said),))
    await asyncio.gather(*(store.save(shorter) for _ in range(3)))
    found = await reader.call("CA1")
    assert found is not None
    assert tuple(found[1]) == shorter.turns
    async with database.read() as session:
        assert len((await session.scalars(select(ToolRun))).all()) == 1


async def test_summary_and_note_stay_when_the_record_comes_after_them(
    store: SqlCallStore, reader: SqlCallReader
) -> None:
    await store.save_summary("CA1", SUMMARY, Usage())
    await store.save_crm_note("CA1", "note-7")
    await store.save_crm_note("CA1", "note-7")
    await store.save(ended_call())
    (row,), _ = await reader.calls()
    assert (row.summary, row.crm_note, row.started_ms) == (SUMMARY, "note-7", 500.125)


async def test_a_late_attempt_at_an_earlier_state_does_not_reopen_the_call(
    store: SqlCallStore, reader: SqlCallReader
) -> None:
    await store.save(ended_call())
    await store.save(ended_call(phase=Phase.LIVE, disposition=None, ended_ms=None))
    (row,), _ = await reader.calls(live=False)
    assert row.disposition is Disposition.COMPLETED


async def test_the_bill_is_kept_line_by_line(store: SqlCallStore, reader: SqlCallReader, database: Database) -> None:
    record = ended_call()
    await store.save(record)
    await store.save(record)
    async with database.read() as session:
        kept = [
            (cost.vendor, cost.item, cost.unit, cost.quantity, cost.usd)
            for cost in await session.scalars(select(Cost).order_by(Cost.ordinal))
        ]
    assert kept == [(line.vendor, line.item, line.unit, line.quantity, line.usd) for line in costs_of(record)]
    (row,), _ = await reader.calls()
    assert row.cost_usd == pytest.approx(sum(line.usd for line in costs_of(record)))


async def test_the_summary_is_on_the_bill_once_and_stays_there(
    store: SqlCallStore, reader: SqlCallReader, database: Database
) -> None:
    record = ended_call()
    usage = Usage("claude-haiku-4-5", input_tokens=3_000, output_tokens=200)
    await store.save(record)
    await store.save_summary("CA1", SUMMARY, usage)
    await store.save_summary("CA1", SUMMARY, usage)
    await store.save(record)  # a late attempt
    lines = [*costs_of(record), *costs_of_model(usage)]
    async with database.read() as session:
        kept = [(cost.item, cost.quantity) for cost in await session.scalars(select(Cost).order_by(Cost.ordinal))]
    assert kept == [(line.item, line.quantity) for line in lines]
    (row,), _ = await reader.calls()
    assert row.cost_usd == pytest.approx(sum(line.usd for line in lines))


async def test_what_a_database_cannot_hold_is_cleaned_not_refused(store: SqlCallStore, reader: SqlCallReader) -> None:
    turn = replace(QUESTION, caller="nul \x00 and half \ud83d", tools=(), layers={"hop": float("nan"), "step": 1.0})
    await store.save(ended_call(turns=(turn,)))
    found = await reader.call("CA1")
    assert found is not None
    assert found[1][0].caller == "nul  and half ?"
    assert found[1][0].layers == {"hop": None, "step": 1.0}


async def test_an_unknown_call_is_none(reader: SqlCallReader) -> None:
    assert await reader.call("CA-none") is None
    assert await reader.calls() == ([], None)


async def test_pages_go_from_new_to_old_and_bear_new_calls(store: SqlCallStore, reader: SqlCallReader) -> None:
    for number in range(7):  # pairs that began in the same moment
        await store.save(ended_call(f"CA{number}", started_ms=float(number // 2), turns=(GREETING,)))
    seen: list[str] = []
    cursor: str | None = None
    for page in range(4):
        rows, cursor = await reader.calls(before=cursor, limit=2)
        seen += [row.call_id for row in rows]
        await store.save(ended_call(f"CA-new{page}", started_ms=100.0 + page))
    assert seen == ["CA6", "CA5", "CA4", "CA3", "CA2", "CA1", "CA0"]
    assert cursor is None


async def test_live_and_ended_calls_are_listed_apart(
    store: SqlCallStore, reader: SqlCallReader, feed: SqlCallFeed
) -> None:
    await store.save(ended_call("CA-ended"))
    feed.note(CallEvent("CA-live", "phase", 9.0, {"phase": "live"}))
    await feed.flush()
    assert [row.call_id for row in (await reader.calls(live=True))[0]] == ["CA-live"]
    assert [row.call_id for row in (await reader.calls(live=False))[0]] == ["CA-ended"]
    assert len((await reader.calls())[0]) == 2


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "%%%",
        "é",
        *(base64.urlsafe_b64encode(text).decode() for text in (b"[1]", b'["a",1]', b"{}", b"\xff", b'[true,"a"]')),
    ],
)
async def test_a_cursor_that_is_none_of_ours_is_refused(reader: SqlCallReader, cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        await reader.calls(before=cursor)


async def test_a_cursor_of_strange_letters_only_finds_nothing(store: SqlCallStore, reader: SqlCallReader) -> None:
    await store.save(ended_call())
    cursor = base64.urlsafe_b64encode(rb'[0, "\u0000\ud800"]').decode()
    assert await reader.calls(before=cursor) == ([], None)


async def test_earlier_calls_of_a_caller_are_told_newest_first_and_nobody_elses(store: SqlCallStore) -> None:
    first = ended_call()
    for place, name in enumerate(("CA1", "CA2", "CA3", "CA4")):
        call = replace(first.call, call_id=name, caller_number="+12025550199" if name == "CA4" else "+12025550123")
        await store.save(replace(first, call=call, started_ms=1_000.0 * place))
        await store.save_summary(name, replace(SUMMARY, summary=name), Usage())
    earlier = await store.earlier_calls("+12025550123", tenant="acme", but="CA3", limit=2)
    assert [call.summary.summary for call in earlier] == ["CA2", "CA1"]
    assert earlier[0].ended_ms == 62_000.0
    assert len(await store.earlier_calls("+12025550123", tenant="acme", but="", limit=1)) == 1
    assert await store.earlier_calls("+12025550123", tenant="other", but="", limit=2) == []
