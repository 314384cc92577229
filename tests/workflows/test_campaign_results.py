"""A customer is told of a campaign's results: real workflows, SQL and HTTP."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from activities.campaign import CallingDefaults
from api.temporal import Temporal
from cli.call_starter import TemporalResultsTeller
from core import webhooks
from core.contracts import names
from core.contracts.after_call import Resend
from core.contracts.campaign import CampaignPhase
from core.contracts.campaign_results import ResultsInput
from core.may_call import DncScope
from core.outcome import CarrierState
from core.pacing import Pace
from core.patience import Patience
from core.ports.after_call import Endpoint
from core.ports.campaign import DncEntry, NewContact
from core.ports.errors import StorageUnavailable
from storage.after_calls import SqlAfterCalls
from storage.campaign_results import SqlCampaignResults
from storage.database import Database
from storage.migrate import migrate
from storage.webhooks import SqlWebhooks
from tests.workflows.test_campaigns import ADA, BOB, EVE, CampaignWorld
from tests.world.receiver import Came, Receiver, receiver
from tests.world.world import QUICK
from vendors.webhook_sender import GuardedSender
from workflows.worker import build_workers

PATIENCE_S = 30.0
SECRET = webhooks.secret_of(b"0123456789abcdef01234567")
HURRY = Patience(first=0.02, longest=0.05)
SOON_OVER = replace(HURRY, whole=0.1)


class ForgetfulResults(SqlCampaignResults):
    """Cannot be reached so many times when something is to be written down."""

    away = 0

    async def told(self, campaign_id: str, contact_ids: Sequence[str], now_ms: float) -> None:
        if self.away:
            self.away -= 1
            raise StorageUnavailable("away")
        await super().told(campaign_id, contact_ids, now_ms)


class ResultsWorld(CampaignWorld):
    """Campaigns that tell a customer's server."""

    def __init__(self, client: Client, database: Database, hook: Receiver, patience: Patience) -> None:
        super().__init__(client, database)
        self.hook = hook
        self.endpoint_id = f"we_{self.id}"
        self.webhooks = SqlWebhooks(database)
        self.letters = SqlAfterCalls(database)
        self.results = ForgetfulResults(database)
        self.sender = GuardedSender(private=True)
        self.ports = replace(
            self.ports,
            webhooks=self.webhooks,
            webhook_sender=self.sender,
            after_calls=self.letters,
            campaign_results=self.results,
            results_teller=TemporalResultsTeller(Temporal(self._connected, deadline=10.0)),
            calling=CallingDefaults(timers=replace(QUICK, after_call=patience)),
        )

    async def starts(self, *numbers: str, rounds: int = 500, **changed: Any) -> WorkflowHandle[object, str]:
        """With the customer's server as its webhook."""
        await self.webhooks.add(Endpoint(self.endpoint_id, self.hook.url, ()), SECRET)
        return await super().starts(*numbers, rounds=rounds, **({"webhook": self.endpoint_id} | changed))

    async def no_answer(self, number: str) -> str:
        """Whoever has this number does not answer the call that rings; its id."""
        async with asyncio.timeout(PATIENCE_S):
            while not (calls := [call for call, to, _ in self.world.telephony.dialled if to == number]):
                await self.world.telephony.dials.get()
        await self.carrier(calls[-1], CarrierState.NO_ANSWER)
        return calls[-1]

    async def told(self) -> list[Came]:
        """What was taken, once the campaign's end was."""
        await self.hook.until(lambda: any(one.event != webhooks.CONTACT_DONE for one in self.hook.taken))
        return self.hook.taken

    async def nothing_left(self) -> None:
        """Wait until all has been seen to."""
        handle = self.client.get_workflow_handle(names.campaign_results_workflow_id(self.id))
        async with asyncio.timeout(PATIENCE_S):
            await handle.result()
            while await self.results.has_news(self.id):
                await handle.result()

    async def close(self) -> None:
        await super().close()
        with suppress(RPCError):
            await self.client.get_workflow_handle(names.campaign_results_workflow_id(self.id)).terminate("over")
        await self.sender.close()


@pytest.fixture
def patience() -> Patience:
    """How long a message is tried."""
    return HURRY


@pytest.fixture
async def world(temporal: Client, tmp_path: Path, patience: Patience) -> AsyncIterator[ResultsWorld]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'campaigns.db'}"
    await migrate(url)
    database = Database(url)
    async with receiver() as hook:
        made = ResultsWorld(temporal, database, hook, patience)
        workers = [asyncio.create_task(worker.run()) for worker in build_workers(temporal, made.ports)]
        yield made
        await made.close()
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)
    await database.close()


async def test_each_contact_that_is_done_and_the_end_are_told_signed(world: ResultsWorld) -> None:
    await world.campaigns.block(DncEntry(BOB, DncScope.GLOBAL))
    await world.starts(ADA, BOB)
    call_id = await world.no_answer(ADA)
    *contacts, end = await world.told()
    assert all(one.is_signed_with(SECRET) for one in (*contacts, end))
    told = {one.data["number"]: one.data for one in contacts}
    ada, bob = told[ADA], told[BOB]
    assert (ada["campaign"], ada["name"], ada["playbook"]) == (world.id, "Spring", "orders")
    assert (ada["outcome"], ada["hindrance"]) == ("no_answer", None)
    assert [(one["attempt"], one["call_id"], one["outcome"]) for one in ada["attempts"]] == [(1, call_id, "no_answer")]
    assert (bob["outcome"], bob["hindrance"], bob["attempts"]) == (None, "dnc", [])
    assert (end.event, end.data["contacts"], end.data["done"]) == (webhooks.CAMPAIGN_COMPLETED, 2, 2)
    assert (end.data["outcomes"], end.data["hindered"]) == ({"no_answer": 1}, {"dnc": 1})
    await world.nothing_left()
    assert len(world.hook.came) == 3


