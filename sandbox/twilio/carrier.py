"""The carrier: its calls, the people it can reach, and the clock of all lines."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from sandbox.config import SandboxConfig
from sandbox.state import SandboxState
from sandbox.twilio.call import Call
from sandbox.twilio.conference import Conferences
from sandbox.twilio.pacing import Pacer
from sandbox.twilio.plan import CallPlan, Fetch, PersonPlan
from sandbox.twilio.webhooks import Webhooks


class Carrier:
    """Shared by the carrier's routes. ``close`` it before the loop ends."""

    def __init__(self, state: SandboxState, config: SandboxConfig) -> None:
        self.state = state
        self.config = config
        self.webhooks = Webhooks(state, config.auth_token)
        self.pacer = Pacer()
        self.calls: dict[str, Call] = {}  # by sid, oldest first
        self.people: dict[str, PersonPlan] = {}  # by number
        self.conferences = Conferences()
        self.messages: dict[str, dict[str, Any]] = {}  # by sid
        self._tasks: set[asyncio.Task[None]] = set()

    def dial(self, plan: CallPlan) -> Call:
        """Begin a leg to a person; a number nobody was put at is answered by someone who says hello."""
        return self._begin(plan, self.people.get(plan.to) or PersonPlan())

    def call_in(self, from_: str, to: str, person: PersonPlan) -> Call:
        """A person calls one of the product's numbers."""
        plan = CallPlan(
            to=to,
            from_=from_,
            direction="inbound",
            first=Fetch(f"{self.config.public_url}/twilio/voice"),
            status_url=f"{self.config.public_url}/twilio/status",
        )
        return self._begin(plan, person)

    def soon(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside all else, until the carrier closes."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Drop all calls and sockets."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.webhooks.close()

    def _begin(self, plan: CallPlan, person: PersonPlan) -> Call:
        call = Call(self, plan, person)
        self.calls[call.sid] = call
        self.state.stamp("twilio", "call", sid=call.sid, direction=plan.direction, to=plan.to)
        self.soon(call.live())
        return call
