"""What is still being made when a call ends, and has its cost to tell: cut-off speech, notes nobody waited for."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from temporalio import workflow

WAITS: Final = "waits_for_costs"  # the patch since which a call that has ended waits for them


class OpenCosts:
    """Activities whose results somebody takes down when they come, in a call that goes on without them."""

    def __init__(self) -> None:
        self._open: list[asyncio.Task[Any]] = []

    def __bool__(self) -> bool:
        """Whether something has still to tell."""
        return bool(self._open)

    def expect(self, made: asyncio.Task[Any]) -> None:
        """It will tell what it has cost."""
        self._open.append(made)
        made.add_done_callback(self._open.remove)

    async def come_in(self, at_most: timedelta) -> None:
        """Wait until all have told. Nothing open, as mostly: nothing is waited for, and history has no trace of it."""
        if self._open and workflow.patched(WAITS):
            with suppress(TimeoutError):
                await workflow.wait_condition(lambda: not self._open, timeout=at_most)
