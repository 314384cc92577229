"""What is done to the person's leg at the carrier."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from core.contracts.call import CarrierCall, Phase
from core.live_call import LiveCall
from workflows.attempts import ALIVE

with workflow.unsafe.imports_passed_through():
    from activities.telephony import TelephonyActivities


async def redirect(live: LiveCall, phase: Phase | None = None) -> None:
    """Have the carrier ask what to do now. Raises ActivityError: the leg is gone, or the carrier is."""
    await workflow.execute_activity_method(
        TelephonyActivities.redirect_call,
        CarrierCall(live.call.call_id, live.carrier_call_id or "", phase),
        start_to_close_timeout=timedelta(seconds=5),  # one REST call
        heartbeat_timeout=ALIVE,
        schedule_to_close_timeout=timedelta(seconds=live.call.timers.attach),  # the person waits in silence
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), backoff_coefficient=1.5),
        summary="have the carrier ask what to do",
    )


async def hang_up(live: LiveCall) -> None:
    """Put the line down, if there is one."""
    if live.carrier_call_id is None:
        return
    try:
        await workflow.execute_activity_method(
            TelephonyActivities.hang_up,
            CarrierCall(live.call.call_id, live.carrier_call_id),
            start_to_close_timeout=timedelta(seconds=5),  # one REST call
            heartbeat_timeout=ALIVE,
            schedule_to_close_timeout=timedelta(seconds=30),  # the call is over for us, with or without the carrier
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=300)),
            summary="hang up",
        )
    except ActivityError:
        workflow.logger.warning("hang_up_failed")
