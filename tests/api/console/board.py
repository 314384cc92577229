"""A browser that is logged in."""

from dataclasses import dataclass

from playwright.async_api import Page, expect

from tests.api.console.scenes import Scene
from tests.api.world import ApiWorld


@dataclass
class LoggedIn:
    """One page, and what the browser had to complain about it."""

    world: ApiWorld
    page: Page
    complaints: list[str]

    async def expect_shown(self, selector: str, text: str) -> None:
        """Wait until there is exactly one such element, seen, with this text in it."""
        await expect(self.page.locator(selector)).to_contain_text(text, timeout=15_000)
        await expect(self.page.locator(selector)).to_be_visible()

    async def expect_hidden(self, selector: str) -> None:
        """Wait until there is no such element to be seen."""
        await expect(self.page.locator(selector)).to_be_hidden(timeout=15_000)

    async def visit(self, path: str) -> None:
        """Go there, and wait until the stream of changes stands."""
        async with self.page.expect_response(lambda answer: "/events?" in answer.url):
            await self.page.goto(self.world.origin + path)

    async def live_call(self, call_id: str = "CA1") -> Scene:
        """A call that is going on."""
        scene = Scene(self.world.feed, call_id).begins()
        await self.world.feed.flush()
        return scene
