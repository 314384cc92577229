"""The caller is on another media stream: the assistant goes on where the last one has cut it off."""

from typing import Protocol

from core.cut_off import cut_off
from core.live_call import LiveCall
from workflows.transfer import welcome_back


class Say(Protocol):
    """Speaks a line; ``CallWorkflow._say``."""

    async def __call__(self, line: str, *, prepare: bool = ..., aside: bool = ...) -> None:
        """Return once it was heard, or something else is due."""
        ...


async def come_back(live: LiveCall, say: Say) -> None:
    """Say what nobody has heard. An answer that has to be made is left to ``LiveCall.answer_again``.

    A stream that our own gateway has handed over is hardly missed: nothing is said of it.
    """
    quiet, live.handed_over = live.handed_over and not live.returning, False
    if live.returning:
        await say(welcome_back(live), prepare=True, aside=True)
        return
    now = live.conversation.now
    lost = cut_off(now)
    unanswered = live.owes_answer and not lost.line
    again = live.answer_again or lost.unmade or unanswered or len(now.tools) > now.tools_told
    if not quiet:
        live.answer_again = again or bool(lost.line)
        await say(welcome_back(live), prepare=True, aside=True)
        lost = cut_off(now)  # by now the dead gateway's workers have told what they know
    live.answer_again = again
    if lost.unmade:
        now.heard_before, now.heard_up_to = lost.after, lost.part
    if lost.line and not live.interrupted:
        await say(lost.line)
    if quiet:
        await say("", prepare=True, aside=True)
