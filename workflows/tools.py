"""Tool calls: the model asks, the workflow decides who carries them out, and takes back what came to nothing."""

import json
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

import core.playbook
from core.contracts.tools import RunTool, ToolOutcome, UndoTool
from core.contracts.transfer import Cause
from core.conversation import ToolCall, ToolResult
from core.live_call import LiveCall
from core.tool_memory import Done, Pending
from workflows.attempts import ALIVE

with workflow.unsafe.imports_passed_through():
    from activities.tools import ToolActivities

LONGEST: Final = timedelta(seconds=62)  # of an attempt: each tool's own limit, in the playbook, is shorter
LONGEST_ARGUMENT: Final = 600  # of what a model says about a transfer
RETRIES: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_attempts=5
)  # the activity stops sooner, after the tool's own ``attempts``


def next_ordinal(live: LiveCall) -> int:
    """Of the running turn's tool calls."""
    turn = live.conversation.now
    return live.tools.number(turn.number, len(turn.tools))


async def run_tool(live: LiveCall, call: ToolCall, ordinal: int) -> ToolResult | None:
    """Carry out one tool call. Ending and handing over are the workflow's own to do; never raises.

    None: the caller has to confirm it first; it waits in ``live.tools.pending``.
    """
    match call.name:
        case core.playbook.END_CALL_TOOL:
            return ToolResult(call, True, "the call ends after your goodbye")
        case core.playbook.TRANSFER_TOOL:
            return _transfer(live, call)
    turn = live.conversation.now
    if unsure := live.memory.unconfirmed(call.arguments, live.call.playbook.confirms, turn.number):
        values = ", ".join(f"{name} {call.arguments[name]}" for name in unsure)
        return ToolResult(call, False, f"not done: first read back to the caller and ask whether it is right: {values}")
    if (known := live.tools.recall(turn.step, call, _now_ms())) is not None:
        return known
    outcome = await _run(live, _request(live, call, ordinal, turn.step), turn.number)
    if not outcome.ask:
        return outcome.result
    if live.tools.pending is not None:
        return ToolResult(call, False, "not done: another question waits for the caller's yes; ask again after it")
    live.tools.pending = Pending(call, turn.step, turn.number, outcome.ask)
    return None


async def run_confirmed(live: LiveCall, pending: Pending, ordinal: int) -> ToolResult:
    """Carry out what the caller has said yes to, in the step in which it was asked for."""
    request = replace(_request(live, pending.call, ordinal, pending.step), confirmed=True)
    return (await _run(live, request, pending.turn)).result


def undo_failed_request(live: LiveCall) -> list[Coroutine[Any, Any, ToolResult]]:
    """A write has failed: what was done for the same request before it is taken back, the last first."""
    request, live.tools.failed = live.tools.failed, None
    return undo(live, request, "a later step failed") if request is not None else []


def undo(live: LiveCall, request: int, why: str) -> list[Coroutine[Any, Any, ToolResult]]:
    """Take back what a request has changed. One after the other: the order may matter."""
    taken = live.tools.take_undoable(request)
    return [_undo_all(live, taken, why)] if taken else []


async def _undo_all(live: LiveCall, taken: list[Done], why: str) -> ToolResult:
    undone: list[str] = []
    stays: list[str] = []
    for done in taken:
        outcome = await _undo(live, done)
        live.tools.kept.clear()
        (undone if outcome.ok else stays).append(done.run.call.name)
        if not outcome.ok:
            workflow.logger.warning("undo_failed", extra={"tool": done.run.call.name})
    first = taken[0].run.call
    told = {"status": "NOT undone" if stays else "undone", "reason": why, "undone": undone, "not_undone": stays}
    call = ToolCall(f"undo-{first.id}", first.name, first.arguments)
    return ToolResult(call, not stays, json.dumps(told))


async def _undo(live: LiveCall, done: Done) -> ToolOutcome:
    request = UndoTool(replace(done.run, digits_url=live.gateway.digits_url if live.gateway else ""), done.answer)
    try:
        return await workflow.execute_activity_method(
            ToolActivities.undo_tool,
            request,
            start_to_close_timeout=LONGEST,
            heartbeat_timeout=ALIVE,
            retry_policy=RETRIES,
            summary=f"turn {live.conversation.now.number}: undo {done.run.call.name}",
        )
    except ActivityError:
        return ToolOutcome(done.run.call, False, "the system did not answer")


async def _run(live: LiveCall, request: RunTool, asked_in: int) -> ToolOutcome:
    try:
        outcome = await workflow.execute_activity_method(
            ToolActivities.run_tool,
            request,
            start_to_close_timeout=LONGEST,
            heartbeat_timeout=ALIVE,
            retry_policy=RETRIES,
            summary=f"turn {request.turn}: {request.call.name}",
        )
    except ActivityError:
        outcome = ToolOutcome(request.call, False, "the system did not answer")
    live.tools.remember(request, outcome, asked_in, _now_ms())
    return outcome


def _request(live: LiveCall, call: ToolCall, ordinal: int, step: str) -> RunTool:
    turn = live.conversation.now
    call_id = live.call.call_id
    return RunTool(
        call_id=call_id,
        playbook=live.call.playbook.ref,
        step=step,
        turn=turn.number,
        call=call,
        idempotency_key=f"{call_id}:{turn.number}:{ordinal}",
        caller_number=live.call.caller_number,
        digits_url=live.gateway.digits_url if live.gateway else "",
        our_number=live.call.our_number,
        direction=live.call.direction.value,
        variables=live.call.variables,
        language=live.language,
        wrong_before=live.tools.wrong == (turn.number, call.name),
    )


def _transfer(live: LiveCall, call: ToolCall) -> ToolResult:
    playbook = live.call.playbook
    if not playbook.has_people:
        return ToolResult(call, False, "there is nobody to hand over to")
    if live.transfer is not None:
        return ToolResult(call, True, "a colleague is being called already; stay with the caller until they answer")
    asked = {name: str(value)[:LONGEST_ARGUMENT] for name, value in call.arguments.items()}
    queue = asked.get("queue", "")
    if queue and queue not in (known := [each.name for each in playbook.queues]):
        return ToolResult(call, False, f"there is no such queue, only: {', '.join(known)}")
    context = asked.get("context_summary", "")
    live.escalate(Cause.REQUEST, _now_ms(), queue=queue, reason=asked.get("reason", ""), context=context)
    if live.hand_over is not None:
        return ToolResult(call, True, "the caller is being connected")
    return ToolResult(call, True, "a colleague is being called; ask the caller in one short sentence to stay")


def _now_ms() -> float:
    return workflow.time() * 1_000
