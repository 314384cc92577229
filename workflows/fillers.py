"""What the caller hears while a tool takes its time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow

from core.live_call import LiveCall
from workflows.replies import ReplyFailed, until


async def keep_company(live: LiveCall, done: asyncio.Future[Any], say: Callable[[str], Awaitable[object]]) -> None:
    """Until it is done or the caller speaks: a filler after a while, further ones after longer and longer whiles.

    Once all were said, the gateway fills the silence (core.dead_air): the same again would sound like a machine.
    """
    turn = live.conversation.now
    pause = timedelta(milliseconds=live.call.playbook.filler_after_ms)
    while not await until(lambda: done.done() or live.interrupted, pause):
        if turn.outstanding:
            continue  # what we said before is still being heard
        if not live.fillers:
            return
        line = live.fillers[0]
        live.count_fillers(turn, 1)
        speaking = asyncio.create_task(_try(say, line))
        await workflow.wait_condition(lambda: speaking.done() or done.done() or live.interrupted)  # noqa: B023
        pause *= 2


async def _try(say: Callable[[str], Awaitable[object]], line: str) -> None:
    """Nobody waits for it, and nothing is lost without it."""
    try:
        await say(line)
    except ReplyFailed as failure:
        workflow.logger.warning("filler_failed", extra={"reason": str(failure)})
