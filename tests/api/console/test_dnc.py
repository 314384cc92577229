"""Numbers that must not be called, as the console keeps them."""

import pytest

from core.may_call import DncScope
from core.ports.campaign import DncEntry, Permission
from storage.campaigns import SqlCampaigns
from storage.database import Database
from tests.api.console.board import LoggedIn

pytestmark = pytest.mark.browser

ADA, BOB = "+493012345678", "+12025550117"


async def test_a_number_is_forbidden_found_and_allowed_again_with_a_reason(
    console: LoggedIn, database: Database
) -> None:
    campaigns = SqlCampaigns(database)
    await campaigns.block(DncEntry(BOB, DncScope.GLOBAL, reason="said so in a call"))
    await console.visit("/")
    await console.page.click("nav >> text='Do not call'")
    await console.expect_shown("main", "said so in a call")
    await console.page.fill("aside input[name=number]", "+49 30 12345678")
    await console.page.fill("aside input[name=reason]", "asked for by letter")
    await console.page.click("aside >> text='Forbid calls'")
    await console.expect_shown("table[aria-labelledby=dnc-title]", "asked for by letter")
    await console.page.fill("#searched", "+49 30 12345678")
    await console.page.click("text='Search'")
    await console.expect_hidden("text='said so in a call'")
    await console.page.click("text='Allow again'")
    await console.page.fill("td input[name=reason]", "it was a mistake")
    await console.page.click("text='Allow calls'")
    await console.expect_shown("table[aria-labelledby=log-title]", "it was a mistake")
    (entry,) = await campaigns.blocked(ADA)
    assert entry.removed_ms is not None
    assert [change.change for change in await campaigns.changes(ADA)] == [Permission.ALLOWED, Permission.FORBIDDEN]
    assert [entry.number for entry in await campaigns.blocked()] == [BOB]
    assert console.complaints == []


async def test_what_is_no_number_is_told_in_words(console: LoggedIn) -> None:
    await console.page.goto(console.world.origin + "/dnc?number=030-12")
    await console.expect_shown("main", "is no phone number in international form")
