"""What somebody who only has the Temporal UI sees of a call."""

from collections.abc import AsyncIterator
from itertools import pairwise

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.converter import DataConverter

from core.contracts.call import TakeOver
from core.contracts.names import TAKE_OVER
from core.conversation import ToolCall
from tests.world.world import CallWorld, ScriptedCall

FIND = ToolCall("t1", "find_order", {"order_number": "482"})
_WITH_SUMMARY = {EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, EventType.EVENT_TYPE_MARKER_RECORDED}


async def test_the_page_tells_who_calls_which_step_what_was_said_last_and_what_is_next(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([FIND], "It has shipped.")
    await call.asks("Where is my order?")
    assert await call.hears() == "It has shipped."
    page = await details(call)
    assert page[0].startswith("### +12025550123 → +12025550001")
    assert page[0].endswith("(inbound)")
    assert any("**live**" in line and "step `order_status`" in line and "turn 1" in line for line in page)
    assert "Next: wait for the caller" in page
    assert "- Caller: “Where is my order?”" in page
    assert "- Assistant: “It has shipped.”" in page
    assert "- find_order: done" in page


async def test_the_page_reads_as_paragraphs_and_a_list(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.asks("Where is my order?")
    page = await details(call)
    for above, line in pairwise(page):
        assert not above or not line or (above.startswith("- ") and line.startswith("- "))


async def test_the_page_tells_how_the_call_goes_on_and_ended(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.handle.execute_update(TAKE_OVER, TakeOver("+12025550177"))
    await call.redirected()
    assert "Next: connect the caller to +12025550177" in await details(call)
    await call.carrier_asks()
    await call.result()
    page = await details(call)
    assert "- Outcome: **taken_over**" in page
    assert "Next: nothing: the call has ended" in page


async def test_each_activity_says_what_it_is_for(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([FIND], "It has shipped.")
    await call.asks("Where is my order?")
    assert await call.hears() == "It has shipped."
    await call.asks("Do you sell llamas, and what do they eat?")
    await call.hangs_up()
    await call.result()
    await call.after_call()
    told = [summary async for summary in summaries(call)]
    assert all(told)
    assert {"turn 1: match step", "turn 1: reply", "turn 1: find_order", "turn 2: find step"} <= set(told)


async def details(call: ScriptedCall) -> list[str]:
    """The lines of the page "current details"."""
    metadata: WorkflowMetadata = await call.handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details.removesuffix("&nbsp;").rstrip().split("\n")


async def summaries(call: ScriptedCall) -> AsyncIterator[str]:
    """Of all activities of a call and of what follows it, local ones included; "" where there is none."""
    after_call = call.world.client.get_workflow_handle(f"after-{call.handle.id}")
    for handle in (call.handle, after_call):
        async for event in handle.fetch_history_events():
            if event.event_type in _WITH_SUMMARY and event.marker_recorded_event_attributes.marker_name != "core_patch":
                yield await summary(event)


async def summary(event: HistoryEvent) -> str:
    """The event's summary."""
    if not event.user_metadata.HasField("summary"):
        return ""
    [text] = await DataConverter.default.decode([event.user_metadata.summary], [str])
    return str(text)
