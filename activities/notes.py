"""Notes on the talk, taken beside the answer: what the caller has told, and what prompts would forget."""

import asyncio
from datetime import datetime

from structlog.contextvars import bound_contextvars
from temporalio import activity

from activities.note_writing import NoteWriter
from activities.retries import vendor_failures
from core.contracts import names
from core.contracts.notes import EarlierCalls, Notes, RecallCaller, TakeNotes
from core.ports.call_log import CallStore

MOST_EARLIER = 3
AFTER_S = 0.5  # a line is asked for at the same moment, and its caller waits


class NotesActivities:
    """Fills slots and facts, sums up, and remembers callers."""

    def __init__(self, writer: NoteWriter, store: CallStore, after_s: float = AFTER_S) -> None:
        """``after_s``: how long what is said has the processor to itself before notes are begun."""
        self._after_s = after_s
        self._writer = writer
        self._store = store

    @activity.defn(name=names.TAKE_NOTES)
    async def take_notes(self, request: TakeNotes) -> Notes:
        """Of a turn that no answer of the model's follows."""
        with bound_contextvars(call_id=request.call_id, turn=request.turn), vendor_failures():
            await asyncio.sleep(self._after_s)
            return await self._writer.write(request)

    @activity.defn(name=names.RECALL_CALLER)
    async def recall_caller(self, request: RecallCaller) -> EarlierCalls:
        """The summaries of the caller's last calls, newest first."""
        with vendor_failures():
            earlier = await self._store.earlier_calls(
                request.caller_number, tenant=request.tenant, but=request.call_id, limit=MOST_EARLIER
            )
        lines = [f"- {_day(call.ended_ms)}: {' '.join(call.summary.summary.split())}" for call in earlier]
        return EarlierCalls("\n".join(lines))


def _day(ms: float) -> str:
    return datetime.fromtimestamp(ms / 1_000).astimezone().date().isoformat()
