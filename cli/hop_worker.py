"""A worker with instant vendors, for ``holdfast bench hop``: tells on its output when each reply's activity started."""

import json
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import uvloop

from cli.lifeline import hold_on
from cli.logging import set_up_logging
from cli.process import prepare_interpreter
from cli.settings import Settings
from cli.temporal_client import connect
from cli.wiring import worker_ports
from core.contracts.call import ReplyKey
from core.contracts.names import CALLS_QUEUE
from evals.instant import InstantReasoner, InstantVoice, TellingPlaybackLine
from workflows.worker import build_workers


async def work(settings: Settings) -> None:
    """Work on live calls until the parent ends."""
    async with worker_ports(settings) as ports:
        instant = replace(
            ports,
            reasoner=InstantReasoner(),
            voice=InstantVoice(),
            line_voice=InstantVoice(),
            playback=TellingPlaybackLine(_tell),
        )
        workers = build_workers(await connect(settings), instant)
        prepare_interpreter()
        await next(worker for worker in workers if worker.task_queue == CALLS_QUEUE).run()


def _tell(call_id: str, key: ReplyKey, started_ms: float) -> None:
    sys.stdout.write(json.dumps([call_id, key.turn, started_ms]) + "\n")
    sys.stdout.flush()


def main(run: Callable[[Coroutine[Any, Any, None]], None] = uvloop.run) -> None:
    """Be the worker."""
    hold_on()
    settings = Settings.read()
    set_up_logging(settings, "worker")
    run(work(settings))


if __name__ == "__main__":
    main()
