"""Tool calls in a call: who may call what, once, and what becomes of the result."""

import asyncio

from core.conversation import ToolCall
from core.playbook import Playbook, parse_playbook
from core.ports.reasoner import TextPiece
from tests.world.fakes import broken
from tests.world.playbook import ORDERS
from tests.world.world import PATIENCE_S, CallWorld, ScriptedCall


def patient(fillers: str) -> Playbook:
    """A playbook whose fillers come soon."""
    return parse_playbook(ORDERS.replace("fillers: []", f"fillers: {fillers}\nfiller_after_ms: 300"))


FIND = ToolCall("t1", "find_order", {"order_number": "482"})


async def test_tool_result_is_told_in_the_next_part_of_the_answer(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([TextPiece("Let me look. "), FIND], "It is on its way.")
    assert await call.asks("Where is my order?") == "Let me look."
    answer = await call.next_reply()
    assert answer.text == "It is on its way."
    assert (answer.key.turn, answer.key.part, answer.key.attempt) == (1, 1, 1)
    operation, arguments, context = world.crm.runs[0]
    assert (operation, arguments) == ("find_order", {"order_number": "482"})
    assert context.idempotency_key == f"{call.id}:1:1"
    assert context.caller_number == "+12025550123"
    asked = world.reasoner.prompts[-1].messages
    assert any("on its way" in result.content for message in asked for result in message.tools)
    assert (await call.transcript())[1].heard == "Let me look. It is on its way."
    kinds = world.feed.kinds(call.id)
    assert kinds[-2:] == ["tool_called", "tool_returned"]


async def test_each_tool_call_of_a_turn_has_its_own_key(world: CallWorld) -> None:
    call = await world.answered_call()
    second = ToolCall("t2", "find_order", {"order_number": "483"})
    third = ToolCall("t3", "find_order", {"order_number": "484"})
    world.reasoner.will_say([TextPiece("Let me look. "), FIND, second], [third], "Found all.")
    await call.asks("Where is my order?")
    await call.next_reply()
    assert await call.hears() == "Found all."
    keys = {context.idempotency_key for _, _, context in world.crm.runs}
    assert keys == {f"{call.id}:1:1", f"{call.id}:1:2", f"{call.id}:1:3"}


async def test_retried_tool_call_keeps_its_key(world: CallWorld) -> None:
    call = await world.answered_call()
    world.crm.faults.coming.append(broken())
    world.reasoner.will_say([FIND], "Found.")
    await call.asks("Where is my order?")
    assert await call.hears() == "Found."
    assert [context.idempotency_key for _, _, context in world.crm.runs] == [f"{call.id}:1:1"] * 2


async def test_wrong_arguments_never_reach_the_crm(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([ToolCall("t1", "find_order", {"order": 482})], "Which order?")
    await call.asks("Where is my order?")
    assert await call.hears() == "Which order?"
    assert world.crm.runs == []
    (result,) = (await call.transcript())[1].tools
    assert not result.ok
    assert "order_number" in result.content


async def test_tool_of_another_step_is_never_run(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([FIND], "I cannot look it up now.")
    await call.asks("Can I return the shoes?")
    assert await call.hears() == "I cannot look it up now."
    assert world.crm.runs == []
    (result,) = (await call.transcript())[1].tools
    assert "cannot be used in this step" in result.content


async def test_refusal_is_for_the_model_to_tell(world: CallWorld) -> None:
    call = await world.answered_call()
    world.crm.faults.always = broken("refused", curable=False)
    world.reasoner.will_say([FIND], "There is no such order.")
    await call.asks("Where is my order?")
    assert await call.hears() == "There is no such order."
    (result,) = (await call.transcript())[1].tools
    assert (result.ok, result.content) == (False, "is refused")
    assert len(world.crm.runs) == 1


async def test_crm_that_stays_away_is_a_result_too(world: CallWorld) -> None:
    call = await world.answered_call()
    world.crm.faults.always = broken("unavailable")
    world.reasoner.will_say([FIND], "Our system is down.")
    await call.asks("Where is my order?")
    assert await call.hears() == "Our system is down."
    (result,) = (await call.transcript())[1].tools
    assert result.content == "the system did not answer"


async def test_caller_hears_that_a_slow_tool_takes_its_time(world: CallWorld) -> None:
    call = await world.answered_call(patient(fillers="[]"))
    world.crm.gate = asyncio.Event()
    world.reasoner.will_say([FIND], "Found.")
    await call.asks("Where is my order?")
    assert await call.hears() == "One moment, please."
    world.crm.gate.set()
    assert await call.hears() == "Found."


async def test_further_fillers_are_others_also_in_the_next_turn(world: CallWorld) -> None:
    call = await world.answered_call(patient(fillers='["Let me see.", "Just a second.", "Still looking."]'))
    world.crm.gate = asyncio.Event()
    world.reasoner.will_say([TextPiece("I look it up. "), FIND], "Found.", [FIND], "Found again.")
    assert await call.asks("Where is my order?") == "I look it up."
    assert [await call.hears(), await call.hears()] == ["Let me see.", "Just a second."]
    world.crm.gate.set()
    assert await call.hears() == "Found."
    world.crm.gate = asyncio.Event()
    await call.asks("When does my parcel arrive?")
    assert await call.hears() == "Still looking."
    world.crm.gate.set()
    assert await call.hears() == "Found again."


async def test_of_a_slow_tool_no_filler_is_said_twice(world: CallWorld) -> None:
    call = await world.answered_call(patient(fillers='["Let me see.", "Just a second."]'))
    world.crm.gate = asyncio.Event()
    world.reasoner.will_say([FIND], "Found.")
    await call.asks("Where is my order?")
    assert [await call.hears(), await call.hears()] == ["Let me see.", "Just a second."]
    assert await timers_are_over(call)
    world.crm.gate.set()
    assert await call.hears() == "Found."


async def timers_are_over(call: ScriptedCall) -> bool:
    """Wait until the workflow has looked a third time, and decided."""
    fired = 0
    async with asyncio.timeout(PATIENCE_S):
        async for event in call.handle.fetch_history_events(wait_new_event=True):
            fired += event.HasField("timer_fired_event_attributes")
            if fired == 3 and event.HasField("workflow_task_completed_event_attributes"):
                return True
    return False


async def test_answer_does_not_wait_until_a_filler_was_heard(world: CallWorld) -> None:
    call = await world.answered_call(patient(fillers='["Let me see.", "Just a second."]'))
    world.crm.gate = asyncio.Event()
    world.reasoner.will_say([FIND], "Found.")
    await call.asks("Where is my order?")
    call.reports = False
    assert await call.hears() == "Let me see."
    world.crm.gate.set()
    assert await call.hears() == "Found."


async def test_filler_before_the_goodbye_is_no_goodbye(world: CallWorld) -> None:
    call = await world.answered_call(patient(fillers='["Let me see.", "Just a second."]'))
    gate = asyncio.Event()
    world.reasoner.will_say([gate, ToolCall("t1", "end_call")])
    await call.caller_says("Where is my order?")
    await call.next_pushed("Let me see.")
    gate.set()
    assert await call.hears() == "Let me see."
    assert await call.hears() == "Goodbye."
    await call.result()


async def test_result_of_a_tool_outlives_the_answer_that_wanted_it(world: CallWorld) -> None:
    call = await world.answered_call()
    world.crm.gate = asyncio.Event()
    world.reasoner.will_say([TextPiece("Let me look. "), FIND], "An answer to both.")
    await call.asks("Where is my order?")
    await world.crm.running.wait()
    await call.caller_says("When does my parcel arrive?")
    world.crm.gate.set()
    answer = await call.next_reply()
    assert (answer.key.turn, answer.text) == (2, "An answer to both.")
    assert len(world.crm.runs) == 1
    asked = world.reasoner.prompts[-1].messages
    assert any("on its way" in result.content for message in asked for result in message.tools)


async def test_model_that_goes_in_circles_is_stopped_with_an_apology(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say(*[[FIND] for _ in range(6)])
    await call.caller_says("Where is my order?")
    heard = [await call.hears() for _ in range(5)]
    assert heard[-1] == "I am sorry, something went wrong."
    assert len(world.crm.runs) == 4
