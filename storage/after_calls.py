"""What follows calls: the order of their notes, how far their steps have come, dead letters.

The order of a person's notes is kept here and by no workflow of its own: every call is recorded in SQL before its note
is written anyway, so a row and one indexed look are the whole mechanism, with nothing that could be lost or get long.
"""

import hashlib
import time
from collections.abc import Sequence
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import select, update

from core.contracts.after_call import AfterState, DeadLetter
from core.contracts.call import CallRecord
from core.ports.after_call import AfterCallStore, Letter
from storage.database import Database
from storage.models import AfterCall, LetterRow
from storage.rows import make_sure_of

LONGEST_MS: Final = (
    4 * 24 * 3_600_000.0
)  # no note is tried for longer: an older one whose workflow is gone blocks nobody
DEAD: Final = ("dead", "resending")

_STATE: TypeAdapter[AfterState] = TypeAdapter(AfterState)
_LETTER: TypeAdapter[DeadLetter] = TypeAdapter(DeadLetter)


class SqlAfterCalls(AfterCallStore):
    """Each method is one transaction. All raise StorageUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def queue_for_crm(self, record: CallRecord) -> None:
        """Give the call its place, once: what has left the queue does not come back."""
        call = record.call
        place = {
            "call_id": call.call_id,
            "tenant": call.tenant,
            "caller_number": call.caller_number,
            "ended_ms": record.ended_ms or record.started_ms,
            "awaits_crm": True,
        }
        async with self._database.write() as session:
            await make_sure_of(session, AfterCall, [place])

    async def is_crm_turn(self, call_id: str) -> bool:
        """Whether no earlier call of the same person waits. Calls from hidden numbers are nobody's."""
        async with self._database.read() as session:
            ours = await session.get(AfterCall, call_id)
            if ours is None or not ours.caller_number.startswith("+"):
                return True
            earlier = (
                select(AfterCall.call_id)
                .where(
                    AfterCall.tenant == ours.tenant,
                    AfterCall.caller_number == ours.caller_number,
                    AfterCall.ended_ms < ours.ended_ms,
                    AfterCall.ended_ms > time.time() * 1_000 - LONGEST_MS,
                    AfterCall.awaits_crm,
                )
                .limit(1)
            )
            return await session.scalar(earlier) is None

    async def leave_crm_queue(self, call_id: str) -> None:
        """Let later calls pass."""
        async with self._database.write() as session:
            await session.execute(update(AfterCall).where(AfterCall.call_id == call_id).values(awaits_crm=False))

    async def keep(self, state: AfterState) -> None:
        """Make the row equal to it."""
        async with self._database.write() as session:
            await make_sure_of(session, AfterCall, [{"call_id": state.call_id}])
            kept: dict[str, Any] = _STATE.dump_python(state, mode="json")
            await session.execute(update(AfterCall).where(AfterCall.call_id == state.call_id).values(state=kept))

    async def state(self, call_id: str) -> AfterState | None:
        """What was kept last."""
        async with self._database.read() as session:
            row = await session.get(AfterCall, call_id)
        return None if row is None or row.state is None else _STATE.validate_python(row.state)

    async def set_aside(self, letter: DeadLetter) -> str:
        """Keep it. A step has one letter, whatever it failed with last."""
        letter_id = letter_id_of(letter)
        kept = {
            "call_id": letter.call_id,
            "status": "dead",
            "changed_ms": letter.at_ms,
            "letter": _LETTER.dump_python(letter, mode="json"),
        }
        async with self._database.write() as session:
            await make_sure_of(session, LetterRow, [{"letter_id": letter_id, **kept}])
            await session.execute(update(LetterRow).where(LetterRow.letter_id == letter_id).values(**kept))
        return letter_id

    async def letters(
        self, *, call_id: str | None = None, dead: bool | None = None, limit: int = 100
    ) -> Sequence[Letter]:
        """Newest first."""
        wanted = select(LetterRow).order_by(LetterRow.changed_ms.desc(), LetterRow.letter_id).limit(limit)
        if call_id is not None:
            wanted = wanted.where(LetterRow.call_id == call_id)
        if dead is not None:
            wanted = wanted.where(LetterRow.status.in_(DEAD) if dead else LetterRow.status.not_in(DEAD))
        async with self._database.read() as session:
            return [_letter(row) for row in await session.scalars(wanted)]

    async def letter(self, letter_id: str) -> Letter | None:
        """One of them."""
        async with self._database.read() as session:
            row = await session.get(LetterRow, letter_id)
        return None if row is None else _letter(row)

    async def mark_letter(self, letter_id: str, status: str) -> None:
        """Keep what became of it."""
        changed = {"status": status, "changed_ms": time.time() * 1_000}
        async with self._database.write() as session:
            await session.execute(update(LetterRow).where(LetterRow.letter_id == letter_id).values(**changed))


def letter_id_of(letter: DeadLetter) -> str:
    """The same for each letter of a step of a call."""
    return "dl_" + hashlib.sha256(f"{letter.call_id} {letter.errand.step}".encode()).hexdigest()[:24]


def _letter(row: LetterRow) -> Letter:
    return Letter(row.letter_id, row.status, row.changed_ms, _LETTER.validate_python(row.letter))
