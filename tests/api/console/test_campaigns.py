"""Campaigns, as the console shows them."""

import pytest

from core.contracts.campaign import CampaignPhase, CampaignSettings
from core.may_call import CallingRules
from core.pacing import Pace
from core.ports.campaign import NewContact
from storage.campaign_rounds import SqlCampaignBook
from storage.campaigns import SqlCampaigns
from storage.database import Database
from tests.api.console.board import LoggedIn

pytestmark = pytest.mark.browser

NUMBERS = [f"+4930123456{number:02}" for number in range(3)]
SETTINGS = CampaignSettings(
    "c1",
    "Reminders <December>",
    "renewal",
    "+15550199",
    rules=CallingRules(needs_consent=False),
    pace=Pace(in_flight=2),
)


async def test_a_draft_is_checked_and_a_running_campaign_shows_its_progress_by_itself(
    console: LoggedIn, database: Database
) -> None:
    campaigns, book = SqlCampaigns(database), SqlCampaignBook(database, calls_per_second=100.0)
    await campaigns.create(SETTINGS, 1.0)
    await campaigns.add("c1", [NewContact(number) for number in NUMBERS], 1.0)
    await console.page.goto(console.world.origin + "/campaigns")
    await console.expect_shown("main", "0 of 3")
    await console.page.click("text='Reminders <December>'")
    await console.expect_shown("#check-now", "Callable now")
    await console.expect_hidden("#check-now progress")
    await console.expect_shown("#how-it-goes", "Start calling")
    await book.keep_phase("c1", CampaignPhase.RUNNING, 2.0, call_off=False)
    await console.expect_shown("#how-it-goes", "Cancel for good")
    await book.keep_phase("c1", CampaignPhase.CANCELED, 3.0, call_off=True)
    await console.expect_shown("#how-it-goes", "3 of 3")


async def test_a_campaign_that_runs_is_checked_when_somebody_wants_it(console: LoggedIn, database: Database) -> None:
    campaigns, book = SqlCampaigns(database), SqlCampaignBook(database, calls_per_second=100.0)
    await campaigns.create(SETTINGS, 1.0)
    await campaigns.add("c1", [NewContact(number) for number in NUMBERS], 1.0)
    await book.keep_phase("c1", CampaignPhase.RUNNING, 2.0, call_off=False)
    await console.page.goto(console.world.origin + "/campaigns/c1")
    await console.page.click("text='Look at them'")
    await console.expect_shown("#check-now", "Callable now")
    assert console.complaints == []


async def test_the_pace_is_changed_in_the_page(console: LoggedIn, database: Database) -> None:
    campaigns = SqlCampaigns(database)
    await campaigns.create(SETTINGS, 1.0)
    await console.page.goto(console.world.origin + "/campaigns/c1")
    await console.page.fill("#in-flight", "12")
    await console.page.click("text='Change'")
    await console.expect_shown("#how-it-goes", "0 of 12")
    found = await campaigns.campaign("c1")
    assert found is not None
    assert found.settings.pace.in_flight == 12


async def test_a_draft_is_made_in_the_page_and_the_secret_of_its_address_is_shown_once(
    console: LoggedIn, database: Database
) -> None:
    page, campaigns = console.page, SqlCampaigns(database)
    await page.goto(console.world.origin + "/campaigns")
    await page.click("text='New campaign'")
    await page.fill("input[name=name]", "Renewals, spring")
    await page.fill("input[name=opens]", "10:30")
    await page.fill("input[name=webhook_url]", "https://customer.example/results")
    await page.click("text='Create the draft'")
    await console.expect_shown("#secret", "whsec_")
    await page.click("text='To the campaign'")
    await console.expect_shown("#how-it-goes", "Renewals, spring")
    (found,) = await campaigns.campaigns()
    assert found.webhook_url == "https://customer.example/results"
    assert (found.settings.playbook, found.settings.rules.needs_consent) == ("renewal", True)
    assert [(hours.opens, hours.closes) for hours in found.settings.rules.window.hours] == [(630, 1200)]
    await page.fill("#webhook-url", "")
    await page.click("text='Save'")
    await console.expect_shown("aside", "A public https address")
    (found,) = await campaigns.campaigns()
    assert found.webhook_url == ""


async def test_an_address_that_is_none_is_refused_in_words(console: LoggedIn, database: Database) -> None:
    await SqlCampaigns(database).create(SETTINGS, 1.0)
    await console.page.goto(console.world.origin + "/campaigns/c1")
    await console.page.fill("#webhook-url", "https://me:word@customer.example/")
    await console.page.click("text='Save'")
    await console.expect_shown("main", "must hold no user name")
