"""Campaigns as a whole: real workflows and SQL, a carrier that does as told."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowContinuedAsNewError, WorkflowHandle
from temporalio.service import RPCError

from activities.campaign import CallingDefaults
from api.temporal import Temporal
from cli.call_starter import TemporalCallStarter
from core.attempts import AttemptOutcome, Retry, RetryRules
from core.calling_window import CallingWindow, Hours
from core.contracts import names
from core.contracts.call import CarrierStatus
from core.contracts.campaign import (
    CampaignInput,
    CampaignPhase,
    CampaignSettings,
    CampaignState,
    Contact,
    ContactState,
)
from core.may_call import CallingRules, DncScope
from core.outcome import CarrierState
from core.pacing import Pace
from core.ports.campaign import DncEntry, NewContact
from storage.calls import SqlCallStore
from storage.campaign_rounds import SqlCampaignBook
from storage.campaigns import SqlCampaigns, SqlDialGate
from storage.database import Database
from storage.migrate import migrate
from tests.world.playbook import orders
from tests.world.world import QUICK, CallWorld
from workflows.worker import build_workers

PATIENCE_S = 30.0
ADA, BOB, EVE = "+442071838750", "+442071838751", "+442071838752"
ALWAYS = CallingWindow(legal=Hours(0, 24 * 60), hours=(Hours(0, 24 * 60),))
SETTINGS = CampaignSettings(
    "c1",
    "Spring",
    "orders",
    "+12025550142",
    rules=CallingRules(ALWAYS, needs_consent=False, most_a_day=20, most_a_week=20),
    retries=RetryRules({AttemptOutcome.BUSY: Retry(0.0, 1)}),
)


class CampaignWorld:
    """Campaigns in SQL, and a carrier whose every call ends as the test says."""

    def __init__(self, client: Client, database: Database) -> None:
        self.client = client
        self.id = f"c{uuid.uuid4().hex[:8]}"
        self.settings = replace(SETTINGS, campaign_id=self.id)
        self.world = CallWorld(client)
        self.campaigns = SqlCampaigns(database)
        self.book = SqlCampaignBook(database, calls_per_second=1_000.0)
        self.ports = replace(
            self.world.ports,
            store=SqlCallStore(database),
            campaigns=self.book,
            dial_gate=SqlDialGate(database),
            call_starter=TemporalCallStarter(Temporal(self._connected, deadline=10.0)),
            calling=CallingDefaults(timers=QUICK),
        )
        self.world.playbooks.put(orders())

    async def _connected(self) -> Client:
        return self.client

    async def starts(
        self, *numbers: str, rounds: int = 500, tick_s: float = 0.05, **changed: Any
    ) -> WorkflowHandle[object, str]:
        """Running, with these contacts."""
        await self.campaigns.create(replace(self.settings, **changed), 0.0)
        await self.campaigns.add(self.id, [NewContact(number) for number in numbers], 0.0)
        return await self.client.start_workflow(
            names.CAMPAIGN_WORKFLOW,
            CampaignInput(self.id, tick_s=tick_s, rounds=rounds),
            id=names.campaign_workflow_id(self.id),
            task_queue=names.CAMPAIGNS_QUEUE,
            result_type=str,
        )

    async def dialled(self, most: int) -> list[tuple[str, str, str]]:
        """The carrier's orders, once there are so many."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.world.telephony.dialled) < most:
                await self.world.telephony.dials.get()
        return self.world.telephony.dialled

    async def carrier(self, call_id: str, state: CarrierState, **told: str) -> None:
        """Tell a call's workflow."""
        handle = self.client.get_workflow_handle(names.call_workflow_id(call_id))
        await handle.signal(names.CARRIER_STATUS, CarrierStatus(f"CA{call_id}", state, 1, **told))

    async def contacts(self) -> dict[str, Contact]:
        """By number."""
        return {one.number: one for one in await self.campaigns.contacts(self.id)}

    async def recorded(self, call_id: str) -> None:
        """Wait until the call has ended and its attempt with it."""
        async with asyncio.timeout(PATIENCE_S):
            await self.client.get_workflow_handle(names.call_workflow_id(call_id)).result()
            await self.client.get_workflow_handle(names.after_call_workflow_id(call_id)).result()

    async def trouble(self, campaign: WorkflowHandle[object, str]) -> str:
        """What its round last failed with."""
        described = await campaign.describe()
        pending = described.raw_description.pending_activities
        return pending[0].last_failure.message if pending else ""

    async def phase(self) -> CampaignPhase | None:
        """As it stands in SQL."""
        found = await self.campaigns.campaign(self.id)
        return found.phase if found else None

    async def close(self) -> None:
        """Leave nothing running for other tests' workers."""
        ids = [names.campaign_workflow_id(self.id)]
        ids += [names.call_workflow_id(call_id) for call_id, _, _ in self.world.telephony.dialled]
        for workflow_id in ids:
            with suppress(RPCError):
                await self.client.get_workflow_handle(workflow_id).terminate("the test is over")


