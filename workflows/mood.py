"""How the caller feels, read while the assistant speaks: no answer waits for it."""

import asyncio
from datetime import timedelta
from functools import partial

from temporalio import workflow

from core.agenda import LIKELY
from core.contracts.call import MoodRead, ReadMood
from core.conversation import Turn, sum_usage
from core.live_call import LiveCall
from core.mood import is_due
from workflows.attempts import ONCE
from workflows.open_costs import OpenCosts

with workflow.unsafe.imports_passed_through():
    from activities.mood import MoodActivities


class MoodReader:
    """Reads the mood of turns whose step was found without the model."""

    def __init__(self, live: LiveCall, costs: OpenCosts) -> None:
        self._live = live
        self._costs = costs
        self._asked: set[int] = set()  # turns

    def read_if_due(self) -> None:
        """Called once speech is scheduled; of a turn that may be none, once it is one."""
        live = self._live
        turn = live.conversation.now
        if turn.eager is not None or not self._is_due(turn):
            return
        self._asked.add(turn.number)
        handle = workflow.start_activity_method(
            MoodActivities.read_mood,
            ReadMood(
                live.call.call_id,
                live.call.playbook.ref,
                turn.step,
                turn.number,
                turn.caller,
                live.conversation.recent(),
            ),
            schedule_to_close_timeout=timedelta(seconds=10),  # one model call, for which nobody waits
            retry_policy=ONCE,
            summary=f"turn {turn.number}: read mood",
        )
        handle.add_done_callback(partial(self._hear, turn))
        self._costs.expect(handle)

    def leave_to_notes(self, turn: Turn) -> bool:
        """Whether the mood is to be read by those who take notes on the running turn; then nobody else does."""
        due = self._is_due(turn)
        if due:
            self._asked.add(turn.number)
        return due

    def take_back(self, turn: Turn) -> None:
        """No notes have come."""
        self._asked.discard(turn.number)

    def _is_due(self, turn: Turn) -> bool:
        if turn.step_method == LIKELY:
            return False  # the model is being asked already
        asked = turn.number in self._asked or not turn.caller
        return not asked and is_due(self._live.moods, self._live.call.playbook.mood)

    def _hear(self, turn: Turn, reading: asyncio.Task[MoodRead]) -> None:
        if reading.cancelled() or reading.exception() is not None:
            return
        read = reading.result()
        turn.step_usage = sum_usage((turn.step_usage, read.usage))
        self._live.feel(turn, read.mood)
