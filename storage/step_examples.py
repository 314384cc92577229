"""Examples that calls have brought, and what was learnt from them."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Double, Update, delete, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.auditing import NEWEST, Audit
from core.contracts.call import CallRecord
from core.growth import MOST_OF_A_STEP, Grown, Review, example_id, grown_from
from core.learnt_steps import Example
from core.outcome import Disposition
from core.ports.step_examples import StepAudit, StepExample, StepExamples, StepFit
from storage.cursors import cursor_of, place_of
from storage.database import Database
from storage.models import CleanText, StepAuditRow, StepExampleRow, StepFitRow
from storage.rows import insert_new

MAX_PAGE: Final = 500
MOST_LEARNT: Final = 5_000
LEARNS: Final = {"reviewed": Review.NEW, "automatic": Review.ACCEPTED}
AUTOMATIC: Final = "automatic"  # who has accepted an example
CLEAR_WORDS: Final = "clear words"  # ... of which the words alone told the step
AUDIT: Final = "audit"  # ... and the model, asked once the call was over, another one
MOST_CLEAR: Final = MOST_OF_A_STEP // 2  # of a step, learnt from: they come by the hundred, and are not what is hard
_ENDED_WELL: Final = (Disposition.COMPLETED, Disposition.TRANSFERRED)


async def save_examples(session: AsyncSession, record: CallRecord) -> None:
    """Keep what the call teaches, if its playbook learns from calls; words that are there already stay as they are."""
    call = record.call
    review = LEARNS.get(call.playbook.learns)
    if review is None:
        return
    name = call.playbook.ref.partition("@")[0]
    at_ms = record.ended_ms or record.started_ms
    rows = [
        {
            "example_id": example_id(name, grown.step, grown.text),
            "playbook": name,
            "step": grown.step,
            "text": grown.text,
            "review": review.value,
            "call_id": call.call_id,
            "turn": grown.turn,
            "confidence": grown.confidence,
            "created_ms": at_ms,
            "decided_ms": at_ms if review is Review.ACCEPTED else None,
            "decided_by": _accepted_by(grown) if review is Review.ACCEPTED else "",
        }
        for grown in grown_from(
            record.turns,
            ended_well=record.disposition in _ENDED_WELL,
            decided=review is Review.ACCEPTED,  # nobody would review them all
        )
    ]
    if rows:
        await session.execute(insert_new(session, StepExampleRow), rows)


class SqlStepExamples(StepExamples):
    """The list of examples and of fits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def examples(
        self,
        *,
        playbook: str | None = None,
        review: Review | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> tuple[Sequence[StepExample], str | None]:
        """Newest first, at most 500 at once, and the cursor of the next page."""
        row = StepExampleRow
        limit = max(1, min(limit, MAX_PAGE))
        wanted = select(row).order_by(row.created_ms.desc(), row.example_id.desc()).limit(limit + 1)
        if playbook is not None:
            wanted = wanted.where(row.playbook == playbook)
        if review is not None:
            wanted = wanted.where(row.review == review.value)
        if before is not None:
            created_ms, last = place_of(before)
            place = tuple_(literal(created_ms, Double), literal(last, CleanText))
            wanted = wanted.where(tuple_(row.created_ms, row.example_id) < place)
        async with self._database.read() as session:
            rows = (await session.scalars(wanted)).all()
        page = [_example(found) for found in rows[:limit]]
        more = len(rows) > limit
        return page, cursor_of(page[-1].created_ms, page[-1].example_id) if more else None

    async def example(self, example_id: str) -> StepExample | None:
        """One of them."""
        async with self._database.read() as session:
            row = await session.get(StepExampleRow, example_id)
        return None if row is None else _example(row)

    async def decide(
        self, example_id: str, review: Review, by: str, now_ms: float, step: str | None = None
    ) -> StepExample | None:
        """Accept or reject it."""
        wanted = select(StepExampleRow).where(StepExampleRow.example_id == example_id).with_for_update()
        async with self._database.write() as session:
            row = (await session.scalars(wanted)).one_or_none()
            if row is None:
                return None
            if (row.review, row.step) != (review.value, step or row.step):
                row.review, row.step = review.value, step or row.step
                row.decided_ms, row.decided_by = now_ms, by
            return _example(row)

    async def accepted(self, playbook: str) -> Sequence[Example]:
        """Newest first, as many as can be learnt from; clear ones leave room for others."""
        row = StepExampleRow
        newest = (
            select(row.created_ms, row.example_id, row.step, row.text)
            .where(row.playbook == playbook, row.review == Review.ACCEPTED.value)
            .order_by(row.created_ms.desc(), row.example_id.desc())
            .limit(MOST_LEARNT)
        )
        async with self._database.read() as session:
            kept = list(await session.execute(newest.where(row.decided_by != CLEAR_WORDS)))
            clear = list(await session.execute(newest.where(row.decided_by == CLEAR_WORDS)))
        of_step: Counter[str] = Counter()
        for found in clear:
            of_step[found.step] += 1
            if of_step[found.step] <= MOST_CLEAR:
                kept.append(found)
        kept.sort(key=lambda found: (found.created_ms, found.example_id), reverse=True)
        return [(found.step, found.text) for found in kept]

    async def note_fit(self, fit: StepFit) -> None:
        """Put it in front."""
        row = StepFitRow
        same = (row.playbook == fit.playbook, row.version == fit.version, row.method == fit.method)
        async with self._database.write() as session:
            await session.execute(delete(row).where(*same, row.learnt_ms <= fit.learnt_ms))
            await session.execute(insert_new(session, row), [_fit_row(fit)])

    async def fits(self, playbook: str, limit: int = 50) -> Sequence[StepFit]:
        """Newest first."""
        row = StepFitRow
        wanted = select(row).where(row.playbook == playbook).order_by(row.learnt_ms.desc()).limit(limit)
        async with self._database.read() as session:
            return [_fit(found) for found in await session.scalars(wanted)]

    async def note_audits(self, audits: Sequence[StepAudit]) -> None:
        """Once a turn. What was learnt from a turn that the model finds wrong is an example of what the model says."""
        if not audits:
            return
        rows = [{name: getattr(audit, name) for name in StepAudit.__dataclass_fields__} for audit in audits]
        async with self._database.write() as session:
            await session.execute(insert_new(session, StepAuditRow), rows)
            for audit in audits:
                if audit.judged != audit.found:
                    await session.execute(_corrected(audit))

    async def audits(self, playbook: str, since_ms: float) -> Sequence[Audit]:
        """Newest first."""
        row = StepAuditRow
        wanted = (
            select(row.method, row.confidence, row.found, row.judged)
            .where(row.playbook == playbook, row.at_ms >= since_ms)
            .order_by(row.at_ms.desc())
            .limit(NEWEST)
        )
        async with self._database.read() as session:
            told = await session.execute(wanted)
            return [Audit(method, confidence, found == judged) for method, confidence, found, judged in told]


def _corrected(audit: StepAudit) -> Update:
    row = StepExampleRow
    of_turn = (row.call_id == audit.call_id, row.turn == audit.turn, row.decided_by == CLEAR_WORDS)
    return update(row).where(*of_turn).values(step=audit.judged, decided_by=AUDIT, decided_ms=audit.at_ms)


def _accepted_by(grown: Grown) -> str:
    return CLEAR_WORDS if grown.clear else AUTOMATIC


def _example(row: StepExampleRow) -> StepExample:
    return StepExample(
        example_id=row.example_id,
        playbook=row.playbook,
        step=row.step,
        text=row.text,
        review=Review(row.review),
        call_id=row.call_id,
        turn=row.turn,
        confidence=row.confidence,
        created_ms=row.created_ms,
        decided_ms=row.decided_ms,
        decided_by=row.decided_by,
    )


def _fit(row: StepFitRow) -> StepFit:
    return StepFit(**{name: getattr(row, name) for name in StepFit.__dataclass_fields__})


def _fit_row(fit: StepFit) -> dict[str, object]:
    return {name: getattr(fit, name) for name in StepFit.__dataclass_fields__}