@pytest.fixture
async def world(temporal: Client, tmp_path: Path) -> AsyncIterator[CampaignWorld]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'campaigns.db'}"
    await migrate(url)
    database = Database(url)
    made = CampaignWorld(temporal, database)
    workers = [asyncio.create_task(worker.run()) for worker in build_workers(temporal, made.ports)]
    yield made
    await made.close()
    for worker in workers:
        worker.cancel()
    await asyncio.wait(workers)
    await database.close()


async def test_everybody_is_called_and_who_was_busy_is_called_again(world: CampaignWorld) -> None:
    campaign = await world.starts(ADA, BOB)
    first = {number: call_id for call_id, number, _ in await world.dialled(2)}
    await world.carrier(first[ADA], CarrierState.BUSY)
    await world.carrier(first[BOB], CarrierState.NO_ANSWER)
    again, number, our_number = (await world.dialled(3))[2]
    assert (number, our_number) == (ADA, "+12025550142")
    assert again != first[ADA]
    await world.carrier(again, CarrierState.BUSY)
    assert await campaign.result() == CampaignPhase.COMPLETED
    contacts = await world.contacts()
    assert contacts[ADA].outcomes == (AttemptOutcome.BUSY, AttemptOutcome.BUSY)
    assert contacts[BOB].outcomes == (AttemptOutcome.NO_ANSWER,)
    assert await world.phase() is CampaignPhase.COMPLETED
    assert world.world.telephony.detects == [True, True, True]


async def test_a_round_begins_a_tick_after_the_last_one_began_however_long_that_took(world: CampaignWorld) -> None:
    campaign = await world.starts(ADA, tick_s=600.0)
    async for event in campaign.fetch_history_events(wait_new_event=True):
        if event.HasField("timer_started_event_attributes"):
            break
    pause = event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
    assert pause < timedelta(seconds=600)


async def test_a_call_shows_its_campaign_and_is_a_workflow_of_its_own(world: CampaignWorld) -> None:
    await world.starts(ADA)
    ((call_id, _, _),) = await world.dialled(1)
    found = await world.client.get_workflow_handle(names.call_workflow_id(call_id)).describe()
    shown = {pair.key.name: pair.value for pair in found.typed_search_attributes}
    assert shown[names.CAMPAIGN_ATTRIBUTE] == world.id
    assert ADA.removeprefix("+") not in found.id
    await world.carrier(call_id, CarrierState.NO_ANSWER)


async def test_whoever_is_forbidden_after_their_attempt_was_planned_is_not_dialled(world: CampaignWorld) -> None:
    await world.campaigns.create(world.settings, 0.0)
    await world.campaigns.add(world.id, [NewContact(ADA)], 0.0)
    await world.book.keep_phase(world.id, CampaignPhase.RUNNING, 1.0, call_off=False)
    found, planned = await world.book.open_round(world.id, 1.0)  # a round that died before its calls began
    assert (found.opened, len(planned)) == (1, 1)
    await world.campaigns.block(DncEntry(ADA, DncScope.GLOBAL))
    campaign = await world.starts()
    assert await campaign.result() == CampaignPhase.COMPLETED
    assert world.world.telephony.dialled == []
    ada = (await world.contacts())[ADA]
    assert (ada.state, ada.outcomes) == (ContactState.DONE, (AttemptOutcome.NOT_ALLOWED,))


