"""A real browser before the real API."""

import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from threading import Thread

import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright

from api.auth import SESSION_COOKIE, make_session_cookie
from storage.calls import SqlCallStore
from storage.database import Database
from tests.api.console.board import LoggedIn
from tests.api.world import ApiWorld

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


@pytest.fixture(scope="session")
def chromium_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's browser, one for all tests of a process; skipped where it is missing, but not in CI."""
    if not CHROMIUM.exists():
        missing = f"no {CHROMIUM}: the console was not looked at (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    profile = tmp_path_factory.mktemp("chromium")
    command = [str(CHROMIUM), *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    listening = (line.split()[-1] for line in process.stderr if line.startswith("DevTools listening on"))
    url = next(listening)
    Thread(target=process.stderr.read, daemon=True).start()  # a full pipe would stop the browser
    yield url
    process.terminate()
    process.wait()


@pytest.fixture
async def chromium(chromium_url: str) -> AsyncIterator[Browser]:
    """The browser, as this test's event loop reaches it."""
    async with async_playwright() as playwright:
        yield await playwright.chromium.connect_over_cdp(chromium_url)


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


async def logged_in(world: ApiWorld, context: BrowserContext) -> LoggedIn:
    """A page with a session, with every complaint of the browser kept."""
    session = make_session_cookie(world.deps.settings, time.time())
    await context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": world.origin}])
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    return LoggedIn(world, page, complaints)


@pytest.fixture
async def console(world_without_temporal: ApiWorld, context: BrowserContext) -> LoggedIn:
    """The console of an installation whose Temporal is away: what needs none works all the same."""
    return await logged_in(world_without_temporal, context)


@pytest.fixture
async def steering_console(world: ApiWorld, context: BrowserContext) -> LoggedIn:
    """The console of an installation where everything is up."""
    return await logged_in(world, context)
