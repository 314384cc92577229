"""The board in a real browser: calls come, go on and finish without anybody reloading it."""

import pytest
from playwright.async_api import expect

from core.conversation import Usage
from core.outcome import Disposition
from storage.calls import SqlCallStore
from tests.api.console.board import LoggedIn
from tests.api.console.scenes import SUMMARY, Scene, record, turn

pytestmark = pytest.mark.browser


async def test_an_empty_board_tells_how_to_place_the_first_call(console: LoggedIn) -> None:
    await console.visit("/")
    await console.expect_shown(".first", "holdfast call +15550100 --playbook order_support")
    await console.expect_shown(".first", f"curl {console.world.origin}/v1/calls")
    await console.expect_hidden("#live-rows")
    assert console.complaints == []


async def test_a_call_appears_goes_on_and_finishes_by_itself(console: LoggedIn, store: SqlCallStore) -> None:
    await console.visit("/")
    call = Scene(console.world.feed, "CA1", seconds_ago=65).begins()
    await console.expect_shown("#live-CA1 .who", "+1 5550100")
    await console.expect_shown("#live-CA1 .phase", "Live")
    await console.expect_shown("#live-CA1 .what", "Renewal")
    await console.expect_shown("#live-title .count", "1")
    await console.expect_hidden(".first")
    call.caller_says(1, "I want to renew my policy.")
    call.step_is(1, "confirm_details")
    call.reply_starts(1)
    await console.expect_shown("#last-CA1", "I want to renew my policy.")
    await console.expect_shown("#step-CA1", "Confirm details")
    await console.expect_shown("#latency-CA1", "831")
    call.assistant_says(1, "Gladly. What is your number?")
    await console.expect_shown("#last-CA1", "Gladly. What is your number?")
    call.ends()
    await console.expect_shown("#finished-CA1 .phase", "Completed")
    await console.expect_hidden("#live-CA1")
    await console.expect_shown("#live-title .count", "0")
    await store.save(record("CA1", turn(1, "I want to renew my policy.", "Gladly.")))
    await store.save_summary("CA1", SUMMARY, Usage())
    call.note("call_summarized", summary=SUMMARY.summary, topic=SUMMARY.topic, resolved=True)
    await console.expect_shown("#finished-CA1 .line", SUMMARY.summary)
    assert console.complaints == []


async def test_a_duration_ticks(console: LoggedIn) -> None:
    await console.live_call()
    await console.visit("/")
    duration = console.page.locator("#live-CA1 .duration time")
    first = await duration.text_content()
    assert first is not None
    assert first.startswith("1:0")
    await expect(duration).not_to_have_text(first)


async def test_what_was_said_before_the_board_was_opened_is_there(console: LoggedIn) -> None:
    call = await console.live_call()
    call.caller_says(1, "Where is my order?")
    call.step_is(1, "order_status")
    call.reply_starts(1)
    call.assistant_says(1, "It has shipped.")
    await console.world.feed.flush()
    await console.visit("/")
    await console.expect_shown("#last-CA1", "It has shipped.")
    await console.expect_shown("#step-CA1", "Order status")
    await console.expect_shown("#latency-CA1", "831")


async def test_older_calls_come_page_by_page(console: LoggedIn, store: SqlCallStore) -> None:
    for number in range(30):
        await store.save(record(f"CA{number:02}", minutes_ago=number + 1, disposition=Disposition.BUSY, seconds=None))
    await console.visit("/")
    rows = console.page.locator("#finished-rows tr[id^=finished-]")
    await expect(rows).to_have_count(25)
    await console.page.click("text=Older calls")
    await expect(rows).to_have_count(30)
    await console.expect_hidden("#older")
    ids = [await row.get_attribute("id") for row in await rows.all()]
    assert ids == [f"finished-CA{number:02}" for number in range(30)]


async def test_older_calls_need_no_script(console: LoggedIn, store: SqlCallStore) -> None:
    for number in range(30):
        await store.save(record(f"CA{number:02}", minutes_ago=number + 1))
    await console.visit("/")
    link = await console.page.get_attribute("#older a", "href")
    await console.page.goto(console.world.origin + (link or ""))
    await console.expect_shown("#finished-CA29", "Completed")
    await console.expect_hidden("#finished-CA24")


async def test_a_board_that_could_not_connect_says_so_and_has_missed_nothing_later(console: LoggedIn) -> None:
    await console.page.route("**/events?*", lambda route: route.abort())
    await console.page.goto(console.world.origin)
    await console.expect_shown("#connection", "Connection lost, trying again")
    call = await console.live_call()
    call.caller_says(1, "Is anybody there?")
    await console.world.feed.flush()
    await console.page.unroute("**/events?*")
    await console.expect_shown("#last-CA1", "Is anybody there?")
    await console.expect_hidden("#connection")


async def test_a_phone_needs_no_scrolling_sideways(console: LoggedIn, store: SqlCallStore) -> None:
    call = await console.live_call()
    call.caller_says(1, "Something long enough to be wrapped at a phone's width " + "and-without-a-break" * 10)
    call.tool_runs(1, "get_order_status", order_number="4" * 90)
    call.tool_returns(1, "get_order_status", '{"state": "' + "shipped" * 20 + '"}')
    call.reply_starts(1, model=12_000)
    call.assistant_says(1, "It has shipped.")
    await console.world.feed.flush()
    await store.save(record("CA2", disposition=Disposition.ENDED_BY_OPERATOR))
    await console.page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/", "/calls/CA1"):
        await console.visit(path)
        for details in await console.page.locator("details").all():
            await details.evaluate("element => { element.open = true }")
        assert await console.page.evaluate("document.documentElement.scrollWidth") <= 360