async def test_a_paused_campaign_dials_nobody_until_it_is_resumed(world: CampaignWorld) -> None:
    campaign = await world.starts(ADA, BOB, pace=Pace(in_flight=1))
    ((first, _, _),) = await world.dialled(1)
    await campaign.execute_update(names.PAUSE_CAMPAIGN)
    assert await world.phase() is CampaignPhase.PAUSED
    await world.carrier(first, CarrierState.NO_ANSWER)
    await world.recorded(first)
    state = await campaign.query(names.STATE, result_type=CampaignState)
    assert state.phase is CampaignPhase.PAUSED
    assert len(world.world.telephony.dialled) == 1
    await campaign.execute_update(names.RESUME_CAMPAIGN)
    second = (await world.dialled(2))[1][0]
    await world.carrier(second, CarrierState.NO_ANSWER)
    assert await campaign.result() == CampaignPhase.COMPLETED


async def test_nobody_is_called_while_a_clock_is_wrong(world: CampaignWorld) -> None:
    world.world.clock_ahead_ms = 3_600_000.0
    campaign = await world.starts(ADA)
    async with asyncio.timeout(PATIENCE_S):
        while not (trouble := await world.trouble(campaign)):
            pass
    assert "3600 s ahead of the Temporal server's" in trouble
    assert world.world.telephony.dialled == []
    world.world.clock_ahead_ms = 0.0
    await world.dialled(1)


async def test_a_canceled_campaign_ends_and_its_calls_go_on(world: CampaignWorld) -> None:
    campaign = await world.starts(ADA, BOB, pace=Pace(in_flight=1))
    ((first, _, _),) = await world.dialled(1)
    await campaign.execute_update(names.CANCEL_CAMPAIGN)
    assert await campaign.result() == CampaignPhase.CANCELED
    await world.carrier(first, CarrierState.BUSY)
    await world.recorded(first)
    contacts = await world.contacts()
    assert {one.state for one in contacts.values()} == {ContactState.DONE}
    assert len(world.world.telephony.dialled) == 1


async def test_a_long_campaign_goes_on_in_new_runs(world: CampaignWorld) -> None:
    campaign = await world.starts(ADA, rounds=2)
    first_run = campaign.first_execution_run_id
    ((call_id, _, _),) = await world.dialled(1)
    with pytest.raises(WorkflowContinuedAsNewError):
        await world.client.get_workflow_handle(campaign.id, run_id=first_run).result(follow_runs=False)
    await world.carrier(call_id, CarrierState.NO_ANSWER)
    assert await world.client.get_workflow_handle(campaign.id, result_type=str).result() == CampaignPhase.COMPLETED
    assert len(world.world.telephony.dialled) == 1


async def test_contacts_that_are_added_while_it_waits_for_a_window_are_called_at_once(world: CampaignWorld) -> None:
    campaign = await world.starts(ADA, retries=RetryRules({AttemptOutcome.BUSY: Retry(3_600.0, 1)}))
    ((first, _, _),) = await world.dialled(1)
    await world.carrier(first, CarrierState.BUSY)
    await world.recorded(first)
    await world.campaigns.add(world.id, [NewContact(EVE)], 0.0)
    await campaign.signal(names.CAMPAIGN_CHANGED)
    _, number, _ = (await world.dialled(2))[1]
    assert number == EVE


async def test_a_call_that_was_ended_by_hand_in_temporal_gives_its_place_back(world: CampaignWorld) -> None:
    began_ms = time.time() * 1_000 - 4 * 3_600_000
    await world.campaigns.create(world.settings, began_ms)
    await world.campaigns.add(world.id, [NewContact(ADA)], began_ms)
    await world.book.keep_phase(world.id, CampaignPhase.RUNNING, began_ms, call_off=False)
    _, (planned,) = await world.book.open_round(world.id, began_ms)
    await world.book.call_has_begun([planned.call_id])  # of its workflow there is nothing
    await world.book.call_is_lost(planned.call_id, began_ms)  # and a record had time to come
    campaign = await world.starts()
    async with asyncio.timeout(PATIENCE_S):
        assert await campaign.result() == CampaignPhase.COMPLETED
    assert (await world.contacts())[ADA].outcomes == (AttemptOutcome.FAILED,)
    assert world.world.telephony.dialled == []
