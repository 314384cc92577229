"""A worker of calls that is never heard of again once it has been given certain work."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.roster import roster
from tests.world.world import CallWorld
from workflows.call import CallWorkflow

QUEUE = "dying"


@asynccontextmanager
async def dying_worker(world: CallWorld, name: str, work: Callable[..., Any]) -> AsyncIterator[None]:
    """It takes the calls of QUEUE. ``work``: instead of the activity method of this name."""
    others = [one for one in roster(world.ports).calls if one.__name__ != name]
    async with Worker(
        world.client,
        task_queue=QUEUE,
        workflows=[CallWorkflow],
        activities=[*others, work],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield
