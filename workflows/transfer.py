"""Warm transfers, beside the talk: a representative is called and briefed while the assistant keeps the caller company.

A saga: whatever has been begun is taken back when it comes to nothing. The representative's leg is put down when the
caller leaves, the caller's leg is fetched back when the representative does. Each end has a ``TransferOutcome``.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from core.contracts.call import CarrierCall, Phase
from core.contracts.transfer import (
    Briefing,
    Cause,
    DialRepresentative,
    NoteTransfer,
    OpenQueue,
    QueueOpened,
    TransferOutcome,
    Wanted,
    WriteBriefing,
)
from core.conversation import ToolCall, ToolResult
from core.live_call import Ending, LiveCall
from core.outcome import Disposition
from core.playbook import TRANSFER_TOOL
from core.transfer import Stage, Transfer, plain_briefing, unreached_words
from workflows.attempts import ALIVE, ELSEWHERE, ONCE
from workflows.dialling import UNCLEAR
from workflows.leg import redirect
from workflows.replies import until

with workflow.unsafe.imports_passed_through():
    from activities.telephony import TelephonyActivities
    from activities.transfer import TransferActivities

DECIDING: Final = timedelta(seconds=60)  # on top of the ringing: to hear the briefing and press a key
NO_CALLBACK: Final = {TransferOutcome.TALKED, TransferOutcome.WITHDRAWN}


async def see_to_transfers(live: LiveCall, changed: Callable[[], None]) -> None:
    """Carry out every transfer that the call wants, one after the other; runs as long as the call."""
    while True:
        await workflow.wait_condition(lambda: live.transfer is not None)
        if (transfer := live.transfer) is not None:
            await _carry_out(live, transfer)
            changed()


async def _carry_out(live: LiveCall, transfer: Transfer) -> None:
    _have_briefing_written(live, transfer)
    transfer.queue = await _open_queue(live, transfer)
    for number in transfer.queue.numbers:
        transfer.ring(number)
        await _reach(live, transfer)
        if transfer.stage is Stage.ACCEPTED:
            await _put_through(live, transfer)
        await _put_down(live, transfer)
        if transfer.bridged_ms is not None or live.ending is not None:
            break
    transfer.fail(TransferOutcome.CLOSED)  # nobody was there to be called
    _close(live, transfer)


def _have_briefing_written(live: LiveCall, transfer: Transfer) -> None:
    """While it rings: nobody waits for it. Until it is there, or if it never is, what is known is told plainly."""
    call, now = live.call, live.conversation.now
    recent = (*live.conversation.recent(), now.exchange())
    done = tuple(result for turn in live.conversation.turns for result in turn.tools)
    transfer.briefing = plain_briefing(transfer.wanted, call.caller_number, call.variables, recent, done)
    if not (transfer.wanted.queue or transfer.wanted.number):
        return  # there is nobody to be briefed
    writing = workflow.start_activity_method(
        TransferActivities.write_briefing,
        WriteBriefing(
            call.call_id, call.playbook.ref, transfer.wanted, now.step, call.caller_number, recent, call.variables, done
        ),
        schedule_to_close_timeout=timedelta(seconds=15),  # one model call; by then somebody has answered
        heartbeat_timeout=ALIVE,
        retry_policy=ELSEWHERE,
        summary=f"transfer {transfer.number}: write the briefing",
    )
    writing.add_done_callback(partial(_take_briefing, live, transfer))


def _take_briefing(live: LiveCall, transfer: Transfer, writing: "workflow.ActivityHandle[Briefing]") -> None:
    if not writing.cancelled() and writing.exception() is None and transfer.stage is not Stage.OVER:
        transfer.briefing = writing.result()
        _note(live, transfer)


async def _open_queue(live: LiveCall, transfer: Transfer) -> QueueOpened:
    wanted = transfer.wanted
    if wanted.number:
        return QueueOpened((wanted.number,), comes_back=wanted.cause is not Cause.SUPERVISOR or wanted.hands_back)
    if not wanted.queue:
        return QueueOpened((), callback=True)  # the playbook names nobody
    try:
        return await workflow.execute_activity_method(
            TransferActivities.open_queue,
            OpenQueue(live.call.call_id, live.call.playbook.ref, wanted.queue, transfer.number, wanted.cause),
            schedule_to_close_timeout=timedelta(seconds=5),  # the playbook is in the worker already
            heartbeat_timeout=ALIVE,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200)),
            summary=f"transfer {transfer.number}: who is there of {wanted.queue}",
        )
    except ActivityError:
        transfer.fail(TransferOutcome.FAILED)
        return QueueOpened((), callback=True)


async def _reach(live: LiveCall, transfer: Transfer) -> None:
    """Call the representative, and wait for what they decide."""
    queue = transfer.queue or QueueOpened(())
    dialling = DialRepresentative(
        live.call.call_id, transfer.number, transfer.leg, transfer.to, live.call.our_number, queue.ring_seconds
    )
    handle = workflow.start_activity_method(
        TelephonyActivities.dial_representative,
        dialling,
        start_to_close_timeout=timedelta(seconds=15),  # one REST call, as when a call is placed
        heartbeat_timeout=ALIVE,
        retry_policy=ONCE,  # a second try could ring twice
        summary=f"transfer {transfer.number}: dial {'a representative' if live.call.discreet else transfer.to}",
    )
    _note(live, transfer)
    patience = timedelta(seconds=queue.ring_seconds) + DECIDING
    try:
        dialled = await handle
        transfer.carrier_call_id = transfer.carrier_call_id or dialled.carrier_call_id or ""
    except ActivityError as error:
        if not _may_ring(error):
            transfer.fail(TransferOutcome.FAILED)
        elif not await until(lambda: bool(transfer.carrier_call_id), timedelta(seconds=live.call.timers.lost_status)):
            transfer.fail(TransferOutcome.FAILED)  # should it ring all the same: its leg asks, and is put down
    await until(lambda: transfer.decided or live.ending is not None, patience)
    if live.ending is not None:
        transfer.fail(_left(live))
    elif not transfer.decided:
        transfer.fail(TransferOutcome.NO_ANSWER)


def _may_ring(error: ActivityError) -> bool:
    return not isinstance(error.cause, ApplicationError) or error.cause.type in UNCLEAR


def _left(live: LiveCall) -> TransferOutcome:
    hung_up = live.ending is not None and live.ending.disposition is Disposition.CALLER_HUNG_UP
    return TransferOutcome.CALLER_HUNG_UP if hung_up else TransferOutcome.WITHDRAWN


async def _put_through(live: LiveCall, transfer: Transfer) -> None:
    """They take the call: the caller's leg leaves our stream for the conference, and stays as long as they talk."""
    live.phase = Phase.TRANSFERRING
    try:
        await redirect(live, Phase.TRANSFERRING)
    except ActivityError:  # there is no such leg any more
        live.end(Ending(Disposition.CALLER_HUNG_UP))
        transfer.fail(TransferOutcome.CALLER_HUNG_UP)
        return
    _note(live, transfer)

    def parted() -> bool:
        return transfer.leg_is_over or transfer.caller_is_back or live.ending is not None

    joins = timedelta(seconds=live.call.timers.attach)
    if not await until(lambda: transfer.bridged_ms is not None or parted(), joins):
        live.end(Ending(Disposition.CONNECTION_LOST))
    await workflow.wait_condition(parted)  # they talk
    if live.ending is not None:
        transfer.fail(TransferOutcome.TALKED if transfer.bridged_ms is not None else _left(live))
    elif transfer.queue is not None and transfer.queue.comes_back:
        transfer.stage = Stage.OVER
        live.phase = Phase.CONNECTING
        live.returning = transfer.bridged_ms is not None  # now: the caller's next stream may come before we are through
        if not transfer.caller_is_back:  # the conference ends with the representative; else the talk fetches the caller
            live.carrier_asked = False
    else:
        live.end(Ending(transfer.disposition))


