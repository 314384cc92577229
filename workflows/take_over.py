"""A supervisor talks with the caller from the browser: the assistant stands by, takes down what is said, goes on."""

from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow

from core.contracts.transfer import NoteTransfer, TransferRecord
from core.live_call import LiveCall, Opening
from core.supervisor import Supervisor
from core.taking_over import (
    can_take_down,
    close_take_over,
    is_unanswered,
    supervisor_is_done,
    take_down_overheard,
    was_greeted,
)
from core.transfer import Stage
from workflows.attempts import ONCE
from workflows.understanding import understood

with workflow.unsafe.imports_passed_through():
    from activities.transfer import TransferActivities


async def stand_by(live: LiveCall, changed: Callable[[], None]) -> None:
    """Be silent until the call is given back; then greet the caller again, and answer what nobody has answered."""
    supervisor = live.supervisor
    if supervisor is None:
        return
    _note(live, supervisor.record(), Stage.BRIDGED)
    changed()
    while not supervisor_is_done(live):
        await workflow.wait_condition(lambda: can_take_down(live) or supervisor_is_done(live))
        await _take_down(live)
        changed()
    take_down_overheard(live, all_of_it=True)
    end_take_over(live)
    changed()
    if supervisor.back is not None and not live.cut_off:
        _go_on(live, supervisor)


def _go_on(live: LiveCall, supervisor: Supervisor) -> None:
    """The call is ours again."""
    script = live.script
    if supervisor.deaf:
        live.fail()
    elif not was_greeted(live):  # the greeting holds what has to be told
        live.opening = Opening.GREETING
    elif supervisor.back is not None and supervisor.back.lost:
        live.lines.insert(0, script.welcome_back)
    else:
        live.lines.insert(0, script.handed_back or script.welcome_back)  # older calls do not know the former
    live.answer_again = is_unanswered(live) and not live.over


def end_take_over(live: LiveCall) -> None:
    """Remember what became of it, if there is one."""
    record = close_take_over(live, workflow.time() * 1_000)
    if record is not None:
        _note(live, record, Stage.OVER)


async def _take_down(live: LiveCall) -> None:
    for turn in live.inbox.take_turns():
        text, confidence = await understood(live, turn)
        live.conversation.hear(turn.turn, text, confidence, turn.timings.decided_ms)
        live.heed_language(turn)
    take_down_overheard(live)


def _note(live: LiveCall, record: TransferRecord, stage: Stage) -> None:
    """For those who look on; nobody waits for it."""
    workflow.start_activity_method(
        TransferActivities.note_transfer,
        NoteTransfer(live.call.call_id, record, stage.value),
        schedule_to_close_timeout=timedelta(seconds=10),  # it only queues a line
        retry_policy=ONCE,
        summary=f"take-over {record.transfer}: {stage.value}",
    )
