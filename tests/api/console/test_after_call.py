"""An operator sees what follows a call, and has it done again."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect
from temporalio.client import Client

from storage.database import Database
from tests.api.after_world import NEVER_AGAIN, NO_PATIENCE, AfterWorld, after_world
from tests.api.console.board import LoggedIn
from tests.world.fakes import broken

pytestmark = pytest.mark.browser


@pytest.fixture
async def after(steering_console: LoggedIn, temporal: Client, database: Database) -> AsyncIterator[AfterWorld]:
    async with after_world(steering_console.world, temporal, database) as started:
        yield started


async def test_a_step_that_failed_is_shown_and_tried_again_by_hand(
    steering_console: LoggedIn, after: AfterWorld
) -> None:
    console = steering_console
    after.calls.crm.note_faults.coming.append(broken("unavailable"))
    call_id = await after.ended(NEVER_AGAIN)
    await after.seen(f"/v1/calls/{call_id}/after", lambda told: "retrying" in str(told))
    await console.visit(f"/calls/{call_id}")
    await console.expect_shown("#after .steps li:has-text('CRM')", "Failed, tried again")
    await console.expect_shown("#after .steps li:has-text('CRM')", "vendor: is unavailable")
    await look(console, "after-retrying")
    await console.page.click("#after >> text=Try now")
    await console.expect_shown("#after .steps li:has-text('CRM')", f"note note-{call_id}")


async def test_a_dead_letter_is_listed_and_sent_again(steering_console: LoggedIn, after: AfterWorld) -> None:
    console = steering_console
    after.calls.crm.note_faults.always = broken("refused", curable=False)
    call_id = await after.ended(NO_PATIENCE)
    await after.over(call_id)
    await console.page.goto(f"{steering_console.world.origin}/dead-letters")
    await console.expect_shown(".letters tbody tr", "vendor: is refused")
    await look(console, "letters")
    await console.page.click(f".letters >> text={call_id}")
    await console.expect_shown("#after .steps li:has-text('CRM')", "Given up")
    after.calls.crm.note_faults.always = None
    await look(console, "after-given-up")
    await console.page.click("#after >> text=Send again")
    await console.expect_shown("#after .steps li:has-text('CRM')", "Sent again")
    await console.page.goto(f"{steering_console.world.origin}/dead-letters")
    await expect(console.page.locator(".letters")).to_contain_text("There are none")


async def look(console: LoggedIn, name: str) -> None:
    """Keep a picture where one is asked for."""
    if folder := os.environ.get("HOLDFAST_PICTURES"):
        await console.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
