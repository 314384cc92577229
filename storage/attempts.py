"""The end of an attempt: its outcome, and whether and when its contact is called again."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.attempts import AttemptOutcome, next_attempt, outcome_of_call
from core.contracts.call import CallRecord
from core.contracts.campaign import CampaignPhase, ContactState
from storage.campaign_rows import settings_of
from storage.models import AttemptRow, CampaignRow, ContactRow

_OVER: Final = {CampaignPhase.CANCELED.value, CampaignPhase.COMPLETED.value}


async def close_attempt_of(session: AsyncSession, record: CallRecord) -> None:
    """An ended call was an attempt of a campaign: write down what it came to."""
    if record.call.campaign is None or record.ended_ms is None or record.disposition is None:
        return
    outcome = outcome_of_call(record.disposition, record.carrier_error, no_more_calls=record.no_more_calls)
    await close_attempt(session, record.call.call_id, outcome, record.ended_ms, record.carrier_call_id)


async def close_attempt(
    session: AsyncSession,
    call_id: str,
    outcome: AttemptOutcome,
    ended_ms: float,
    carrier_call_id: str | None = None,
) -> None:
    """The first outcome stays."""
    found = await session.scalar(select(AttemptRow.campaign_id).where(AttemptRow.call_id == call_id))
    if found is None:
        return
    campaign = await session.get_one(CampaignRow, found, with_for_update=True)  # rounds lock it first, too
    attempt = await session.get_one(AttemptRow, call_id, with_for_update=True)
    if attempt.ended_ms is not None:
        return
    attempt.ended_ms, attempt.outcome, attempt.begun = ended_ms, outcome.value, True
    attempt.carrier_call_id = carrier_call_id
    contact = await session.get_one(ContactRow, (attempt.campaign_id, attempt.contact_id), with_for_update=True)
    contact.outcomes = [*contact.outcomes, outcome.value]
    outcomes = tuple(AttemptOutcome(one) for one in contact.outcomes)
    again_ms = next_attempt(settings_of(campaign).retries, outcomes, ended_ms)
    if outcome is AttemptOutcome.NOT_ALLOWED:
        again_ms = ended_ms  # the next round finds out whether waiting helps
    if again_ms is None or campaign.phase in _OVER:
        contact.state = ContactState.DONE.value
    else:
        contact.state, contact.due_ms = ContactState.WAITING.value, again_ms