async def test_a_receiver_that_is_down_at_first_hears_everything_later_with_the_same_ids(world: ResultsWorld) -> None:
    world.hook.answer = lambda _: 503 if len(world.hook.came) < 3 else 204
    await world.starts(ADA, BOB)
    await world.no_answer(ADA)
    await world.no_answer(BOB)
    taken = await world.told()
    assert len({one.message_id for one in taken}) == len(taken) == 3
    refused = [one for one in world.hook.came if not one.taken]
    assert len(refused) == 3
    again = {one.message_id: one.body for one in taken}
    assert all(again[one.message_id] == one.body for one in refused)


async def test_a_message_that_was_sent_and_not_written_down_comes_again_with_its_id(world: ResultsWorld) -> None:
    world.results.away = 1
    await world.starts(ADA)
    await world.no_answer(ADA)
    await world.told()
    first, again = [one for one in world.hook.came if one.event == webhooks.CONTACT_DONE]
    assert (first.message_id, first.body) == (again.message_id, again.body)


async def test_the_end_of_a_canceled_campaign_is_told_after_its_last_call(world: ResultsWorld) -> None:
    campaign = await world.starts(ADA, BOB, pace=Pace(in_flight=1))
    ((_, first, _),) = await world.dialled(1)
    other = BOB if first == ADA else ADA
    await campaign.execute_update(names.CANCEL_CAMPAIGN)
    assert await campaign.result() == CampaignPhase.CANCELED
    await world.hook.until(lambda: len(world.hook.taken) == 1)
    await world.no_answer(first)
    called_off, called, end = await world.told()
    assert (called_off.data["number"], called_off.data["outcome"], called_off.data["attempts"]) == (other, None, [])
    assert (called.data["number"], called.data["outcome"]) == (first, "no_answer")
    assert (end.event, end.data["done"], end.data["attempts"]) == (webhooks.CAMPAIGN_CANCELED, 2, 1)


@pytest.mark.parametrize("patience", [SOON_OVER])
async def test_what_a_receiver_never_takes_becomes_a_dead_letter_that_can_be_sent_again(world: ResultsWorld) -> None:
    world.hook.answer = lambda told: 500 if told["data"].get("number") == ADA else 204
    await world.starts(ADA, BOB)
    call_id = await world.no_answer(ADA)
    await world.no_answer(BOB)
    await world.told()  # nothing waits for what is not taken
    async with asyncio.timeout(PATIENCE_S):
        while not (letters := await world.letters.letters(dead=True)):
            pass
    (letter,) = letters
    assert (letter.letter.call_id, letter.letter.failure) == (call_id, "webhook: answered 500")
    world.hook.answer = lambda _: 204
    await world.client.execute_workflow(
        names.RESEND_WORKFLOW,
        Resend(letter.letter_id),
        id=names.resend_workflow_id(letter.letter_id),
        task_queue=names.AFTER_CALLS_QUEUE,
    )
    assert world.hook.taken[-1].data["number"] == ADA
    assert len({one.message_id for one in world.hook.came if one.data.get("number") == ADA}) == 1
    assert not await world.letters.letters(dead=True)


@pytest.mark.parametrize("patience", [SOON_OVER])
async def test_all_that_a_receiver_that_is_down_for_too_long_was_not_told_are_dead_letters(world: ResultsWorld) -> None:
    world.hook.answer = lambda _: 503
    await world.starts(ADA, BOB)
    await world.no_answer(ADA)
    await world.no_answer(BOB)
    async with asyncio.timeout(PATIENCE_S):
        while len(letters := await world.letters.letters(dead=True)) < 3:
            pass
    await world.nothing_left()
    assert {one.letter.errand.webhook.event for one in letters if one.letter.errand.webhook} == {
        webhooks.CONTACT_DONE,
        webhooks.CAMPAIGN_COMPLETED,
    }


async def test_a_receiver_that_wants_nothing_more_is_not_asked_again(world: ResultsWorld) -> None:
    world.hook.answer = lambda _: 410
    campaign = await world.starts(ADA)
    await world.no_answer(ADA)
    await campaign.result()
    await world.nothing_left()
    assert len(world.hook.came) == len(await world.letters.letters(dead=True)) == 2


async def test_results_are_told_on_in_new_runs(world: ResultsWorld) -> None:
    await world.webhooks.add(Endpoint(world.endpoint_id, world.hook.url, ()), SECRET)
    await world.campaigns.create(replace(world.settings, webhook=world.endpoint_id), 0.0)
    await world.campaigns.add(world.id, [NewContact(number) for number in (ADA, BOB, EVE)], 0.0)
    await world.book.keep_phase(world.id, CampaignPhase.CANCELED, 1.0, call_off=True)
    results = await world.client.start_workflow(
        names.CAMPAIGN_RESULTS_WORKFLOW,
        ResultsInput(world.id, HURRY, pages=1),
        id=names.campaign_results_workflow_id(world.id),
        task_queue=names.AFTER_CALLS_QUEUE,
    )
    await results.result()
    assert [one.event for one in world.hook.came] == [*[webhooks.CONTACT_DONE] * 3, webhooks.CAMPAIGN_CANCELED]
    assert not await world.results.has_news(world.id)
