"""Tools that ask first, are undone, or are told again: the workflow decides, the model only asks."""

import json

from core.conversation import ToolCall, ToolResult
from core.ports.reasoner import TextPiece
from tests.world.fakes import broken
from tests.world.playbook import confirming_orders
from tests.world.world import CallWorld, ScriptedCall

ASKS = "I will send it to 12 Oak Lane. Is that right?"
CHANGE = ToolCall("t1", "change_address", {"street": "12 Oak Lane"})
FIND = ToolCall("t1", "find_order", {"order_number": "482"})


async def asked(world: CallWorld, call: ScriptedCall) -> None:
    """The model has asked for the change, and the caller has heard it read back."""
    world.reasoner.will_say([CHANGE])
    await call.caller_says("Where is my order? Send it elsewhere.")
    await call.hears()
    assert await call.hears() == ASKS
    assert world.crm.runs == []


def operations(world: CallWorld) -> list[str]:
    return [operation for operation, _, _ in world.crm.runs]


async def results(call: ScriptedCall) -> list[ToolResult]:
    return [result for turn in await call.transcript() for result in turn.tools]


async def test_tool_that_asks_first_runs_after_the_callers_yes(world: CallWorld) -> None:
    call = await world.answered_call(confirming_orders())
    await asked(world, call)
    assert (await call.state()).next == "wait for the caller's yes to change_address"
    world.reasoner.will_say("It goes to Oak Lane.")
    assert await call.asks("Yes, that's right.") == "It goes to Oak Lane."
    ((operation, arguments, context),) = world.crm.runs
    assert (operation, arguments) == ("change_address", {"street": "12 Oak Lane", "phone": "+12025550123"})
    assert context.idempotency_key == f"{call.id}:2:1"
    told = world.reasoner.prompts[-1].messages[-1].tools
    assert [result.call for result in told] == [CHANGE]
    assert (await call.transcript())[-1].step_method == "confirmed"


async def test_tool_that_asks_first_is_dropped_after_a_no(world: CallWorld) -> None:
    call = await world.answered_call(confirming_orders())
    await asked(world, call)
    world.reasoner.will_say("Where to, then?", "All right.")
    assert await call.asks("No, that's wrong.") == "Where to, then?"
    assert await call.asks("Yes.") == "All right."  # a yes to nothing
    assert world.crm.runs == []
    assert [result.ok for result in await results(call)] == [False]


async def test_words_that_are_no_plain_yes_are_judged_by_the_model(world: CallWorld) -> None:
    call = await world.answered_call(confirming_orders())
    await asked(world, call)
    world.reasoner.steps.append("yes")
    world.reasoner.will_say("Done.")
    assert await call.asks("You have got that spot on, my dear.") == "Done."
    assert operations(world) == ["change_address"]


async def test_model_that_is_not_sure_of_a_yes_lets_the_call_lapse(world: CallWorld) -> None:
    call = await world.answered_call(confirming_orders())
    await asked(world, call)
    world.reasoner.will_say("It is near the station.")
    await call.asks("Where on earth is that anyway?")
    assert world.crm.runs == []
    assert "has not said yes" in (await results(call))[0].content


async def test_yes_before_the_arguments_were_heard_has_them_read_back_again(world: CallWorld) -> None:
    call = await world.answered_call(confirming_orders())
    world.reasoner.will_say([CHANGE])
    await call.caller_says("Where is my order? Send it elsewhere.")
    await call.hears()
    call.reports = False
    cut = await call.next_reply()
    await call.report(cut, heard="I will send it")
    call.reports = True
    assert await call.asks("Yes.") == ASKS
    assert world.crm.runs == []
    world.reasoner.will_say("Done.")
    assert await call.asks("Yes.") == "Done."
    assert operations(world) == ["change_address"]


async def test_no_answer_is_made_ahead_while_a_yes_is_waited_for(world: CallWorld) -> None:
    call = await world.answered_call(confirming_orders())
    await asked(world, call)
    turn = await call.probably_says("Yes.")
    assert world.crm.runs == []
    world.reasoner.will_say("Done.")
    await call.has_said(turn)
    assert await call.hears() == "Done."
    assert operations(world) == ["change_address"]


