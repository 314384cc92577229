"""What the caller has said, and which step of the playbook it belongs to."""

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

from core.agenda import LIKELY, OFF_TOPIC
from core.contracts.call import CallerTurn, FinalizeTranscript, MatchStep, ReasonStep
from core.conversation import Step
from core.live_call import LiveCall
from core.serving import gives_up
from core.wishes import asks_only_for_time
from workflows.attempts import ALIVE, ELSEWHERE, ONCE
from workflows.escalation import may_give_up

with workflow.unsafe.imports_passed_through():
    from activities.conversation import ConversationActivities


async def understood(live: LiveCall, turn: CallerTurn) -> tuple[str, float]:
    """The turn's text and how sure it is. An unsure one is transcribed again, at leisure, from its kept audio."""
    unsure = turn.confidence < live.call.playbook.min_confidence
    if unsure and live.gateway is not None and live.gateway.attachment == turn.attachment:
        try:
            transcript = await workflow.execute_activity_method(
                ConversationActivities.finalize_transcript,
                FinalizeTranscript(live.call.call_id, turn.turn, live.gateway.audio_url, live.language),
                schedule_to_close_timeout=timedelta(seconds=3),  # later the unsure text is better than more silence
                heartbeat_timeout=ALIVE,
                retry_policy=ELSEWHERE,
                summary=f"turn {turn.turn}: transcribe again",
            )
        except ActivityError:
            return turn.text, turn.confidence
        if transcript.took.seconds:
            live.conversation.heard_again.append(transcript.took)
        if transcript.text:
            return transcript.text, transcript.confidence
    return turn.text, turn.confidence


async def find_step(live: LiveCall, text: str, *, ahead: bool = True) -> Step:
    """By the words; where they do not tell, by the model; where that fails too, the call stays where it is.

    Args:
        ahead: the answer may be made in a step that is only likely (``Step.is_guess``) while the model is asked.
    """
    turn = live.conversation.now
    if (line := live.script.take_your_time) and asks_only_for_time(text, live.language):
        return Step(turn.step, 1.0, "wish", answer=line)
    matched = await _match(live, text)
    if matched is not None and matched.name is None and matched.likely and ahead:
        turn.step_from_ms, turn.step_to_ms = (matched.at_ms or 0.0) - matched.took_ms, matched.at_ms
        turn.found_from = turn.step
        return replace(matched, name=matched.likely, method=LIKELY, likely="")
    found = matched if matched is not None and matched.name is not None else await _reason(live, text)
    if matched is None or matched.name is None:
        found = told_by_model(live, found, fallback=matched is not None)
    first = matched or found
    if first.at_ms is not None and found.at_ms is not None:
        turn.step_from_ms, turn.step_to_ms = first.at_ms - first.took_ms, found.at_ms
    return found


def told_by_model(live: LiveCall, found: Step, *, fallback: bool = True) -> Step:
    """What follows from the model's word. ``fallback``: the turn's words alone did not tell."""
    if found.method in ("model", OFF_TOPIC):
        return replace(found, fallback=fallback)
    if gives_up(live.memory, live.call.playbook, found) and may_give_up(live):
        return replace(found, escalates=True)
    return found


async def _match(live: LiveCall, text: str) -> Step | None:
    """None too in a language that the playbook's examples are not in: only a model can tell."""
    turn = live.conversation.now
    if live.language != live.call.playbook.turn_taking.language:
        return None
    try:
        return await workflow.execute_local_activity_method(
            ConversationActivities.match_step,
            MatchStep(
                live.call.call_id,
                live.call.playbook.ref,
                turn.step,
                text,
                turn.number,
                canned=not live.conversation.owes_results,
                memory=live.memory,
                variables=live.call.variables,
                language=live.language,
            ),
            schedule_to_close_timeout=timedelta(milliseconds=500),  # it takes 1 ms, and holds back messages meanwhile
            retry_policy=ONCE,
            summary=f"turn {turn.number}: match step",
        )
    except FailureError as error:  # a local activity's error comes as it is
        if is_cancelled_exception(error):
            raise
        return None


async def _reason(live: LiveCall, text: str) -> Step:
    turn = live.conversation.now
    request = ReasonStep(
        live.call.call_id,
        live.call.playbook.ref,
        turn.step,
        turn.number,
        text,
        live.conversation.recent(),
        mood=live.call.playbook.mood.read,
        memory=live.memory,
        variables=live.call.variables,
        language=live.language,
    )
    try:
        return await workflow.execute_activity_method(
            ConversationActivities.reason_step,
            request,
            schedule_to_close_timeout=timedelta(seconds=4),  # one model call; the caller waits for it
            heartbeat_timeout=ALIVE,
            retry_policy=ELSEWHERE,
            summary=f"turn {turn.number}: find step",
        )
    except ActivityError:
        return Step(turn.step, 0.0, "kept")
