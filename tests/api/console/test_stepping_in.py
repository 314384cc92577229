"""A supervisor acts on a live call from its page."""

import pytest

from core.contracts.call import End, Say, TakeOver, Transfer
from tests.api.console.board import LoggedIn
from tests.api.console.scenes import Scene
from tests.api.recording_call import REFUSED_LINE, TOLD_SO_MUCH

pytestmark = pytest.mark.browser


async def running_call(console: LoggedIn) -> Scene:
    """A call whose workflow runs, with its page open."""
    call_id, _ = await console.world.incoming()
    scene = await console.live_call(call_id)
    await console.visit(f"/calls/{call_id}")
    return scene


async def told(console: LoggedIn, call: Scene, things: int) -> list[str]:
    answer: list[str] = await console.world.workflow(call.call_id).execute_update(TOLD_SO_MUCH, things)
    return answer


async def test_what_the_assistant_knows_is_shown_and_asked_again(steering_console: LoggedIn) -> None:
    await running_call(steering_console)
    await steering_console.expect_shown("#state", "Intent")
    await steering_console.expect_shown("#state", "ask for the policy number")
    await steering_console.expect_shown("#state .done", "greeted")


async def test_the_assistant_says_a_line(steering_console: LoggedIn) -> None:
    call = await running_call(steering_console)
    await steering_console.page.fill("#say-text", "A colleague calls you back.")
    await steering_console.page.click("text='Say'")
    await steering_console.expect_shown("#action-result", "The assistant says it next.")
    assert await steering_console.page.input_value("#say-text") == ""
    assert await told(steering_console, call, 1) == [repr(Say("A colleague calls you back."))]


async def test_a_refusal_is_shown_in_words_and_the_line_stays(steering_console: LoggedIn) -> None:
    await running_call(steering_console)
    await steering_console.page.fill("#say-text", REFUSED_LINE)
    await steering_console.page.click("text='Say'")
    await steering_console.expect_shown("#action-result", "The call refused: the call is being transferred.")
    assert await steering_console.page.input_value("#say-text") == REFUSED_LINE


async def test_a_number_that_is_none_is_shown_in_words(steering_console: LoggedIn) -> None:
    await running_call(steering_console)
    await steering_console.page.click("#actions summary >> text=Transfer")
    await steering_console.page.fill("#transfer-to", "911")
    await steering_console.page.click("text=Transfer the caller")
    await steering_console.expect_shown("#action-result", "To: is no phone number in international form")


async def test_a_call_is_transferred_taken_over_and_ended(steering_console: LoggedIn) -> None:
    call = await running_call(steering_console)
    page = steering_console.page
    await page.click("#actions summary >> text=Transfer")
    await page.fill("#transfer-to", "+1 202 555 0190")
    await page.fill("#transfer-reason", "billing")
    await page.click("text=Transfer the caller")
    await steering_console.expect_shown("#action-result", "The caller is put through to +12025550190.")
    await page.click("#actions summary >> text=Take over")
    await page.fill("#take-over-to", "+12025550191")
    await page.click("text=Take the call")
    await steering_console.expect_shown("#action-result", "+12025550191 rings")
    assert await told(steering_console, call, 2) == [
        repr(Transfer("+12025550190", "billing")),
        repr(TakeOver("+12025550191", "", warm=True)),
    ]
    await page.click("#actions summary >> text=End the call")
    await page.click("#actions button >> text=End the call")
    await steering_console.expect_shown("#action-result", "The call ends.")
    assert await steering_console.world.workflow(call.call_id).result() == call.call_id
    assert (await told_at_the_end(steering_console, call))[-1] == repr(End("", None))


async def told_at_the_end(console: LoggedIn, call: Scene) -> list[str]:
    answer: list[str] = await console.world.workflow(call.call_id).query("told")
    return answer


async def test_a_call_that_has_ended_says_so(steering_console: LoggedIn) -> None:
    call = await running_call(steering_console)
    await steering_console.world.workflow(call.call_id).terminate()
    await steering_console.page.fill("#say-text", "Hello?")
    await steering_console.page.click("text='Say'")
    await steering_console.expect_shown("#action-result", "The call has ended.")


async def test_with_temporal_away_the_page_stands_and_a_button_tells_what_is_wrong(console: LoggedIn) -> None:
    call = await console.live_call()
    call.caller_says(1, "Hello?")
    await console.visit("/calls/CA1")
    await console.expect_shown("#turn-1", "Hello?")
    await console.expect_shown("#state-now", "does not answer at the moment")
    await console.page.fill("#say-text", "Hello.")
    await console.page.click("text='Say'")
    await console.expect_shown("#action-result", "Nothing is lost; try again in a moment.")
