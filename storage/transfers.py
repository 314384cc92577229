"""Transfers of recorded calls, and the callbacks that some of them left to be done."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Double, delete, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from core.contracts.call import CallRecord
from core.contracts.transfer import Cause, TransferOutcome, TransferRecord
from core.ports.call_log import CallEvent
from core.ports.callbacks import Callback, Callbacks
from storage.cursors import cursor_of, place_of
from storage.database import Database
from storage.models import CallbackTask, CleanText, Transfer
from storage.rows import insert_new

MAX_PAGE: Final = 500


async def save_transfers(session: AsyncSession, record: CallRecord) -> None:
    """Make the call's transfers equal to the record; a callback that somebody has completed stays so."""
    call_id = record.call.call_id
    await session.execute(delete(Transfer).where(Transfer.call_id == call_id))
    session.add_all(_row(call_id, transfer) for transfer in record.transfers)
    tasks = [_task(record, transfer) for transfer in record.transfers if transfer.callback]
    if tasks:
        await session.execute(insert_new(session, CallbackTask), tasks)


async def note_wished_callback(session: AsyncSession, record: CallRecord) -> None:
    """Have a person call, at the time the caller named; not where nobody knows the number."""
    call = record.call
    if not call.caller_number:
        return
    task = {
        "callback_id": f"{call.call_id}:0",  # transfers are numbered from 1
        "call_id": call.call_id,
        "queue": "",
        "caller_number": call.caller_number,
        "reason": f"wants to be called {record.callback.replace('T', ' ').strip()}, by their clock",
        "summary": "",
        "created_ms": record.ended_ms or record.started_ms,
    }
    await session.execute(insert_new(session, CallbackTask), [task])


async def transfers_of(session: AsyncSession, call_id: str) -> tuple[TransferRecord, ...]:
    """Those of a recorded call, in order."""
    wanted = select(Transfer).where(Transfer.call_id == call_id).order_by(Transfer.transfer)
    return tuple(_record(row) for row in await session.scalars(wanted))


def transfers_so_far(events: Iterable[CallEvent]) -> tuple[TransferRecord, ...]:
    """Those of a live call, as its lines tell, oldest first."""
    told: dict[int, TransferRecord] = {}
    for event in events:
        if event.kind == "transfer":
            record = _told(event.data)
            told[record.transfer] = record
    return tuple(told[number] for number in sorted(told))


class SqlCallbacks(Callbacks):
    """The list of callbacks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def callbacks(
        self, *, done: bool | None = False, before: str | None = None, limit: int = 50
    ) -> tuple[Sequence[Callback], str | None]:
        """Newest first, at most 500 at once, and the cursor of the next page."""
        task = CallbackTask
        limit = max(1, min(limit, MAX_PAGE))
        wanted = select(task).order_by(task.created_ms.desc(), task.callback_id.desc()).limit(limit + 1)
        if done is not None:
            wanted = wanted.where(task.completed_ms.is_not(None) if done else task.completed_ms.is_(None))
        if before is not None:
            created_ms, callback_id = place_of(before)
            place = tuple_(literal(created_ms, Double), literal(callback_id, CleanText))
            wanted = wanted.where(tuple_(task.created_ms, task.callback_id) < place)
        async with self._database.read() as session:
            rows = (await session.scalars(wanted)).all()
        page = [_callback(row) for row in rows[:limit]]
        more = len(rows) > limit
        return page, cursor_of(page[-1].created_ms, page[-1].callback_id) if more else None

    async def complete(self, callback_id: str, by: str, note: str, now_ms: float) -> Callback | None:
        """Somebody has called."""
        wanted = select(CallbackTask).where(CallbackTask.callback_id == callback_id).with_for_update()
        async with self._database.write() as session:
            row = (await session.scalars(wanted)).one_or_none()
            if row is None:
                return None
            if row.completed_ms is None:
                row.completed_ms, row.completed_by, row.note = now_ms, by, note
            return _callback(row)


def _row(call_id: str, record: TransferRecord) -> Transfer:
    return Transfer(
        call_id=call_id,
        transfer=record.transfer,
        queue=record.queue,
        cause=record.cause.value,
        reason=record.reason,
        number=record.number,
        summary=record.summary,
        whisper=record.whisper,
        taken_by=record.by,
        outcome=record.outcome.value if record.outcome else None,
        tried=list(record.tried),
        callback=record.callback,
        started_ms=record.started_ms,
        accepted_ms=record.accepted_ms,
        bridged_ms=record.bridged_ms,
        ended_ms=record.ended_ms,
    )


def _record(row: Transfer) -> TransferRecord:
    return TransferRecord(
        transfer=row.transfer,
        queue=row.queue,
        cause=Cause(row.cause),
        reason=row.reason,
        number=row.number,
        summary=row.summary,
        whisper=row.whisper,
        started_ms=row.started_ms,
        outcome=TransferOutcome(row.outcome) if row.outcome else None,
        accepted_ms=row.accepted_ms,
        bridged_ms=row.bridged_ms,
        ended_ms=row.ended_ms,
        callback=row.callback,
        by=row.taken_by,
        tried=tuple(row.tried),
    )


def _told(data: Mapping[str, Any]) -> TransferRecord:
    known = {name: data[name] for name in TransferRecord.__dataclass_fields__ if name in data}
    outcome = data.get("outcome")
    typed = {
        "cause": Cause(data["cause"]),
        "outcome": TransferOutcome(outcome) if outcome else None,
        "tried": tuple(data.get("tried", ())),
    }
    return TransferRecord(**{**known, **typed})


def _task(record: CallRecord, transfer: TransferRecord) -> dict[str, Any]:
    return {
        "callback_id": f"{record.call.call_id}:{transfer.transfer}",
        "call_id": record.call.call_id,
        "queue": transfer.queue,
        "caller_number": record.call.caller_number,
        "reason": transfer.reason,
        "summary": transfer.summary,
        "created_ms": transfer.ended_ms or transfer.started_ms,
    }


def _callback(row: CallbackTask) -> Callback:
    return Callback(
        callback_id=row.callback_id,
        call_id=row.call_id,
        queue=row.queue,
        caller_number=row.caller_number,
        reason=row.reason,
        summary=row.summary,
        created_ms=row.created_ms,
        completed_ms=row.completed_ms,
        completed_by=row.completed_by,
        note=row.note,
    )
