"""A real browser before the real API."""

import time

import pytest
from playwright.async_api import BrowserContext

from api.auth import SESSION_COOKIE, make_session_cookie
from storage.calls import SqlCallStore
from storage.database import Database
from tests.api.console.board import LoggedIn
from tests.api.world import ApiWorld


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
