"""A live call stays on the version of the playbook that it began with."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.client import Client

from activities.roster import Ports
from storage.database import Database
from storage.migrate import migrate
from storage.playbooks import SqlPlaybooks
from tests.world.playbook import ORDERS
from tests.world.world import CallWorld, ScriptedCall, workers_of

GOAL = "Help customers of a shop with their orders."


class PublishedWorld(CallWorld):
    """Its playbooks are what was published to a database; workers come and go."""

    def __init__(self, client: Client, database: Database) -> None:
        super().__init__(client)
        self._database = database

    @property
    def ports(self) -> Ports:
        """What workers get: a shelf that has loaded nothing yet."""
        return replace(super().ports, playbooks=SqlPlaybooks(self._database))

    async def publish(self, goal: str) -> str:
        """A version with this goal is the newest."""
        return (await SqlPlaybooks(self._database).put("orders", ORDERS.replace(GOAL, goal))).ref

    async def new_call(self) -> ScriptedCall:
        """A call that begins now."""
        return await self.answered_call(await SqlPlaybooks(self._database).latest("orders"))

    async def goal_in(self, call: ScriptedCall) -> str:
        """The goal that its next answer is written for."""
        await call.asks("When does my parcel arrive?")
        system = self.reasoner.prompts[-1].system
        return next(goal for goal in ("Sell.", "Advise.") if goal in system)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path}/playbooks.db"
    await migrate(url)
    database = Database(url)
    yield database
    await database.close()


async def test_live_call_keeps_its_version_while_new_calls_get_the_new_one_also_at_another_worker(
    temporal: Client, database: Database
) -> None:
    world = PublishedWorld(temporal, database)
    async with workers_of(world):
        old = await world.publish("Sell.")
        early = await world.new_call()
        new = await world.publish("Advise.")
        late = await world.new_call()
        assert (early.call.playbook.ref, late.call.playbook.ref) == (old, new)
        assert [await world.goal_in(call) for call in (early, late)] == ["Sell.", "Advise."]
    async with workers_of(world):
        assert [await world.goal_in(call) for call in (early, late)] == ["Sell.", "Advise."]
        await world.close()
