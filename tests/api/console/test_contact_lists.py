"""Lists of contacts, as people send them from the console."""

import pytest
from playwright.async_api import FilePayload, Route

from core.contact_list import ListedContact
from core.ports.contact_lists import ListUpload
from storage.campaigns import SqlCampaigns
from storage.contact_lists import SqlContactLists
from storage.database import Database
from tests.api.console.board import LoggedIn
from tests.api.console.test_campaigns import SETTINGS

pytestmark = pytest.mark.browser

LIST = "Telefon;Name\n030 12345678;Ada\n12;Grace\n+12025550117;Joan\n"


async def choose(console: LoggedIn, text: str, **fields: str) -> None:
    """A file on the page of c1's lists, and what is told of it."""
    await console.page.goto(console.world.origin + "/campaigns/c1/lists")
    file = FilePayload(name="Kunden März.csv", mimeType="text/csv", buffer=text.encode())
    await console.page.set_input_files("input[name=file]", files=[file])
    for name, value in fields.items():
        await console.page.fill(f"input[name={name}]", value)


async def test_a_list_is_uploaded_and_its_bad_lines_are_told(console: LoggedIn, database: Database) -> None:
    campaigns = SqlCampaigns(database)
    await campaigns.create(SETTINGS, 1.0)
    await console.page.goto(console.world.origin + "/campaigns/c1")
    await console.page.click("text='Upload contacts'")
    await choose(console, LIST, region="de")
    await console.page.click("form >> text='Upload'")
    await console.expect_shown("#upload-said", "2 contacts added, 1 line passed over.")
    await console.expect_shown("article", "line 3")
    await console.expect_shown("article h2", "Read")
    assert [one.variables for one in await campaigns.contacts("c1")] == [{"name": "Ada"}, {"name": "Joan"}]
    await console.page.click("form >> text='Upload'")  # the same file again
    await console.expect_shown("#upload-said", "2 contacts added")
    assert len(await campaigns.contacts("c1")) == 2
    assert console.complaints == []


async def test_an_upload_whose_connection_breaks_is_sent_again(console: LoggedIn, database: Database) -> None:
    await SqlCampaigns(database).create(SETTINGS, 1.0)
    asked: list[str] = []

    async def break_the_first(route: Route) -> None:
        asked.append(route.request.url)
        await (route.abort("connectionreset") if len(asked) == 1 else route.continue_())

    await console.page.route("**/v1/campaigns/c1/lists/*", break_the_first)
    await choose(console, LIST, region="DE")
    await console.page.click("form >> text='Upload'")
    await console.expect_shown("#upload-said", "2 contacts added")
    assert len(asked) == 2
    assert len(set(asked)) == 1  # under the same name, so that it goes on where it was


async def test_a_list_that_cannot_be_used_is_refused_in_words(console: LoggedIn, database: Database) -> None:
    await SqlCampaigns(database).create(SETTINGS, 1.0)
    await choose(console, "name,city\nAda,London\n")
    await console.page.click("form >> text='Upload'")
    await console.expect_shown("#upload-said", "no column for the number")


async def test_a_list_that_was_cut_says_how_to_go_on(console: LoggedIn, database: Database) -> None:
    await SqlCampaigns(database).create(SETTINGS, 1.0)
    listed = ListedContact(2, "+493012345678", "", {}, None)
    await SqlContactLists(database).take(ListUpload("c1", "monday"), [listed], 1.0, lines=2)
    await console.page.goto(console.world.origin + "/campaigns/c1/lists")
    await console.expect_shown("article", "Read up to line 2. Send the same file again")
