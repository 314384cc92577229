"""The end of an attempt: its outcome, and whether and when its contact is called again."""

from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.attempts import AttemptOutcome, next_attempt, outcome_of_call
from core.call_back import moment_of
from core.calling_window import ZonePolicy
from core.contracts.call import CallRecord
from core.contracts.campaign import CampaignPhase, ContactState
from storage.campaign_rows import settings_of, zones_by_record
from storage.models import AttemptRow, CampaignRow, ContactRow
from storage.transfers import note_wished_callback

_OVER: Final = {CampaignPhase.CANCELED.value, CampaignPhase.COMPLETED.value}


async def close_attempt_of(session: AsyncSession, record: CallRecord) -> None:
    """An ended call was an attempt of a campaign: write down what it came to.

    Whoever named a time is called then by the campaign; by a person where no campaign does.
    """
    if record.ended_ms is None or record.disposition is None:
        return
    wish_ms = await _wished_ms(session, record) if record.callback else None
    outcome = outcome_of_call(
        record.disposition,
        record.carrier_error,
        no_more_calls=record.no_more_calls,
        callback=wish_ms is not None,
    )
    comes_again = record.call.campaign is not None and await close_attempt(
        session, record.call.call_id, outcome, record.ended_ms, record.carrier_call_id, wish_ms
    )
    if outcome is AttemptOutcome.CALLBACK and not comes_again:
        await note_wished_callback(session, record)


async def _wished_ms(session: AsyncSession, record: CallRecord) -> float | None:
    """When the caller wants to be called, by the clocks that the campaign calls them by."""
    stated, policy = "", ZonePolicy.STATED_OR_NUMBER
    if record.call.campaign is not None:
        row = await session.get(CampaignRow, record.call.campaign)
        policy = settings_of(row).zones if row is not None else policy
        stated = (
            await session.scalar(
                select(ContactRow.stated_zone).where(
                    ContactRow.campaign_id == record.call.campaign, ContactRow.number == record.call.caller_number
                )
            )
            or ""
        )
    zones = zones_by_record(record.call.caller_number, stated, policy)
    return moment_of(record.callback, zones, record.ended_ms or record.started_ms)


async def call_off_the_rest(session: AsyncSession, campaign_id: str, now_ms: float) -> None:
    """Of a campaign whose phase is written: nobody waits any more, and attempts whose calls have not begun are over.

    At the gate such a call is refused, should it begin after all.
    """
    waiting = ContactRow.campaign_id == campaign_id, ContactRow.state == ContactState.WAITING.value
    await session.execute(update(ContactRow).where(*waiting).values(state=ContactState.DONE.value, done_ms=now_ms))
    never_begun = await session.scalars(
        select(AttemptRow.call_id).where(
            AttemptRow.campaign_id == campaign_id, AttemptRow.ended_ms.is_(None), ~AttemptRow.begun
        )
    )
    for call_id in never_begun.all():
        await close_attempt(session, call_id, AttemptOutcome.CANCELED, now_ms)


async def close_attempt(
    session: AsyncSession,
    call_id: str,
    outcome: AttemptOutcome,
    ended_ms: float,
    carrier_call_id: str | None = None,
    callback_ms: float | None = None,
) -> bool:
    """Whether the contact is called again. The first outcome stays.

    Args:
        callback_ms: when they asked to be called, for ``CALLBACK``.
    """
    found = await session.scalar(select(AttemptRow.campaign_id).where(AttemptRow.call_id == call_id))
    if found is None:
        return False
    campaign = await session.get_one(CampaignRow, found, with_for_update=True)  # rounds lock it first, too
    attempt = await session.get_one(AttemptRow, call_id, with_for_update=True)
    contact = await session.get_one(ContactRow, (attempt.campaign_id, attempt.contact_id), with_for_update=True)
    if attempt.ended_ms is not None:
        return contact.state != ContactState.DONE.value
    attempt.ended_ms, attempt.outcome, attempt.begun = ended_ms, outcome.value, True
    attempt.carrier_call_id = carrier_call_id
    contact.outcomes = [*contact.outcomes, outcome.value]
    outcomes = tuple(AttemptOutcome(one) for one in contact.outcomes)
    again_ms = next_attempt(settings_of(campaign).retries, outcomes, ended_ms, callback_ms)
    if outcome is AttemptOutcome.NOT_ALLOWED:
        again_ms = ended_ms  # the next round finds out whether waiting helps
    if again_ms is None or campaign.phase in _OVER:
        contact.state, contact.done_ms = ContactState.DONE.value, ended_ms
    else:
        contact.state, contact.due_ms = ContactState.WAITING.value, again_ms
    return contact.state != ContactState.DONE.value
