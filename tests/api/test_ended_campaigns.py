"""Campaigns whose workflows somebody has ended in Temporal."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from core.attempts import AttemptOutcome
from core.contracts import names
from core.contracts.campaign import CampaignInput, CampaignPhase, CampaignSettings
from core.may_call import CallingRules
from core.ports.campaign import NewContact
from storage.campaign_rounds import SqlCampaignBook
from storage.database import Database
from tests.api.world import OUR_NUMBER, ApiWorld

NOON = 1_790_000_000_000.0  # a Monday, 15:33 in Berlin
NUMBER = "+493012345678"
NOBODYS_QUEUE = "nobody works at it"


class EndedCampaign:
    """One that runs by SQL, with an attempt whose call has not begun."""

    def __init__(self, world: ApiWorld, database: Database) -> None:
        self.world = world
        self.id = f"c{uuid4().hex[:12]}"
        self._book = SqlCampaignBook(database)

    async def begins(self) -> None:
        rules = CallingRules(needs_consent=False)
        settings = CampaignSettings(self.id, "Renewals", "renewal", OUR_NUMBER, rules=rules, webhook="theirs")
        await self.world.deps.campaigns.create(settings, 1.0)
        await self.world.deps.campaigns.add(self.id, [NewContact(NUMBER)], 1.0)
        await self._book.keep_phase(self.id, CampaignPhase.RUNNING, NOON, call_off=False)
        _, planned = await self._book.open_round(self.id, NOON)
        assert [one.number for one in planned] == [NUMBER]

    async def workflow(self) -> WorkflowHandle[Any, Any]:
        """Its workflow, which no worker goes on with."""
        return await self.world.temporal.start_workflow(
            names.CAMPAIGN_WORKFLOW,
            CampaignInput(self.id),
            id=names.campaign_workflow_id(self.id),
            task_queue=NOBODYS_QUEUE,
        )

    async def asks(self, method: str, path: str = "") -> Any:
        return await self.world.v1(method, f"/v1/campaigns/{self.id}{path}", timeout=60)

    async def phase(self) -> str:
        return str((await self.asks("GET")).json()["phase"])

    async def outcome(self) -> AttemptOutcome | None:
        (attempt,) = await self.world.deps.campaigns.attempts(NUMBER)
        return attempt.outcome


@pytest.fixture
async def campaign(world: ApiWorld, database: Database) -> AsyncIterator[EndedCampaign]:
    made = EndedCampaign(world, database)
    await made.begins()
    yield made
    for workflow_id in (names.campaign_workflow_id(made.id), names.campaign_results_workflow_id(made.id)):
        with suppress(RPCError):
            await world.temporal.get_workflow_handle(workflow_id).terminate("the test is over")


async def test_one_that_was_terminated_is_found_canceled_and_its_unbegun_attempts_with_it(
    campaign: EndedCampaign,
) -> None:
    workflow = await campaign.workflow()
    assert (await campaign.phase(), await campaign.outcome()) == ("running", None)
    await workflow.terminate("by an operator")
    assert (await campaign.phase(), await campaign.outcome()) == ("canceled", AttemptOutcome.CANCELED)
    assert (await campaign.asks("GET", "/progress")).json()["done"] == 1


async def test_a_worker_that_dies_in_a_task_of_one_holds_it_up_no_longer_than_three_seconds(
    campaign: EndedCampaign,
) -> None:
    await campaign.world.deps.temporal.start_campaign(CampaignInput(campaign.id), "default")
    workflow = campaign.world.temporal.get_workflow_handle(names.campaign_workflow_id(campaign.id))
    config = (await workflow.describe()).raw_description.execution_config
    assert config.default_workflow_task_timeout.ToTimedelta() == timedelta(seconds=3)


async def test_the_customer_of_one_that_was_terminated_is_told(campaign: EndedCampaign) -> None:
    await (await campaign.workflow()).terminate("by an operator")
    assert await campaign.phase() == "canceled"
    telling = campaign.world.temporal.get_workflow_handle(names.campaign_results_workflow_id(campaign.id))
    assert (await telling.describe()).workflow_type == names.CAMPAIGN_RESULTS_WORKFLOW


async def test_one_that_was_terminated_is_listed_as_canceled(campaign: EndedCampaign) -> None:
    await (await campaign.workflow()).terminate("by an operator")
    (listed,) = (await campaign.world.v1("GET", "/v1/campaigns")).json()["campaigns"]
    assert (listed["phase"], await campaign.outcome()) == ("canceled", AttemptOutcome.CANCELED)


async def test_whoever_watches_one_that_is_terminated_is_told_and_let_go(campaign: EndedCampaign) -> None:
    workflow = await campaign.workflow()
    await workflow.terminate("by an operator")
    events = (await campaign.asks("GET", "/events")).text
    assert '"phase":"canceled"' in events


async def test_one_that_was_terminated_cannot_be_resumed(campaign: EndedCampaign) -> None:
    await (await campaign.workflow()).terminate("by an operator")
    answer = await campaign.asks("POST", "/resume")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:holdfast:problem:campaign-over")


async def test_one_that_temporal_knows_nothing_of_stays_as_it_is_until_it_is_canceled(campaign: EndedCampaign) -> None:
    answer = await campaign.asks("POST", "/pause")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:holdfast:problem:campaign-gone")
    assert (await campaign.phase(), await campaign.outcome()) == ("running", None)
    assert (await campaign.asks("POST", "/cancel")).status_code == 204
    assert (await campaign.phase(), await campaign.outcome()) == ("canceled", AttemptOutcome.CANCELED)
