"""The way in and out in a real browser, and what the browser is told about each page."""

import pytest
from playwright.async_api import BrowserContext, expect

from tests.api.console.board import LoggedIn
from tests.api.world import API_KEY, ApiWorld

pytestmark = pytest.mark.browser


async def test_a_page_is_shown_once_the_key_is_given(world_without_temporal: ApiWorld, context: BrowserContext) -> None:
    world, page = world_without_temporal, await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    await page.goto(f"{world.origin}/?before=x")
    await page.fill("#key", "wrong")
    await page.click("button")
    assert await page.text_content("[role=alert]") == "This is not the key."
    assert await page.evaluate("getComputedStyle(document.body).display") == "grid"  # the style inside is let through
    await page.fill("#key", API_KEY)
    await page.click("button")
    assert await page.text_content("h1 >> nth=0") == "Live calls 0"
    assert complaints == []


async def test_logging_out_closes_the_console(console: LoggedIn) -> None:
    await console.visit("/")
    await console.page.click("text=Log out")
    await console.expect_shown("h1", "Holdfast")
    await console.page.goto(f"{console.world.origin}/calls/CA1")
    assert "/login?next=/calls/CA1" in console.page.url


async def test_a_session_that_ends_leads_back_to_the_login(console: LoggedIn) -> None:
    call = await console.live_call()
    await console.visit("/calls/CA1")
    await console.page.context.clear_cookies()
    call.caller_says(1, "Hello?")  # so the page asks again what the assistant knows
    await expect(console.page).to_have_url(f"{console.world.origin}/login?next=%2Fcalls%2FCA1")
