"""Tool calls: the model asks, the workflow decides who carries them out."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

import core.playbook
from core.contracts.call import RunTool
from core.conversation import ToolCall, ToolResult
from core.live_call import LiveCall
from core.outcome import Disposition

with workflow.unsafe.imports_passed_through():
    from activities.crm import CrmActivities


async def run_tool(live: LiveCall, call: ToolCall, ordinal: int) -> ToolResult:
    """Carry out one tool call. Ending and handing over are the workflow's own to do; never raises."""
    match call.name:
        case core.playbook.END_CALL_TOOL:
            return ToolResult(call, True, "the call ends after your goodbye")
        case core.playbook.TRANSFER_TOOL:
            return _transfer(live, call)
    return await _run_at_crm(live, call, ordinal)


def _transfer(live: LiveCall, call: ToolCall) -> ToolResult:
    number = live.call.playbook.transfer_to
    if number is None:
        return ToolResult(call, False, "there is nobody to hand over to")
    live.hand_to(number, Disposition.TRANSFERRED)
    return ToolResult(call, True, "the caller is being connected")


async def _run_at_crm(live: LiveCall, call: ToolCall, ordinal: int) -> ToolResult:
    turn = live.conversation.now
    call_id = live.call.call_id
    request = RunTool(
        call_id=call_id,
        playbook=live.call.playbook.ref,
        step=turn.step,
        turn=turn.number,
        call=call,
        idempotency_key=f"{call_id}:{turn.number}:{ordinal}",
        caller_number=live.call.caller_number,
        digits_url=live.gateway.digits_url if live.gateway else "",
    )
    try:
        return await workflow.execute_activity_method(
            CrmActivities.run_tool,
            request,
            start_to_close_timeout=timedelta(seconds=62),  # each tool's own limit, in the playbook, is shorter
            heartbeat_timeout=timedelta(seconds=2),  # a worker that died is no reason to wait that long
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=2),
            summary=f"turn {turn.number}: {call.name}",
        )
    except ActivityError:
        return ToolResult(call, False, "the system did not answer")
