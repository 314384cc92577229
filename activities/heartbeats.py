"""Tells Temporal of activities that they are alive, so that those of a worker that died are soon given to another."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

SHARE = 2 / 3  # of the timeout, until the first: most activities are over by then


class Heartbeats(Interceptor):
    """Beats for each activity that is to be missed, as long as it runs."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Put between worker and activity."""
        return _Alive(next)


class _Alive(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        timeout = activity.info().heartbeat_timeout
        if not timeout:
            return await super().execute_activity(input)
        with _beating(timeout.total_seconds() * SHARE):
            return await super().execute_activity(input)


@contextmanager
def _beating(every_s: float) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def wait() -> None:
        nonlocal timer
        timer = loop.call_later(every_s, beat)

    def beat() -> None:
        activity.heartbeat()
        wait()

    wait()
    try:
        yield
    finally:
        timer.cancel()
