"""Which results of a campaign its customer was told."""

from dataclasses import replace

from core.contracts.campaign import CampaignPhase, ContactState
from core.may_call import DncScope
from core.outcome import Disposition
from core.pacing import Pace
from core.ports.after_call import Endpoint
from core.ports.campaign import DncEntry
from storage.campaign_results import LONGEST_CALL_MS, SqlCampaignResults
from storage.database import Database
from storage.webhooks import SqlWebhooks
from tests.storage.test_campaigns import ADA, BOB, EVE, MINUTE, NOON, SECOND, SETTINGS, Running

ENDPOINT = Endpoint("we_1", "https://customer.example/results", ())
TOLD = replace(SETTINGS, webhook="we_1")


async def test_whoever_is_done_is_to_be_told_once_and_the_end_after_all_of_them(database: Database) -> None:
    running, results = Running(database), SqlCampaignResults(database)
    await SqlWebhooks(database).add(ENDPOINT, "whsec_")
    await running.campaigns.block(DncEntry(BOB, DncScope.GLOBAL))
    await running.runs(TOLD, ADA, BOB)
    assert not await results.has_news("c1")
    (call,) = await running.planned()
    assert await results.has_news("c1")  # BOB must not be called
    await running.ends(call, Disposition.COMPLETED, NOON + MINUTE)
    found = await results.to_tell("c1", 1, NOON)
    assert found is not None
    assert (len(found.contacts), found.end) == (1, None)
    found = await results.to_tell("c1", 9, NOON)
    assert found is not None
    by_number = {contact.number: (contact, made) for contact, made in found.contacts}
    (ada, made), (bob, none) = by_number[ADA], by_number[BOB]
    assert (ada.state, ada.done_ms, [one.call_id for one in made]) == (
        ContactState.DONE,
        NOON + MINUTE,
        [call.call_id],
    )
    assert (bob.done_ms, none) == (NOON, [])
    await results.told("c1", [ada.contact_id, bob.contact_id], NOON)
    assert not await results.has_news("c1")
    await running.book.keep_phase("c1", CampaignPhase.COMPLETED, NOON + MINUTE, call_off=False)
    found = await results.to_tell("c1", 9, NOON)
    assert found is not None
    assert found.end is not None
    assert (found.contacts, found.end.done, found.campaign.ended_ms) == ((), 2, NOON + MINUTE)
    await results.told("c1", [""], NOON)
    assert not await results.has_news("c1")
    found = await results.to_tell("c1", 9, NOON)
    assert found is not None
    assert (found.contacts, found.end) == ((), None)


async def test_the_end_waits_for_the_last_call_but_not_for_ever(database: Database) -> None:
    running, results = Running(database), SqlCampaignResults(database)
    await SqlWebhooks(database).add(ENDPOINT, "whsec_")
    await running.runs(replace(TOLD, pace=Pace(in_flight=1)), ADA, EVE)
    await running.planned()
    await running.book.keep_phase("c1", CampaignPhase.CANCELED, NOON + SECOND, call_off=True)
    called_off = await results.to_tell("c1", 9, NOON + SECOND)
    assert called_off is not None
    ((contact, _),) = called_off.contacts
    assert contact.done_ms == NOON + SECOND
    await results.told("c1", [contact.contact_id], NOON)
    waits = await results.to_tell("c1", 9, NOON + MINUTE)
    assert waits is not None
    assert (waits.calls_go_on, waits.end) == (True, None)
    late = await results.to_tell("c1", 9, NOON + SECOND + LONGEST_CALL_MS)
    assert late is not None
    assert late.end is not None
    assert (late.end.done, late.end.dialling) == (1, 1)


async def test_a_campaign_without_an_endpoint_has_nobody_to_tell(database: Database) -> None:
    running, results = Running(database), SqlCampaignResults(database)
    await running.runs(TOLD, ADA)  # its endpoint was removed
    await running.runs(replace(SETTINGS, campaign_id="c2"), BOB)
    for campaign in ("c1", "c2", "c3"):
        if campaign != "c3":
            await running.book.keep_phase(campaign, CampaignPhase.CANCELED, NOON, call_off=True)
        assert not await results.has_news(campaign)
        assert await results.to_tell(campaign, 9, NOON) is None
