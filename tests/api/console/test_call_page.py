"""One call's page in a real browser, as the call runs and once it has ended."""

import pytest
from playwright.async_api import expect

from core.conversation import Usage
from storage.calls import SqlCallStore
from tests.api.console.board import LoggedIn
from tests.api.console.scenes import LAYERS, SUMMARY, look_up, record, turn

pytestmark = pytest.mark.browser


async def test_a_transcript_grows_as_the_call_runs(console: LoggedIn) -> None:
    call = await console.live_call()
    await console.visit("/calls/CA1")
    await console.expect_shown(".conversation > .none", "Nothing has been said yet.")
    call.assistant_says(0, "Hello, how can I help?")
    await console.expect_shown("#turn-0 .assistant", "Hello, how can I help?")
    call.caller_says(1, "Where is my order?", confidence=0.41)
    await console.expect_shown("#turn-1 .caller", "Where is my order?")
    await console.expect_shown("#turn-1 .caller", "41\u202f% sure")
    await console.expect_shown("#turn-1 .pending", "thinking")
    call.step_is(1, "order_status", "model", 0.81)
    await console.expect_shown("#turn-1 .step", "Order status model 81\u202f%")
    call.tool_runs(1, "get_order_status", order_number="48213")
    await console.expect_shown("#turn-1 .tool summary", "get_order_status Running")
    call.tool_returns(1, "get_order_status", '{"state": "shipped"}')
    await console.expect_shown("#turn-1 .tool summary", "184")
    call.reply_starts(1, tools=184.0)
    await console.expect_shown("#turn-1 .latency", "1,015")
    call.assistant_says(1, "It has shipped and", interrupted=True)
    await console.expect_shown("#turn-1 .assistant", "It has shipped and interrupted")
    await console.expect_hidden("#turn-1 .pending")
    bar = await console.page.get_attribute("#turn-1 .bar", "aria-label")
    assert bar == (
        "1,015\u202fms: End of turn 262\u202fms, Workflow 14\u202fms, Step 6\u202fms, Tools 184\u202fms, "
        "Model 410\u202fms, Voice 130\u202fms, Gateway 9\u202fms"
    )
    await expect(console.page.locator("#chart canvas")).to_be_visible()
    assert await console.page.locator("#transcript > li").count() == 2
    refused = "Failed to load resource"  # the panel of what the assistant knows asks a Temporal that is away
    assert [complaint for complaint in console.complaints if refused not in complaint] == []


async def test_details_that_were_opened_stay_open(console: LoggedIn) -> None:
    call = await console.live_call()
    call.caller_says(1, "Where is my order?")
    call.tool_runs(1, "get_order_status", order_number="48213")
    await console.world.feed.flush()
    await console.visit("/calls/CA1")
    await console.page.click("#tool-1-0 summary")
    await console.expect_shown("#tool-1-0 pre >> nth=0", '"order_number": "48213"')
    call.tool_returns(1, "get_order_status", '{"state": "shipped"}')
    await console.expect_shown("#tool-1-0 pre >> nth=1", '"state": "shipped"')


async def test_a_problem_is_told_also_to_those_who_come_later(console: LoggedIn) -> None:
    call = await console.live_call()
    call.note("problem", what="The voice did not answer in time.")
    await console.world.feed.flush()
    await console.visit("/calls/CA1")
    await console.expect_shown("#problems", "The voice did not answer in time.")


async def test_the_page_of_a_call_that_ends_loses_its_buttons_and_gets_its_summary(
    console: LoggedIn, store: SqlCallStore
) -> None:
    call = await console.live_call()
    call.caller_says(1, "Where is my order?")
    await console.world.feed.flush()
    await console.visit("/calls/CA1")
    await console.expect_shown("#actions", "End the call")
    await store.save(record("CA1", turn(1, "Where is my order?", "It has", said="It has shipped.", interrupted=True)))
    call.ends()
    await console.expect_shown("#head h1", "Completed")
    await console.expect_shown("#turn-1 s", " shipped.")
    await console.expect_hidden("#actions")
    await console.expect_hidden("#state")
    await store.save_summary("CA1", SUMMARY, Usage())
    call.note("call_summarized", summary=SUMMARY.summary, topic=SUMMARY.topic, resolved=True)
    await console.expect_shown("#summary", SUMMARY.summary)
    await store.save_crm_note("CA1", "note-77")
    call.note("crm_synced", note_id="note-77")
    await console.expect_shown("#head .facts", "note-77")


async def test_a_turn_tells_who_answered_and_how_the_caller_sounded(console: LoggedIn, store: SqlCallStore) -> None:
    await store.save(record("CA1", turn(1, "This is a shambles.", "Sorry.", mood="angry", answer_method="canned")))
    await console.page.goto(f"{console.world.origin}/calls/CA1")
    await console.expect_shown("#turn-1 .found", "Angry")
    await console.expect_shown("#turn-1 .found", "Canned answer")


