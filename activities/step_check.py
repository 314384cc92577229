"""Finding a turn's step by the model beside its answer, which is made in the likeliest step and waits for the word."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from core.conversation import Step


class StepCheck:
    """Whether the model names the likely step too, and that alone."""

    def __init__(self, finding: asyncio.Task[Step], likely: str) -> None:
        self._finding = finding
        self._likely = likely

    @property
    def found(self) -> Step | None:
        """What the model has named; None as long as it has not."""
        finding = self._finding
        told = finding.done() and not finding.cancelled() and finding.exception() is None
        return finding.result() if told else None

    async def agrees(self) -> bool:
        """Wait for the model. Something that ends the call or goes to a person is said otherwise, or not at all."""
        found = await asyncio.shield(self._finding)
        plain = not (found.escalates or found.ends_call or found.matters)
        return plain and found.name == self._likely and found.method == "model"


@asynccontextmanager
async def checking(finding: Coroutine[Any, Any, Step] | None, likely: str) -> AsyncIterator[StepCheck | None]:
    """Have the step found while the block runs; None: it is known."""
    if finding is None:
        yield None
        return
    task = asyncio.create_task(finding)
    try:
        yield StepCheck(task, likely)
    finally:
        task.cancel()
        await asyncio.wait([task])
