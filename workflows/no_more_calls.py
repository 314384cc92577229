"""Whoever does not want to be called again is not, from this moment on."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from core.contracts.call import ForbidCalls
from core.live_call import LiveCall
from workflows.attempts import ALIVE

with workflow.unsafe.imports_passed_through():
    from activities.telephony import TelephonyActivities


async def forbid_calls_if_asked(live: LiveCall) -> None:
    """Return once it is on record; as long as nobody asks for it, never."""
    await workflow.wait_condition(lambda: live.no_more_calls)
    if live.calls_forbidden or not workflow.patched("forbid-calls"):
        return
    call = live.call
    await workflow.execute_activity_method(
        TelephonyActivities.forbid_calls,
        ForbidCalls(call.call_id, call.caller_number, call.tenant, call.campaign),
        start_to_close_timeout=timedelta(seconds=10),  # one transaction
        heartbeat_timeout=ALIVE,
        retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=30)),  # until the database takes it, however long
        summary="enter the number in DNC",
    )
    live.calls_forbidden = True