async def _put_down(live: LiveCall, transfer: Transfer) -> None:
    """The representative's leg, if there is one."""
    if transfer.leg_is_over or not transfer.carrier_call_id:
        return
    try:
        await workflow.execute_activity_method(
            TelephonyActivities.hang_up,
            CarrierCall(live.call.call_id, transfer.carrier_call_id),
            start_to_close_timeout=timedelta(seconds=5),  # one REST call
            heartbeat_timeout=ALIVE,
            schedule_to_close_timeout=timedelta(seconds=30),  # the carrier's own limit ends it later
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=300)),
            summary=f"transfer {transfer.number}: put the representative's line down",
        )
    except ActivityError:
        workflow.logger.warning("representative_not_put_down")


def _close(live: LiveCall, transfer: Transfer) -> None:
    """Remember what became of it, and have the assistant go on from there."""
    outcome = transfer.outcome or TransferOutcome.FAILED
    wanted_back = transfer.queue is not None and transfer.queue.callback
    known = live.call.caller_number.startswith("+")  # a number that is withheld cannot be called
    callback = wanted_back and known and transfer.bridged_ms is None and outcome not in NO_CALLBACK
    transfer.stage = Stage.OVER
    live.transfers.append(transfer.record(ended_ms=workflow.time() * 1_000, callback=callback))
    _note(live, transfer)
    live.transfer = None
    if live.ending is not None:
        return
    if transfer.wanted.cause is Cause.FAILURE and transfer.bridged_ms is None:
        live.end(Ending(Disposition.VENDOR_FAILURE, live.script.apology))
        return
    asked = ToolCall(f"transfer-{transfer.number}", TRANSFER_TOOL, {})
    words = unreached_words(outcome, callback=callback)
    live.conversation.settled.tools.append(ToolResult(asked, False, words))
    live.answer_again = True


