"""What the caller answers to a tool call that was read back to them. The workflow decides, not the model that asked."""

from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.exceptions import ActivityError

from core.confirming import Verdict, verdict_in, withdraws
from core.contracts.tools import JudgeConfirmation
from core.conversation import Step, ToolResult, sum_usage
from core.live_call import LiveCall
from core.tool_memory import Pending
from core.tools import was_read_back
from workflows.attempts import ALIVE, ELSEWHERE
from workflows.replies import until
from workflows.tools import next_ordinal, run_confirmed, undo

with workflow.unsafe.imports_passed_through():
    from activities.tools import ToolActivities

REPORTED: Final = timedelta(seconds=1)  # the gateway tells what was heard before it tells what was answered


@dataclass(frozen=True)
class ReadBackAnswer:
    """A pending call, whether the caller has heard it whole, and what they answered."""

    pending: Pending
    heard: bool
    verdict: Verdict


async def answer_to_read_back(live: LiveCall, said: str) -> ReadBackAnswer | None:
    """By the words; where they do not tell, by the model. None: nothing waits for a yes."""
    pending = live.tools.take_pending()
    if pending is None:
        return None
    heard = await _was_heard(live, pending)
    verdict = verdict_in(said, live.language)
    if verdict is Verdict.UNCLEAR and heard:
        verdict = await _judge(live, pending, said)
    return ReadBackAnswer(pending, heard, verdict)


def step_of(answered: ReadBackAnswer | None) -> Step | None:
    """A yes stays in the step in which it was asked for; everything else belongs where its words say."""
    if answered is None or answered.verdict is not Verdict.YES:
        return None
    return Step(answered.pending.step, 1.0, "confirmed")


def follow(live: LiveCall, answered: ReadBackAnswer | None, said: str) -> list[Coroutine[Any, Any, ToolResult]]:
    """What is to be carried out now: what the caller confirms, or the undoing of what they take back."""
    turn = live.conversation.now
    if answered is None:
        request = request_taken_back(live, turn.number, said)
        return undo(live, request, "the caller takes it back") if request is not None else []
    pending = answered.pending
    if answered.verdict is Verdict.YES:
        if answered.heard:
            return [run_confirmed(live, pending, next_ordinal(live))]
        if not pending.again:
            live.tools.pending = replace(pending, again=True)
            return []
    words = "the caller does not want it so" if answered.verdict is Verdict.NO else "the caller has not said yes"
    turn.tools.append(ToolResult(pending.call, False, f"{words}: it was not done"))
    return []


def request_taken_back(live: LiveCall, turn: int, said: str) -> int | None:
    """The request, by its turn, that the caller takes back in this one; None: none that can be."""
    return live.tools.last_request(turn) if withdraws(said, live.language) else None


async def _was_heard(live: LiveCall, pending: Pending) -> bool:
    """Whether the caller heard all values that the line reads back. Nobody can confirm what they have not heard."""
    since = [turn for turn in live.conversation.turns if turn.number >= pending.turn]
    await until(lambda: live.over or not any(turn.outstanding for turn in since), REPORTED)
    return any(
        was_read_back(pending.ask, utterance.heard or "", pending.call.arguments, live.language)
        for turn in since
        for utterance in turn.utterances
    )


async def _judge(live: LiveCall, pending: Pending, said: str) -> Verdict:
    turn = live.conversation.now
    try:
        judged = await workflow.execute_activity_method(
            ToolActivities.judge_confirmation,
            JudgeConfirmation(live.call.call_id, turn.number, pending.ask, said),
            schedule_to_close_timeout=timedelta(seconds=4),  # one model call; the caller waits for it
            heartbeat_timeout=ALIVE,
            retry_policy=ELSEWHERE,
            summary=f"turn {turn.number}: a yes?",
        )
    except ActivityError:
        return Verdict.UNCLEAR
    turn.step_usage = sum_usage((turn.step_usage, judged.usage))
    return Verdict(judged.verdict)
