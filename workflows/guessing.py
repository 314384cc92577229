"""A turn whose words do not tell its step for sure is answered in the likeliest one while the model is asked."""

from collections.abc import Callable

from core.agenda import KEPT, LIKELY
from core.contracts.call import FindBeside, GatewayAddress, Reply, ReplyKey, ReplyTimings, Respond
from core.conversation import Step, Turn
from core.live_call import LiveCall
from workflows.replies import ReplyFailed, Speaker
from workflows.understanding import told_by_model

Request = Callable[[GatewayAddress, ReplyKey], Respond]


async def answer_while_finding(
    live: LiveCall, speaker: Speaker, request: Request, step: Step
) -> tuple[Step, Reply | None]:
    """The turn's step as the model has told it, and the answer's first part if it was made in the right one.

    A step that is no guess is that already. Nothing of an answer in the wrong one was said: another is to be made.
    """
    if not step.is_guess:
        return step, None
    turn = live.conversation.now
    try:
        reply = await speaker.respond(request) or Reply("", closed=True, timings=ReplyTimings(0.0))  # cut off
    except ReplyFailed:
        reply = None  # it is tried once more, the other way
    if reply is not None and reply.found is not None:
        found = told_by_model(live, reply.found)
    else:
        found = Step(step.name, 0.0, KEPT, slots=step.slots, detour=step.detour)  # nobody could tell
    if turn is live.conversation.now:
        live.conversation.find(found)
    if reply is not None and reply.withheld:
        turn.step_to_ms, turn.tried_ms = found.at_ms, None  # finding the step is all that it came to
    return found, reply if reply is not None and not reply.withheld else None


def asked_beside(live: LiveCall, turn: Turn) -> FindBeside | None:
    """What the answer has to find out; None: the turn's step is known."""
    if turn.step_method != LIKELY:
        return None
    return FindBeside(turn.found_from, live.call.playbook.mood.read, live.language)
