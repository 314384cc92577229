"""Between tables and contracts: rows made, found, locked and read back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from core.contracts.call import CallRecord, CallSummary, Direction
from core.conversation import ToolCall, ToolResult, TurnRecord, Usage
from core.outcome import Disposition
from core.ports.call_log import CallRow
from storage.live import Glimpse
from storage.models import Base, Call, ToolRun, Turn

Insert = postgresql.Insert | sqlite.Insert


def insert_new(session: AsyncSession, table: type[Base]) -> Insert:
    """An INSERT that passes over rows which are there already."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


async def make_sure_of(session: AsyncSession, table: type[Base], keys: Sequence[Mapping[str, Any]]) -> None:
    """Have a row for each key; new ones get the table's defaults."""
    if keys:
        await session.execute(insert_new(session, table), list(keys))


async def lock_call(session: AsyncSession, call_id: str, started_ms: float) -> Call:
    """The call's row, made if need be, ours until the transaction ends."""
    await make_sure_of(session, Call, [{"call_id": call_id, "started_ms": started_ms}])
    return (await session.scalars(select(Call).where(Call.call_id == call_id).with_for_update())).one()


def turn_row(call_id: str, record: TurnRecord) -> Turn:
    """The row of a turn."""
    return Turn(
        call_id=call_id,
        turn=record.turn,
        caller=record.caller,
        confidence=record.confidence,
        step=record.step,
        step_method=record.step_method,
        step_confidence=record.step_confidence,
        said=record.said,
        heard=record.heard,
        interrupted=record.interrupted,
        layers=record.layers,
        model=record.usage.model,
        input_tokens=record.usage.input_tokens,
        output_tokens=record.usage.output_tokens,
        characters=record.usage.characters,
        voice=record.usage.voice,
        started_ms=record.started_ms,
        answer_method=record.answer_method,
        mood=record.mood,
        played_ms=record.played_ms,
        talk_over_ms=record.talk_over_ms,
        supervisor=record.supervisor,
        told_from=list(record.told_from),
        matters=list(record.matters),
        choices=list(record.choices),
    )


def tool_rows(call_id: str, record: TurnRecord) -> list[ToolRun]:
    """The rows of a turn's tool calls."""
    return [
        ToolRun(
            call_id=call_id,
            turn=record.turn,
            ordinal=ordinal,
            tool_id=result.call.id,
            name=result.call.name,
            arguments=result.call.arguments,
            ok=result.ok,
            content=result.content,
            took_ms=result.took_ms,
        )
        for ordinal, result in enumerate(record.tools)
    ]


def turn_record(row: Turn, tools: Iterable[ToolRun]) -> TurnRecord:
    """The turn of a row."""
    return TurnRecord(
        turn=row.turn,
        caller=row.caller,
        confidence=row.confidence,
        step=row.step,
        step_method=row.step_method,
        step_confidence=row.step_confidence,
        said=row.said,
        heard=row.heard,
        interrupted=row.interrupted,
        tools=tuple(
            ToolResult(ToolCall(tool.tool_id, tool.name, tool.arguments), tool.ok, tool.content, tool.took_ms)
            for tool in tools
        ),
        layers=row.layers,
        usage=Usage(row.model, row.input_tokens, row.output_tokens, row.characters, row.voice),
        started_ms=row.started_ms,
        answer_method=row.answer_method,
        mood=row.mood,
        played_ms=row.played_ms,
        talk_over_ms=row.talk_over_ms,
        supervisor=row.supervisor,
        told_from=tuple(row.told_from or ()),
        matters=tuple(row.matters or ()),
        choices=tuple(row.choices or ()),
    )


def fill_call(row: Call, record: CallRecord) -> None:
    """Make the row equal to the record; what came after the call (summary, note) stays."""
    call = record.call
    row.tenant, row.campaign = call.tenant, call.campaign
    row.direction, row.playbook = call.direction.value, call.playbook.ref
    row.caller_number, row.our_number = call.caller_number, call.our_number
    row.carrier_call_id = record.carrier_call_id
    row.phase, row.phase_ms = record.phase.value, record.ended_ms or record.started_ms
    row.step = record.turns[-1].step if record.turns else call.playbook.start_step
    row.disposition = record.disposition.value if record.disposition else None
    row.started_ms, row.answered_ms, row.ended_ms = record.started_ms, record.answered_ms, record.ended_ms
    row.turns = max((turn.turn for turn in record.turns), default=0)
    row.variables = call.variables
    row.played_ms = sum(turn.played_ms for turn in record.turns)
    row.talk_over_ms = sum(turn.talk_over_ms for turn in record.turns)


def call_row(row: Call, now: Glimpse | None = None) -> CallRow:
    """The call as lists show it, with what the feed knows better while it is live."""
    now = now or Glimpse()
    return CallRow(
        call_id=row.call_id,
        direction=Direction(row.direction),
        playbook=row.playbook,
        caller_number=row.caller_number,
        our_number=row.our_number,
        phase=row.phase,
        step=now.step or row.step,
        disposition=Disposition(row.disposition) if row.disposition else None,
        started_ms=row.started_ms,
        answered_ms=row.answered_ms,
        ended_ms=row.ended_ms,
        turns=row.turns if now.turns is None else now.turns,
        tenant=row.tenant,
        summary=_summary(row),
        crm_note=row.crm_note,
        cost_usd=row.cost_usd,
        last_speaker=now.last_speaker,
        last_line=now.last_line,
        latency_ms=now.latency_ms,
        played_ms=row.played_ms,
        talk_over_ms=row.talk_over_ms,
    )


def _summary(row: Call) -> CallSummary | None:
    if row.summary is None:
        return None
    return CallSummary(row.summary, row.topic or "", bool(row.resolved), row.follow_up or "", row.sentiment or "")
