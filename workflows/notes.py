"""Notes on the talk, taken while the assistant speaks: no answer waits for them."""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError

from core.contracts.call import Reply
from core.contracts.notes import EarlierCalls, Notes, NotesDue, RecallCaller, TakeNotes
from core.conversation import RECENT_EXCHANGES, Exchange, Turn, Usage, sum_usage
from core.live_call import LiveCall
from core.note_taking import take_in
from workflows.attempts import ONCE
from workflows.mood import MoodReader
from workflows.open_costs import OpenCosts

with workflow.unsafe.imports_passed_through():
    from activities.notes import NotesActivities

FOLD: Final = 4  # exchanges that prompts are about to lose are summed up so many at a time


class NoteTaker:
    """Keeps the call's memory up to date."""

    def __init__(self, live: LiveCall, costs: OpenCosts, moods: MoodReader) -> None:
        self._live = live
        self._costs = costs
        self._moods = moods
        self._taking: workflow.ActivityHandle[Notes] | None = None
        self._asked_for = 0  # the turn
        self._brought_by = 0  # the turn whose answer is to bring notes
        self._ahead: tuple[Turn, Notes] | None = None  # brought by an answer to what may be no turn

    def with_answer(self) -> NotesDue | None:
        """What is to be noted while the running turn's answer is heard; None: nothing, or not so."""
        self._take_in_ahead()
        live = self._live
        turn, older = live.conversation.now, self._older()
        if not live.call.playbook.notes_with_answers or self._taking is not None or not self._is_due(turn, older):
            return None
        self._asked_for = self._brought_by = turn.number
        mood = self._moods.leave_to_notes(turn)
        return NotesDue(live.conversation.since(live.memory.noted), older, mood, live.call.caller_number)

    def hear_answer(self, turn: Turn, made: asyncio.Task[Reply]) -> None:
        """An answer that was to bring notes is over. Without them, the next one is to bring them."""
        notes = None if made.cancelled() or made.exception() is not None else made.result().notes
        if notes is None:
            self._forget(turn)
            return
        turn.step_usage = sum_usage((turn.step_usage, notes.usage))
        self._ahead = turn, notes
        if turn.dropped:
            self._live.conversation.spend(turn, Usage())
        if turn.dropped or turn.eager is None:
            self._take_in_ahead()

    def take_if_due(self) -> None:
        """Called once speech is scheduled; of a turn that may be none, once it is one.

        One at a time. What a worker or a run has lost is noted with the next turn.
        """
        self._take_in_ahead()
        live = self._live
        turn, older = live.conversation.now, self._older()
        if self._taking is not None or turn.eager is not None or not self._is_due(turn, older):
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
                caller_number=live.call.caller_number,
            ),
            schedule_to_close_timeout=timedelta(seconds=20),  # one model call, for which nobody waits
            retry_policy=ONCE,
            summary=f"turn {turn.number}: take notes",
        )
        self._taking.add_done_callback(self._hear)
        self._costs.expect(self._taking)

    def _is_due(self, turn: Turn, older: tuple[Exchange, ...]) -> bool:
        told = bool(turn.caller) and turn.number > self._asked_for
        return told and (self._live.call.playbook.takes_notes or bool(older))

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
        notes, conversation = taking.result(), self._live.conversation
        turn = next((turn for turn in conversation.turns if turn.number == notes.turn), conversation.now)
        turn.step_usage = sum_usage((turn.step_usage, notes.usage))
        self._take_in(turn, notes)

    def _take_in_ahead(self) -> None:
        """Believe what an answer has brought, once its turn is known to be one; forget it if it was none."""
        if self._ahead is None or (self._ahead[0].eager is not None and not self._ahead[0].dropped):
            return
        (turn, notes), self._ahead = self._ahead, None
        if turn.dropped:
            self._forget(turn)
        else:
            self._take_in(turn, notes)

    def _take_in(self, turn: Turn, notes: Notes) -> None:
        take_in(self._live.memory, notes)
        self._live.feel(turn, notes.mood)

    def _forget(self, turn: Turn) -> None:
        if self._brought_by == turn.number:
            self._asked_for, self._brought_by = turn.number - 1, 0
            self._moods.take_back(turn)


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
