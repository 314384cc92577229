"""Who is to be missed by the heartbeat has one."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.heartbeats import Heartbeats


class Work(ActivityInboundInterceptor):
    """An activity that runs until it is told to end."""

    def __init__(self) -> None:
        self.ends = asyncio.Event()

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """Wait for the end."""
        await self.ends.wait()
        return "done"


def environment(missed_after: timedelta | None) -> tuple[ActivityEnvironment, "asyncio.Queue[None]"]:
    """Where an activity runs, and its heartbeats."""
    beats: asyncio.Queue[None] = asyncio.Queue()
    place = ActivityEnvironment()
    place.info = replace(place.info, heartbeat_timeout=missed_after)
    place.on_heartbeat = lambda *_: beats.put_nowait(None)
    return place, beats


async def run(work: Work) -> Any:
    """As a worker has it run."""
    with ThreadPoolExecutor(1) as threads:
        return (
            await Heartbeats()
            .intercept_activity(work)
            .execute_activity(ExecuteActivityInput(fn=lambda: None, args=[], executor=threads, headers={}))
        )


@pytest.mark.timeout(30)
async def test_an_activity_that_would_be_missed_shows_again_and_again_that_it_lives() -> None:
    place, beats = environment(timedelta(milliseconds=30))
    work = Work()
    running = asyncio.ensure_future(place.run(run, work))
    for _ in range(3):
        await beats.get()
    work.ends.set()
    assert await running == "done"


async def test_an_activity_that_nobody_misses_is_left_alone() -> None:
    place, beats = environment(None)
    work = Work()
    work.ends.set()
    assert await place.run(run, work) == "done"
    assert beats.empty()
