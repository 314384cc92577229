"""The record of calls: written when a call has ended, read by API and console."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Double, delete, func, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.contracts.call import CallRecord, CallSummary, Phase
from core.conversation import TurnRecord, Usage
from core.costs import LIST_PRICES, CostLine, Price, costs_of, costs_of_model
from core.ports.call_log import CallEvent, CallReader, CallRow, CallStore, EarlierCall, StoredEvent
from storage.attempts import close_attempt_of
from storage.cursors import cursor_of, place_of
from storage.database import Database
from storage.live import OF_GLIMPSES, Glimpse, glimpse_of, turns_so_far
from storage.models import AfterCall, Call, CleanText, Cost, EventLine, ToolRun, Turn
from storage.rows import call_row, fill_call, lock_call, tool_rows, turn_record, turn_row
from storage.step_examples import save_examples
from storage.tail import FeedTail
from storage.transfers import save_transfers, transfers_of, transfers_so_far

MAX_PAGE: Final = 500
BILL_OF_CALL: Final = range(100)  # places on a call's bill: the call itself, written anew with each record,
BILL_OF_SUMMARY: Final = range(100, 110)  # and what came after it
BILL_OF_FIELDS: Final = range(110, 120)
BILL_OF_AUDIT: Final = range(120, 130)


class SqlCallStore(CallStore):
    """Writes records; each method is one transaction. All raise StorageUnavailable."""

    def __init__(self, database: Database, prices: Sequence[Price] = LIST_PRICES) -> None:
        self._database = database
        self._prices = prices

    async def save(self, record: CallRecord) -> None:
        """Make SQL equal to the record. After an ended call's record the feed changes the call no more."""
        call_id = record.call.call_id
        ended = record.phase is Phase.ENDED
        lines = costs_of(record, self._prices)
        async with self._database.write() as session:
            call = await lock_call(session, call_id, record.started_ms)
            if call.recorded and not ended:
                return  # a late attempt: the end is known already
            fill_call(call, record)
            call.recorded = ended
            await session.execute(delete(Turn).where(Turn.call_id == call_id))  # takes the tool calls along
            await _put_on_bill(session, call, lines, BILL_OF_CALL)
            await save_transfers(session, record)
            if ended:
                await save_examples(session, record)
                await close_attempt_of(session, record)
            session.add_all(turn_row(call_id, turn) for turn in record.turns)
            await session.flush()
            session.add_all(row for turn in record.turns for row in tool_rows(call_id, turn))

    async def save_summary(self, call_id: str, summary: CallSummary, usage: Usage) -> None:
        """Keep the summary, and what it took."""
        async with self._database.write() as session:
            call = await lock_call(session, call_id, 0.0)
            call.summary, call.topic = summary.summary, summary.topic
            call.resolved, call.follow_up = summary.resolved, summary.follow_up
            call.sentiment = summary.sentiment or None
            await _put_on_bill(session, call, costs_of_model(usage, self._prices), BILL_OF_SUMMARY)

    async def save_extraction(self, call_id: str, usage: Usage) -> None:
        """Put what it took on the bill; the fields themselves are part of what followed the call."""
        async with self._database.write() as session:
            call = await lock_call(session, call_id, 0.0)
            await _put_on_bill(session, call, costs_of_model(usage, self._prices), BILL_OF_FIELDS)

    async def save_audit(self, call_id: str, usage: Usage) -> None:
        """Put what it took on the bill; the verdicts are kept apart."""
        async with self._database.write() as session:
            call = await lock_call(session, call_id, 0.0)
            await _put_on_bill(session, call, costs_of_model(usage, self._prices), BILL_OF_AUDIT)

    async def earlier_calls(self, caller_number: str, *, tenant: str, but: str, limit: int) -> Sequence[EarlierCall]:
        """The last calls with this person that were summed up, newest first."""
        wanted = (
            select(Call)
            .where(Call.caller_number == caller_number, Call.tenant == tenant, Call.call_id != but)
            .where(Call.summary.is_not(None), Call.ended_ms.is_not(None))
            .order_by(Call.started_ms.desc())
            .limit(limit)
        )
        async with self._database.read() as session:
            rows = [call_row(call) for call in await session.scalars(wanted)]
        return [EarlierCall(row.ended_ms or 0.0, row.summary) for row in rows if row.summary is not None]

    async def save_crm_note(self, call_id: str, note_id: str) -> None:
        """Keep where the CRM put the call, and let later calls of the same person follow."""
        async with self._database.write() as session:
            call = await lock_call(session, call_id, 0.0)
            call.crm_note = note_id
            await session.execute(update(AfterCall).where(AfterCall.call_id == call_id).values(awaits_crm=False))


