"""Questions with canned answers: spoken without the model, and a reply like any other."""

import asyncio

from core.conversation import CANNED, MODEL, ToolCall
from core.playbook import Playbook, parse_playbook
from core.ports.reasoner import TextPiece
from core.speculation import words_key
from tests.world.playbook import ORDERS
from tests.world.world import CallWorld

ANSWER = "You have 30 days. Is there anything else?"
GOODBYE = "Goodbye, and thank you."


def playbook() -> Playbook:
    returns = f"    goal: Take a return.\n    canned: [{{examples: ['How long may I keep it?'], answer: '{ANSWER}'}}]\n"
    goodbye = f"    goal: Say goodbye.\n    canned: [{{examples: ['See you next time.'], answer: '{GOODBYE}'}}]\n"
    text = ORDERS.replace("    goal: Take a return.\n", returns)
    return parse_playbook(text.replace("    goal: Say goodbye.\n", goodbye))


async def test_canned_answer_needs_no_model_call(world: CallWorld) -> None:
    call = await world.answered_call(playbook())
    assert await call.asks("How long may I keep it?") == ANSWER
    assert await call.asks("Where is my order?") == "You said: Where is my order?"
    assert len(world.reasoner.prompts) == 1
    remembered = [message.text for message in world.reasoner.prompts[0].messages]
    assert ANSWER in remembered
    turns = await call.transcript()
    assert [(turn.answer_method, turn.step) for turn in turns[1:]] == [(CANNED, "returns"), (MODEL, "order_status")]
    assert (turns[1].said, turns[1].heard) == (ANSWER, ANSWER)
    found = [line.data["answer"] for line in world.feed.lines[call.id] if line.kind == "step_found"]
    assert found == [CANNED, MODEL]


async def test_canned_answer_costs_no_voice_request_the_second_time(world: CallWorld) -> None:
    call = await world.answered_call(playbook())
    await call.asks("How long may I keep it?")
    opened = world.voice.opened
    await call.asks("How long may I keep it?")
    assert world.voice.opened == opened
    assert [turn.usage.characters for turn in await call.transcript()][2] == 0


async def test_caller_can_cut_a_canned_answer_short(world: CallWorld) -> None:
    call = await world.answered_call(playbook())
    call.reports = False
    await call.caller_says("How long may I keep it?")
    reply = await call.next_reply()
    await call.report(reply, heard="You have")
    call.reports = True
    assert await call.asks("Where is my order?") == "You said: Where is my order?"
    assert ((await call.transcript())[1].heard, (await call.transcript())[1].interrupted) == ("You have", True)


async def test_canned_goodbye_ends_the_call(world: CallWorld) -> None:
    call = await world.answered_call(playbook())
    assert await call.asks("See you next time.") == GOODBYE
    assert (await call.result()).turns == 1
    assert world.reasoner.prompts == []


async def test_results_that_are_still_to_be_told_come_first(world: CallWorld) -> None:
    call = await world.answered_call(playbook())
    world.crm.gate = asyncio.Event()
    find = ToolCall("t1", "find_order", {"order_number": "482"})
    world.reasoner.will_say([TextPiece("Let me look. "), find], "It is on its way, and you have 30 days.")
    await call.asks("Where is my order?")
    await world.crm.running.wait()
    await call.caller_says("How long may I keep it?")
    world.crm.gate.set()
    assert await call.hears() == "It is on its way, and you have 30 days."


async def test_canned_answer_that_went_down_with_its_gateway_is_given_again(world: CallWorld) -> None:
    call = await world.answered_call(playbook())
    call.reports = False
    await call.caller_says("How long may I keep it?")
    await call.next_reply()
    await call.attach()
    assert await call.hears() == "Sorry, we were cut off."
    assert await call.hears() == ANSWER
    assert world.reasoner.prompts == []


async def test_canned_answer_is_made_ahead_too(world: CallWorld) -> None:
    call = await world.answered_call(playbook())
    turn = await call.probably_says("How long may I keep it?")
    assert (await call.next_opened(turn=1)).hold == words_key("How long may I keep it?")
    await call.has_said(turn)
    assert await call.hears() == ANSWER
    assert world.reasoner.prompts == []
    assert (await call.transcript())[1].answer_method == CANNED