def _note(live: LiveCall, transfer: Transfer) -> None:
    """For those who look on; nobody waits for it."""
    over = transfer.stage is Stage.OVER and live.transfers
    workflow.start_activity_method(
        TransferActivities.note_transfer,
        NoteTransfer(live.call.call_id, live.transfers[-1] if over else transfer.record(), transfer.stage.value),
        schedule_to_close_timeout=timedelta(seconds=10),  # it only queues a line
        retry_policy=ONCE,
        summary=f"transfer {transfer.number}: {transfer.stage.value}",
    )


def announcement(live: LiveCall, queue: str) -> str:
    """What the caller hears while somebody is called; lines of queues are in the playbook's first language."""
    chosen = live.call.playbook.queue(queue)
    if chosen is None or live.language != live.call.playbook.turn_taking.language:
        return live.script.holding_line
    return chosen.line


def company(live: LiveCall) -> str:
    """What the caller hears when nothing was said for long while somebody is called."""
    wanted = live.transfer.wanted if live.transfer is not None else Wanted(Cause.REQUEST)
    chosen = live.call.playbook.queue(wanted.queue) if wanted.queue else None
    if chosen is None or live.language != live.call.playbook.turn_taking.language:
        return live.script.holding_line
    return chosen.company


def welcome_back(live: LiveCall) -> str:
    """What the caller hears first on a new stream."""
    if live.answer_again and live.script.picking_up and not live.returning:
        return live.script.picking_up
    left = live.left_by if live.returning else None
    live.returning = False
    if left is not None and left.cause is Cause.SUPERVISOR and left.number and live.script.handed_back:
        return live.script.handed_back  # by hanging up
    chosen = live.call.playbook.queue(left.queue) if left is not None and left.queue else None
    if chosen is None or live.language != live.call.playbook.turn_taking.language:
        return live.script.welcome_back
    return chosen.back