class SqlCallReader(CallReader):
    """Reads calls and follows the feed; ``close`` ends its tail. All raise StorageUnavailable."""

    def __init__(self, database: Database, tail: FeedTail | None = None) -> None:
        self._database = database
        self._tail = tail or FeedTail(database)

    async def calls(
        self, *, live: bool | None = None, before: str | None = None, limit: int = 50
    ) -> tuple[Sequence[CallRow], str | None]:
        """Newest first, at most 500 at once, and the cursor of the next page."""
        limit = max(1, min(limit, MAX_PAGE))
        wanted = select(Call).order_by(Call.started_ms.desc(), Call.call_id.desc()).limit(limit + 1)
        if live is not None:
            ended = Call.phase == Phase.ENDED.value
            wanted = wanted.where(~ended if live else ended)
        if before is not None:
            started_ms, call_id = place_of(before)
            place = tuple_(literal(started_ms, Double), literal(call_id, CleanText))
            wanted = wanted.where(tuple_(Call.started_ms, Call.call_id) < place)
        async with self._database.read() as session:
            rows = (await session.scalars(wanted)).all()
            now = await _so_far(session, [row.call_id for row in rows[:limit] if not row.recorded])
        page = [call_row(row, now.get(row.call_id)) for row in rows[:limit]]
        return page, cursor_of(page[-1].started_ms, page[-1].call_id) if len(rows) > limit else None

    async def call(self, call_id: str) -> tuple[CallRow, Sequence[TurnRecord]] | None:
        """One call with its turns, in order."""
        async with self._database.read() as session:
            call = await session.get(Call, call_id)
            if call is None:
                return None
            if not call.recorded:
                lines = await _lines_of(session, call_id)
                now = await _so_far(session, [call_id])
                row = call_row(call, now.get(call_id))
                return replace(row, transfers=transfers_so_far(lines)), turns_so_far(lines)
            turns = await session.scalars(select(Turn).where(Turn.call_id == call_id).order_by(Turn.turn))
            runs = await session.scalars(select(ToolRun).where(ToolRun.call_id == call_id).order_by(ToolRun.ordinal))
            tools: dict[int, list[ToolRun]] = defaultdict(list)
            for run in runs:
                tools[run.turn].append(run)
            row = replace(call_row(call), transfers=await transfers_of(session, call_id))
            return row, [turn_record(turn, tools[turn.turn]) for turn in turns]

    def tail(self, *, after: int, call_id: str | None = None) -> AsyncIterator[StoredEvent]:
        """Lines with a greater id, forever. Raises StorageUnavailable before the first one only."""
        return self._tail.follow(after=after, call_id=call_id)

    async def last_event_id(self) -> int:
        """The feed's end as it is now; 0 when empty."""
        return await self._tail.last_id()

    async def close(self) -> None:
        """End all tails."""
        await self._tail.close()


async def _put_on_bill(session: AsyncSession, call: Call, lines: Sequence[CostLine], places: range) -> None:
    """Have these lines, and no others, in these places of the call's bill; the sum follows."""
    await session.flush()
    here = (Cost.call_id == call.call_id, Cost.ordinal.between(places.start, places.stop - 1))
    await session.execute(delete(Cost).where(*here))
    session.add_all(
        Cost(
            call_id=call.call_id,
            ordinal=ordinal,
            vendor=line.vendor,
            item=line.item,
            unit=line.unit,
            quantity=line.quantity,
            unit_usd=line.unit_usd,
            usd=line.usd,
            priced_on=line.priced_on,
        )
        for ordinal, line in zip(places, lines, strict=False)
    )
    await session.flush()
    call.cost_usd = await session.scalar(select(func.sum(Cost.usd)).where(Cost.call_id == call.call_id)) or 0.0


async def _lines_of(session: AsyncSession, call_id: str) -> list[CallEvent]:
    line = EventLine
    wanted = select(line.call_id, line.kind, line.at_ms, line.data).where(line.call_id == call_id).order_by(line.id)
    return [CallEvent(*row) for row in await session.execute(wanted)]


async def _so_far(session: AsyncSession, call_ids: Sequence[str]) -> dict[str, Glimpse]:
    """Live calls as the feed tells of them."""
    if not call_ids:
        return {}
    line = EventLine
    newest = (
        select(func.max(line.id))
        .where(line.call_id.in_(call_ids), line.kind.in_(OF_GLIMPSES))
        .group_by(line.call_id, line.kind)
    )
    told: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for call_id, kind, data in await session.execute(
        select(line.call_id, line.kind, line.data).where(line.id.in_(newest)).order_by(line.id)
    ):
        told[call_id].append((kind, data))
    return {call_id: glimpse_of(lines) for call_id, lines in told.items()}
