"""What customers and their CRM are told of a finished call. Pure: from the record and what was found out since."""

from typing import Any

from core.contracts.after_call import AfterPlan, SendFollowUp
from core.contracts.call import CallRecord, CallSummary, SyncCrm

UNKNOWN = CallSummary(summary="No summary could be written.", topic="unknown", resolved=False)


def talked_ms(record: CallRecord) -> int:
    """From answer to end; 0 for a call that was not answered."""
    ended = record.ended_ms or 0
    return round(ended - (record.answered_ms or ended))


def caller_spoke(record: CallRecord) -> bool:
    """Whether there is anything to sum up."""
    return any(turn.caller for turn in record.turns)


def crm_note(record: CallRecord, summary: CallSummary | None, fields: dict[str, Any]) -> SyncCrm | None:
    """The note for the CRM; None: there is nothing it should know."""
    if record.disposition is None or not caller_spoke(record):
        return None
    return SyncCrm(
        call_id=record.call.call_id,
        caller_number=record.call.caller_number,
        disposition=record.disposition,
        summary=summary or UNKNOWN,
        duration_ms=talked_ms(record),
        idempotency_key=f"{record.call.call_id}:note",
        direction=record.call.direction,
        ended_ms=record.ended_ms or 0.0,
        fields=fields,
    )


def follow_up(record: CallRecord, name: str, fields: dict[str, Any], now_ms: float) -> SendFollowUp:
    """One message to the person. The last word on consent counts."""
    call = record.call
    return SendFollowUp(
        call_id=call.call_id,
        playbook=call.playbook.ref,
        name=name,
        disposition=record.disposition,
        caller_number=call.caller_number,
        our_number=call.our_number,
        fields=fields,
        variables=call.variables,
        consent=record.consents[-1].given if record.consents else None,
        since_ms=now_ms,
    )


def ended_event(record: CallRecord) -> dict[str, Any]:
    """The data of "call.ended"."""
    call = record.call
    return {
        "call_id": call.call_id,
        "tenant": call.tenant,
        "campaign": call.campaign,
        "direction": call.direction.value,
        "playbook": call.playbook.ref,
        "caller_number": call.caller_number,
        "our_number": call.our_number,
        "disposition": record.disposition.value if record.disposition else None,
        "started_ms": record.started_ms,
        "answered_ms": record.answered_ms,
        "ended_ms": record.ended_ms,
        "duration_ms": talked_ms(record),
        "turns": max((turn.turn for turn in record.turns), default=0),
    }


def analyzed_event(record: CallRecord, summary: CallSummary | None, fields: dict[str, Any]) -> dict[str, Any]:
    """The data of "call.analyzed"."""
    known = {
        "summary": summary.summary if summary else None,
        "topic": summary.topic if summary else None,
        "resolved": summary.resolved if summary else None,
        "to_do": summary.follow_up if summary else None,
        "sentiment": (summary.sentiment or None) if summary else None,
    }
    return ended_event(record) | known | {"fields": fields}


def wants_to_know(plan: AfterPlan, event: str) -> list[tuple[str, str]]:
    """The endpoints that want to hear of an event, each with its host."""
    return [(endpoint.endpoint_id, endpoint.host) for endpoint in plan.endpoints if event in endpoint.events]
