"""The beginning of a call that we place: dialled once, never twice."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from core.contracts.call import CallOpening, Dial, LookUpDial
from core.live_call import Ending, LiveCall
from core.outcome import Disposition
from workflows.attempts import ALIVE, ONCE
from workflows.replies import until

with workflow.unsafe.imports_passed_through():
    from activities.telephony import NOT_ALLOWED, TelephonyActivities

UNCLEAR: Final = {"timeout", "unavailable", "broken", "overloaded"}  # kinds of failure after which it may ring


async def reach_the_person(live: LiveCall) -> None:
    """Return once the person has answered, or the call has ended because nobody did."""
    if (failed := await _dial(live)) is not None:
        live.end(Ending(failed))
        return
    await until(lambda: live.answered_ms is not None or live.over, timedelta(seconds=live.call.timers.ring))
    if live.answered_ms is None and live.ending is None:
        live.end(Ending(Disposition.NO_ANSWER))


async def _dial(live: LiveCall) -> Disposition | None:
    """None: a leg is on its way. A lost answer is cleared up by what the carrier tells, never by a second dial."""
    call = live.call
    began_ms = workflow.time() * 1_000
    request = Dial(
        call.call_id,
        call.caller_number,
        call.our_number,
        round(call.timers.ring),
        CallOpening(call.direction, call.playbook.ref, call.caller_number, call.our_number),
        call.tenant,
        call.campaign,
        call.machine,
    )
    try:
        dialled = await workflow.execute_activity_method(
            TelephonyActivities.dial,
            request,
            start_to_close_timeout=timedelta(seconds=15),  # one REST call, and a slow carrier is no reason to give up
            heartbeat_timeout=ALIVE,
            retry_policy=ONCE,  # a second try could ring twice
            summary="dial" if call.discreet else f"dial {call.caller_number}",
        )
    except ActivityError as error:
        if isinstance(error.cause, ApplicationError) and error.cause.type == NOT_ALLOWED:
            return Disposition.NOT_ALLOWED
        return None if await _reconcile(live, error, began_ms) else Disposition.FAILED
    live.carrier_call_id = live.carrier_call_id or dialled.carrier_call_id
    return None


async def _reconcile(live: LiveCall, error: ActivityError, began_ms: float) -> bool:
    if isinstance(error.cause, ApplicationError) and error.cause.type not in UNCLEAR:
        return False  # the carrier has refused
    wait_s = live.call.timers.lost_status
    if workflow.patched("look-up-dial-at-once"):
        wait_s = live.call.timers.lost_dial
        if await _is_on_record(live, began_ms, at_most_s=wait_s):
            return True
    if await until(lambda: live.carrier_call_id is not None, timedelta(seconds=wait_s)):
        return True
    return await _is_on_record(live, began_ms, at_most_s=live.call.timers.ring)


async def _is_on_record(live: LiveCall, began_ms: float, at_most_s: float) -> bool:
    """Whether the carrier has dialled, as far as its callbacks and its list of calls tell."""
    call = live.call
    try:
        found = await workflow.execute_activity_method(
            TelephonyActivities.look_up_dial,
            LookUpDial(call.call_id, call.caller_number, call.our_number, began_ms),
            start_to_close_timeout=timedelta(seconds=10),  # lists the carrier's calls
            schedule_to_close_timeout=timedelta(seconds=at_most_s),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1)),
            summary="look up whether it was dialled",
        )
    except ActivityError:
        return live.carrier_call_id is not None
    live.carrier_call_id = live.carrier_call_id or found.carrier_call_id
    return live.carrier_call_id is not None