async def test_a_turn_tells_what_else_it_asked_for_and_what_the_caller_was_to_choose_between(
    console: LoggedIn, store: SqlCallStore
) -> None:
    several = turn(1, "It is broken, and where is the other one?", "Sorry.", matters=("report_problem", "order_status"))
    unclear = turn(2, "It's about the thing.", "Which?", step_method="unclear", choices=("returns", "refund_dispute"))
    await store.save(record("CA1", several, unclear))
    await console.page.goto(f"{console.world.origin}/calls/CA1")
    await console.expect_shown("#turn-1 .found", "then Order status")
    await console.expect_shown("#turn-2 .found", "asked: Returns or Refund dispute?")
    transcript = (await console.world.v1("GET", "/v1/calls/CA1")).json()["transcript"]
    assert [(told["matters"], told["choices"]) for told in transcript] == [
        (["report_problem", "order_status"], []),
        ([], ["returns", "refund_dispute"]),
    ]


async def test_a_turn_tells_from_which_documents_it_was_answered(console: LoggedIn, store: SqlCallStore) -> None:
    told = turn(1, "How long have I got?", "30 days.", told_from=("returns.md, Refunds",))
    await store.save(record("CA1", told))
    await console.page.goto(f"{console.world.origin}/calls/CA1")
    await console.expect_shown("#turn-1 .assistant", "from: returns.md, Refunds")


async def test_how_much_the_caller_spoke_over_is_told_of_the_turn_and_of_the_call(
    console: LoggedIn, store: SqlCallStore
) -> None:
    await store.save(record("CA1", turn(1, "Where is it?", "It has shipped.", played_ms=2_000, talk_over_ms=160)))
    await console.page.goto(f"{console.world.origin}/calls/CA1")
    await console.expect_shown("#turn-1 .assistant", "160\u202fms talked over")
    await console.expect_shown("#head .facts", "8\u202f%")
    call = (await console.world.v1("GET", "/v1/calls/CA1")).json()
    assert (call["talk_over_rate"], call["transcript"][0]["talk_over_ms"]) == (0.08, 160)


async def test_a_finished_call_is_shown_whole(console: LoggedIn, store: SqlCallStore) -> None:
    ended = record("CA1", turn(1, "Where is my order?", "It has shipped.", tools=(look_up(), look_up(ok=False))))
    await store.save(ended)
    await console.page.goto(f"{console.world.origin}/calls/CA1")
    await console.expect_shown("#head h1", "+1 5550100 Completed")
    await console.expect_shown("#head .facts", "1:15")
    await console.expect_shown("#tool-1-0 summary", "get_order_status")
    await console.expect_shown("#tool-1-1 summary", "Failed")
    link = console.page.locator("text=History in Temporal")
    await expect(link).to_have_attribute("href", console.world.deps.settings.temporal_url("CA1"))
    assert await console.page.locator("#turn-1 .bar rect").count() == len([ms for ms in LAYERS.values() if ms])


async def test_what_a_caller_says_is_never_run(console: LoggedIn, store: SqlCallStore) -> None:
    evil = "<script>window.ran = true</script><img src=x onerror='window.ran = true'>"
    call = await console.live_call()
    await console.visit("/calls/CA1")
    call.caller_says(1, evil)
    call.step_is(1, evil)
    call.tool_runs(1, evil, number=evil)
    call.tool_returns(1, evil, evil, ok=False)
    call.note("reply_started", turn=1, layers={"model": 10.0, f'x" onload="{evil}': 1.0}, latency_ms=11.0)
    call.assistant_says(1, evil)
    call.note("problem", what=evil)
    await console.expect_shown("#turn-1 .caller p", evil)
    await console.expect_shown("#turn-1 .assistant p", evil)
    await console.expect_shown("#problems", evil)
    await console.visit("/calls/CA1")
    await console.expect_shown("#turn-1 .caller p", evil)
    await console.visit("/")
    await console.expect_shown("#last-CA1", evil)
    call.caller_says(2, f"Again {evil}")
    await console.expect_shown("#last-CA1", f"Again {evil}")
    assert await console.page.evaluate("window.ran") is None
    assert await console.page.locator("main img, main script").count() == 0


async def test_a_long_transcript_follows_its_end_until_somebody_scrolls_up(console: LoggedIn) -> None:
    call = await console.live_call()
    for number in range(1, 60):
        call.caller_says(number, f"This is sentence {number}.")
    await console.world.feed.flush()
    await console.visit("/calls/CA1")
    await console.page.click("text=Newest")
    await console.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    call.caller_says(60, "The last one.")
    await console.expect_shown("#turn-60", "The last one.")
    await expect(console.page.locator("#turn-60")).to_be_in_viewport()
    await console.page.evaluate("scrollTo(0, 0)")
    call.caller_says(61, "One more.")
    await console.expect_shown("#turn-61", "One more.")
    await expect(console.page.locator("#turn-61")).not_to_be_in_viewport()
