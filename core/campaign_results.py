"""What a customer is told of a campaign's results. The same facts make the same message, each time it is sent."""

from collections.abc import Sequence
from typing import Any

from core import webhooks
from core.contracts.after_call import DeliverWebhook
from core.contracts.campaign import Attempt, CampaignPhase, CampaignProgress, CampaignSettings, Contact


def contact_message(settings: CampaignSettings, contact: Contact, attempts: Sequence[Attempt]) -> DeliverWebhook:
    """A contact is done: it was reached, is given up, must not be called, or was called off."""
    ended_ms = max((attempt.ended_ms or 0.0 for attempt in attempts), default=0.0)
    return DeliverWebhook(
        endpoint_id=settings.webhook,
        message_id=f"msg_{settings.campaign_id}_{contact.contact_id}_contact_done",
        event=webhooks.CONTACT_DONE,
        at_ms=contact.done_ms or ended_ms,
        data=_campaign(settings)
        | {
            "contact": contact.contact_id,
            "number": contact.number,
            "outcome": contact.outcomes[-1].value if contact.outcomes else None,
            "hindrance": contact.hindrance.value if contact.hindrance else None,
            "attempts": [_attempt(attempt) for attempt in attempts],
            "variables": contact.variables,
        },
        call_id=attempts[-1].call_id if attempts else "",
    )


def end_message(
    settings: CampaignSettings,
    phase: CampaignPhase,
    started_ms: float | None,
    ended_ms: float,
    counts: CampaignProgress,
) -> DeliverWebhook:
    """The campaign is completed or canceled, and its last call has ended."""
    event = webhooks.CAMPAIGN_CANCELED if phase is CampaignPhase.CANCELED else webhooks.CAMPAIGN_COMPLETED
    return DeliverWebhook(
        endpoint_id=settings.webhook,
        message_id=f"msg_{settings.campaign_id}_{event.replace('.', '_')}",
        event=event,
        at_ms=ended_ms,
        data=_campaign(settings)
        | {
            "started_ms": started_ms,
            "ended_ms": ended_ms,
            "contacts": counts.contacts,
            "done": counts.done,
            "attempts": counts.attempts,
            "answered": counts.answered,
            "outcomes": {outcome.value: count for outcome, count in sorted(counts.outcomes.items())},
            "hindered": {hindrance.value: count for hindrance, count in sorted(counts.hindered.items())},
        },
    )


def _campaign(settings: CampaignSettings) -> dict[str, Any]:
    return {
        "campaign": settings.campaign_id,
        "name": settings.name,
        "tenant": settings.tenant,
        "playbook": settings.playbook,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "attempt": attempt.number,
        "call_id": attempt.call_id,
        "opened_ms": attempt.opened_ms,
        "ended_ms": attempt.ended_ms,
        "outcome": attempt.outcome.value if attempt.outcome else None,
    }
