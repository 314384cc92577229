"""A real browser before the real API."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from storage.calls import SqlCallStore
from storage.database import Database
from tests.api.console.board import LoggedIn
from tests.api.world import API_KEY, ApiWorld

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
def chromium_program() -> Path:
    """Where Debian puts it; a test that needs it is skipped where it is missing, but not in CI."""
    if not CHROMIUM.exists():
        missing = f"no {CHROMIUM}: the console was not looked at (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return CHROMIUM


@pytest.fixture
async def chromium(chromium_program: Path) -> AsyncIterator[Browser]:
    """Debian's browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_program, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A browser of the test's own, without a session."""
    context = await chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)  # the machine is shared
    yield context
    await context.close()


@pytest.fixture
def store(database: Database) -> SqlCallStore:
    """Where calls are put on record."""
    return SqlCallStore(database)


async def logged_in(world: ApiWorld, page: Page) -> LoggedIn:
    """A page that has shown the key, with every complaint of the browser kept."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    await page.goto(world.origin)
    await page.fill("#key", API_KEY)
    await page.click("button")
    await page.wait_for_url(re.compile(r"/$"))
    return LoggedIn(world, page, complaints)


@pytest.fixture
async def console(world_without_temporal: ApiWorld, context: BrowserContext) -> LoggedIn:
    """The console of an installation whose Temporal is away: what needs none works all the same."""
    return await logged_in(world_without_temporal, await context.new_page())


@pytest.fixture
async def steering_console(world: ApiWorld, context: BrowserContext) -> LoggedIn:
    """The console of an installation where everything is up."""
    return await logged_in(world, await context.new_page())
