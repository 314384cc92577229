"""Finished calls whose after-call workflows really run, beside an API."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from temporalio.client import Client

from core.contracts import names
from core.contracts.call import CallTimers
from core.contracts.playbook import brief_of
from core.patience import Patience
from storage.after_calls import SqlAfterCalls
from storage.calls import SqlCallStore
from storage.database import Database
from storage.webhooks import SqlWebhooks
from tests.api.world import ApiWorld
from tests.storage.records import ended_call
from tests.world.playbook import orders
from tests.world.world import PATIENCE_S, CallWorld
from vendors.webhook_sender import GuardedSender
from workflows.worker import build_workers

NEVER_AGAIN = Patience(first=3_600.0, longest=3_600.0)  # but when an operator asks
NO_PATIENCE = Patience(first=0.01, longest=0.01, whole=0.0)


@dataclass
class AfterWorld:
    """An API, and the vendors behind the workers of the queue after-calls."""

    api: ApiWorld
    calls: CallWorld

    async def ended(self, patience: Patience, **changes: Any) -> str:
        """A call ends; what follows it begins."""
        call_id = f"CA{uuid4().hex}"
        record = ended_call(call_id, **changes)
        playbook = brief_of(self.calls.playbooks.put(orders()))
        call = replace(record.call, playbook=playbook, timers=CallTimers(after_call=patience))
        await self.api.temporal.start_workflow(
            names.AFTER_CALL_WORKFLOW,
            replace(record, call=call),
            id=names.after_call_workflow_id(call_id),
            task_queue=names.AFTER_CALLS_QUEUE,
        )
        return call_id

    async def over(self, call_id: str) -> None:
        """Wait until nothing more will happen by itself."""
        async with asyncio.timeout(PATIENCE_S):
            await self.api.temporal.get_workflow_handle(names.after_call_workflow_id(call_id)).result()

    async def seen(self, path: str, wanted: Callable[[Any], bool]) -> Any:
        """What the API tells, once it is as wanted."""
        async with asyncio.timeout(PATIENCE_S):
            while not wanted(told := (await self.api.v1("GET", path)).json()):
                pass
        return told


@asynccontextmanager
async def after_world(world: ApiWorld, client: Client, database: Database) -> AsyncIterator[AfterWorld]:
    """The workers run as long as the block does."""
    calls = CallWorld(client)
    sender = GuardedSender(private=True)
    ports = replace(
        calls.ports,
        store=SqlCallStore(database),
        feed=world.feed,
        after_calls=SqlAfterCalls(database),
        webhooks=SqlWebhooks(database),
        webhook_sender=sender,
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(sender.close)
        await stack.enter_async_context(build_workers(client, ports)[1])
        yield AfterWorld(world, calls)


def step(told: Any, name: str) -> dict[str, Any]:
    """One step of an answer; {} if it is not there yet."""
    return next((step for step in told.get("steps", ()) if step["name"] == name), {})
