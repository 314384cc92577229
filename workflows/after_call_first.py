"""What followed a call before its steps were seen one by one: for histories that began then."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from core.contracts.call import CallRecord, CallSummary, SyncCrm

with workflow.unsafe.imports_passed_through():
    from activities.after_call import AfterCallActivities
    from activities.crm import CrmActivities

PATIENT: Final = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5))
DAYS: Final = timedelta(days=3)  # an outage over a weekend loses nothing


async def follow_up_as_before(record: CallRecord) -> None:
    """Record, sum up, tell the CRM."""
    await workflow.execute_activity_method(
        AfterCallActivities.record_call,
        record,
        start_to_close_timeout=timedelta(seconds=30),
        schedule_to_close_timeout=DAYS,
        retry_policy=PATIENT,
        summary="record the call",
    )
    if any(turn.caller for turn in record.turns):
        await _tell_crm(record, await _summarize(record))


async def _summarize(record: CallRecord) -> CallSummary:
    try:
        return await workflow.execute_activity_method(
            AfterCallActivities.summarize_call,
            record,
            start_to_close_timeout=timedelta(seconds=60),  # one model call over the whole transcript
            schedule_to_close_timeout=timedelta(hours=6),
            retry_policy=PATIENT,
            summary="sum up",
        )
    except ActivityError:  # the CRM is to know of the call all the same
        workflow.logger.warning("no_summary")
        return CallSummary(summary="No summary could be written.", topic="unknown", resolved=False)


async def _tell_crm(record: CallRecord, summary: CallSummary) -> None:
    if record.disposition is None:
        return
    call = record.call
    await workflow.execute_activity_method(
        CrmActivities.sync_crm,
        SyncCrm(
            call_id=call.call_id,
            caller_number=call.caller_number,
            disposition=record.disposition,
            summary=summary,
            duration_ms=round((record.ended_ms or 0) - (record.answered_ms or record.ended_ms or 0)),
            idempotency_key=f"{call.call_id}:note",
            direction=call.direction,
            ended_ms=record.ended_ms or 0.0,
        ),
        start_to_close_timeout=timedelta(seconds=30),
        schedule_to_close_timeout=DAYS,
        retry_policy=PATIENT,
        summary="put it into the CRM",
    )
