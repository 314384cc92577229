"""Notes on the talk, taken while the assistant speaks: no answer waits for them."""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError

from core.contracts.notes import EarlierCalls, Notes, RecallCaller, TakeNotes
from core.conversation import RECENT_EXCHANGES, Exchange, sum_usage
from core.live_call import LiveCall
from core.note_taking import take_in
from workflows.open_costs import OpenCosts
from workflows.replies import ONCE

with workflow.unsafe.imports_passed_through():
    from activities.notes import NotesActivities

FOLD: Final = 4  # exchanges that prompts are about to lose are summed up so many at a time


class NoteTaker:
    """Keeps the call's memory up to date."""

    def __init__(self, live: LiveCall, costs: OpenCosts) -> None:
        self._live = live
        self._costs = costs
        self._taking: workflow.ActivityHandle[Notes] | None = None
        self._asked_for = 0  # the turn

    def take_if_due(self) -> None:
        """Called once speech is scheduled; of a turn that may be none, once it is one.

        One at a time. What a worker or a run has lost is noted with the next turn.
        """
        live = self._live
        turn = live.conversation.now
        if self._taking is not None or turn.eager is not None or not turn.caller or turn.number <= self._asked_for:
            return
        older = self._older()
        if not live.call.playbook.takes_notes and not older:
            return
        self._asked_for = turn.number
        self._taking = workflow.start_activity_method(
            NotesActivities.take_notes,
            TakeNotes(
                live.call.call_id,
                live.call.playbook.ref,
                turn.number,
                turn.step,
                live.conversation.since(live.memory.noted),
                live.memory,
                live.call.variables,
                older,
            ),
            schedule_to_close_timeout=timedelta(seconds=20),  # one model call, for which nobody waits
            retry_policy=ONCE,
            summary=f"turn {turn.number}: take notes",
        )
        self._taking.add_done_callback(self._hear)
        self._costs.expect(self._taking)

    def _older(self) -> tuple[Exchange, ...]:
        live = self._live
        if not live.call.playbook.sums_up:
            return ()
        older = live.conversation.between(live.memory.summarized, RECENT_EXCHANGES - FOLD)
        return older if len(older) >= FOLD else ()

    def _hear(self, taking: asyncio.Task[Notes]) -> None:
        self._taking = None
        if taking.cancelled() or taking.exception() is not None:
            return
        notes, live = taking.result(), self._live
        take_in(live.memory, notes)
        turn = next((turn for turn in live.conversation.turns if turn.number == notes.turn), live.conversation.now)
        turn.step_usage = sum_usage((turn.step_usage, notes.usage))


async def recall_caller(live: LiveCall) -> None:
    """Learn what this caller's earlier calls were about, while they are being greeted."""
    call = live.call
    try:
        earlier: EarlierCalls = await workflow.execute_activity_method(
            NotesActivities.recall_caller,
            RecallCaller(call.call_id, call.caller_number, call.tenant),
            schedule_to_close_timeout=timedelta(seconds=5),  # later the call is under way without it
            retry_policy=ONCE,
            summary="recall the caller",
        )
    except ActivityError:
        return
    live.memory.earlier = earlier.text