async def test_caller_who_takes_it_back_has_it_undone(world: CallWorld) -> None:
    call = await world.answered_call(confirming_orders())
    await asked(world, call)
    world.reasoner.will_say("Done.", "It is as it was.")
    await call.asks("Yes.")
    assert await call.asks("Oh wait, cancel that please.") == "It is as it was."
    assert operations(world) == ["change_address", "restore_address"]
    _, arguments, context = world.crm.runs[1]
    assert arguments == {"street": "12 Oak Lane", "was": "on its way"}
    assert context.idempotency_key == f"{call.id}:2:1:undo"
    assert json.loads((await results(call))[-1].content)["undone"] == ["change_address"]
    await call.asks("Cancel that.")
    assert len(world.crm.runs) == 2


async def test_what_is_taken_back_is_undone_though_the_turn_was_foreseen(world: CallWorld) -> None:
    call = await world.answered_call(confirming_orders())
    await asked(world, call)
    world.reasoner.will_say("Done.", "It is as it was.")
    await call.asks("Yes.")
    turn = await call.probably_says("Oh wait, cancel that please.")
    await call.has_said(turn)
    assert await call.hears() == "It is as it was."
    assert operations(world) == ["change_address", "restore_address"]


async def test_write_whose_later_step_fails_is_undone(world: CallWorld) -> None:
    call = await world.answered_call(confirming_orders())
    world.reasoner.will_say([ToolCall("t1", "open_case")], [ToolCall("t2", "note")], "I could not do it.")
    world.crm.refused = {"note"}
    await call.caller_says("Where is my order?")
    while await call.hears() != "I could not do it.":
        pass
    assert operations(world) == ["open_case", "note", "restore_address"]
    told = json.loads((await results(call))[-1].content)
    assert (told["reason"], told["undone"]) == ("a later step failed", ["open_case"])


async def test_confirmed_write_that_fails_takes_back_what_was_done_before_it(world: CallWorld) -> None:
    call = await world.answered_call(confirming_orders())
    world.reasoner.will_say([ToolCall("t0", "open_case")], [CHANGE], "It cannot be done.")
    world.crm.refused = {"change_address"}
    await call.caller_says("Where is my order? Send it elsewhere.")
    while await call.hears() != ASKS:
        pass
    assert await call.asks("Yes.") == "It cannot be done."
    assert operations(world) == ["open_case", "change_address", "restore_address"]


async def test_what_cannot_be_undone_is_told(world: CallWorld) -> None:
    call = await world.answered_call(confirming_orders())
    await asked(world, call)
    world.reasoner.will_say("Done.", "I cannot change it back.")
    await call.asks("Yes.")
    world.crm.refused = {"restore_address"}
    assert await call.asks("Undo that.") == "I cannot change it back."
    last = (await results(call))[-1]
    assert (last.ok, json.loads(last.content)["not_undone"]) == (False, ["change_address"])


async def test_read_is_told_again_until_something_is_written(world: CallWorld) -> None:
    call = await world.answered_call(confirming_orders())
    world.reasoner.will_say(
        [FIND], "Found.", [FIND], "Found again.", [ToolCall("t2", "note")], "Noted.", [FIND], "New."
    )
    for question in (
        "Where is my order?",
        "Where is my order now?",
        "When does my parcel arrive?",
        "Where is my order?",
    ):
        await call.caller_says(question)
        await call.hears()
        await call.hears()
    assert operations(world) == ["find_order", "note", "find_order"]
    assert [result.content for result in await results(call) if result.call.name == "find_order"] == [
        '{"status": "on its way", "order_number": "482"}'
    ] * 3


async def test_arguments_that_are_wrong_again_are_the_callers_to_mend(world: CallWorld) -> None:
    call = await world.answered_call(confirming_orders())
    wrong = ToolCall("t1", "change_address", {"street": 12})
    world.reasoner.will_say([wrong], [wrong], "Which street?")
    await call.caller_says("Where is my order?")
    while await call.hears() != "Which street?":
        pass
    first, second = (result.content for result in await results(call))
    assert first.startswith("wrong arguments: 12 is not of type")
    assert "ask the caller" in second
    assert world.crm.runs == []


async def test_write_without_an_answer_is_reported_as_unknown(world: CallWorld) -> None:
    call = await world.answered_call(confirming_orders())
    world.crm.faults.always = broken("timeout")
    world.reasoner.will_say([TextPiece("One moment."), ToolCall("t1", "note")], "I do not know.")
    await call.asks("Where is my order?")
    assert await call.hears() == "I do not know."
    assert len({context.idempotency_key for _, _, context in world.crm.runs}) == 1
    assert "nobody knows whether it was done" in (await results(call))[0].content
