"""A supervisor takes a live call over in a real browser: real processes, real sockets, a microphone that is a tone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import BrowserContext, Page, expect

from cli.settings import Settings
from cli.stack import Stack
from core.g711 import decode
from evals.product import Product
from evals.sandbox_control import SandboxControl
from tests.browser import TONE_HZ
from tests.world.playbook import ORDERS
from tests.world.stack import stack_options

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

OUR_NUMBER, CALLER = "+12025550142", "+12025550117"
PLAYBOOK = f"""{ORDERS.replace("operation: find_order", "operation: get_order_status")}
numbers: ["{OUR_NUMBER}"]
"""
SCRIPT: list[dict[str, Any]] = [
    {"noise": 0.2, "after": "reply"},  # the greeting
    {"say": "My parcel is wet.", "after": "reply"},  # the supervisor's first words: before them nothing is to be heard
    {"say": "Thank you for that.", "wait_for": "I am back with you"},
    {"hang_up": True, "after": "reply"},
]
WHOLE_SECOND = 8_000


@dataclass
class World:
    """The product, its caller, and a supervisor's browser."""

    stack: Stack
    product: Product
    sandbox: SandboxControl
    page: Page
    sid: str = ""

    async def caller_hears(self) -> bytes:
        """The last seconds."""
        return await self.sandbox.heard(self.sid)

    async def lines(self) -> list[dict[str, Any]]:
        """What the caller has heard so far, line by line: words are the assistant's, it alone speaks the sandbox's."""
        lines: list[dict[str, Any]] = (await self.sandbox.call(self.sid))["heard"]
        return lines

    async def shows(self, selector: str, text: str) -> None:
        """Wait until the page does."""
        await expect(self.page.locator(selector)).to_contain_text(text, timeout=30_000)


@pytest.fixture
async def world(tmp_path: Path, temporal_binary: Path, context: BrowserContext) -> AsyncIterator[World]:
    """Everything, and a browser that has shown the key."""
    options = stack_options(tmp_path, temporal_binary, PLAYBOOK)
    async with Stack(options, Settings.read()) as stack:
        product, sandbox = Product(stack.url, stack.api_key), SandboxControl(stack.sandbox_url or "")
        page = await context.new_page()
        await page.goto(f"{stack.url}/login")
        await page.fill("input[name=key]", stack.api_key)
        await page.press("input[name=key]", "Enter")
        await page.wait_for_url(f"{stack.url}/")
        yield World(stack, product, sandbox, page)
        await product.close()
        await sandbox.close()


def loudest_hz(audio: bytes) -> float:
    """Of its last three seconds."""
    samples = decode(audio[-3 * WHOLE_SECOND :]).astype(float)
    return float(np.argmax(np.abs(np.fft.rfft(samples)))) * 8_000 / len(samples)


async def test_caller_hears_the_supervisors_microphone_and_then_the_assistant_again(world: World) -> None:
    world.sid = await world.sandbox.place_call(CALLER, OUR_NUMBER, SCRIPT)
    page = world.page
    await page.click(f"a[href='/calls/{world.sid}']")
    await world.shows("#turn-0 .assistant", "How can I help?")
    await page.fill("[data-desk=by]", "Grace")
    await page.click("text='Take over'")
    await world.shows("[data-desk=status]", "You talk with the caller.")
    await world.shows("#head", "Taken over")
    spoken = len([line for line in await world.lines() if line["text"]])
    await world.shows("#turn-1 .caller", "My parcel is wet.")
    audio = await world.caller_hears()
    assert loudest_hz(audio) == pytest.approx(TONE_HZ, abs=10)
    assert len([line for line in await world.lines() if line["text"]]) == spoken  # not a word of the assistant
    await page.click("text='Hand back'")
    await world.shows("[data-desk=status]", "Handed back to the assistant.")
    await world.shows("#turn-1 .assistant", "I am back with you.")
    await world.shows("#turn-2 .assistant", " ")
    async with asyncio.timeout(60):
        async for line in world.product.feed():
            if line.kind == "call_ended" and line.call_id == world.sid:
                break
    told = await world.product.call(world.sid)
    assert [(one["by"], one["outcome"]) for one in told["transfers"]] == [("Grace", "handed_back")]
    assert told["disposition"] == "caller_hung_up"
