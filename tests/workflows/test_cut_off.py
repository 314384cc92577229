"""What callers hear of an answer whose gateway stops or dies in its midst."""

import asyncio

from core.contracts import names
from core.contracts.call import Verb
from core.contracts.gateway import GatewayLost
from core.ports.reasoner import TextPiece
from tests.world.fakes import FakePlayback
from tests.world.playbook import orders
from tests.world.world import CallWorld, ScriptedCall

ANSWER = "It left on Monday. It arrives on Friday."


async def test_call_that_is_handed_over_in_a_pause_goes_on_without_a_word(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.asks("Where is my order?")
    world.playback.holding_lines.clear()
    await call.is_handed_over()
    assert await call.hears() == ""
    assert await call.asks("When does my parcel arrive?") == "You said: When does my parcel arrive?"
    assert call.id in world.playback.holding_lines, "the new gateway can keep the line"


async def test_answer_goes_on_where_the_handing_over_has_cut_it(world: CallWorld) -> None:
    call = await world.answered_call()
    call.reports = False
    world.reasoner.will_say(ANSWER)
    await call.caller_says("Where is my order?")
    await call.report(await call.next_reply(), heard="It left on Monday. It arr", lost=True)
    call.reports = True
    await call.is_handed_over()
    assert await call.hears() == "It arrives on Friday."
    assert await call.hears() == ""
    assert len(world.reasoner.prompts) == 1, "it was made already"
    assert (await call.transcript())[1].heard == "It left on Monday. It arr It arrives on Friday."


async def test_answer_that_was_being_made_when_the_call_was_handed_over_is_made_to_its_end(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([TextPiece("It left on Monday. "), asyncio.Event()], "It arrives on Friday.")
    await call.caller_says("Where is my order?")
    first = await call.next_pushed("It left on Monday.")
    first.close()
    await call.report(first, heard="It left on Monday.", lost=True)
    await call.is_handed_over()
    assert await call.hears() == ""
    assert await call.hears() == "It arrives on Friday."
    assert 'heard this much: "It left on Monday."' in world.reasoner.prompts[-1].messages[-1].text
    assert (await call.transcript())[1].heard == "It left on Monday. It arrives on Friday."
    await call.asks("And the other one?")
    assert "heard this much" not in world.reasoner.prompts[-1].messages[-1].text


async def test_turn_that_was_told_before_the_call_was_handed_over_is_answered(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.lose_stream(handed_over=True)
    await call.caller_says("Where is my order?")
    await call.carrier_asks()
    await call.attach()
    heard = {await call.hears(), await call.hears()}
    assert heard == {"", "You said: Where is my order?"}


async def test_greeting_that_was_cut_is_said_to_its_end(world: CallWorld) -> None:
    call = await world.call(playbook=orders())
    call.reports = False
    await call.attach()
    await call.report(await call.next_reply(), heard="I am an AI assistant.", lost=True)
    call.reports = True
    await call.lose_stream()
    await call.carrier_asks()
    await call.attach()
    assert await call.hears() == "Sorry, we were cut off."
    assert await call.hears() == "How can I help?"


async def test_rest_that_was_lost_too_is_said_on_the_stream_after_that(world: CallWorld) -> None:
    call = await world.answered_call()
    call.reports = False
    world.reasoner.will_say(ANSWER)
    await call.caller_says("Where is my order?")
    await call.report(await call.next_reply(), heard="It left on Monday.", lost=True)
    for _ in range(2):
        await call.lose_stream()
        await call.carrier_asks()
        await call.attach()
        assert await call.hears() == "Sorry, we were cut off."
        assert await call.hears() == "It arrives on Friday."


async def test_answer_of_a_killed_gateway_goes_on_after_what_its_worker_knows_was_heard(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([TextPiece("It left on Monday. It had rained. "), asyncio.Event()], "It is here.")
    world.playback.heard_so_far = "It left on Monday. It had"
    await call.caller_says("Where is my order?")
    await _gateway_dies(call, await call.next_pushed("It had rained."))
    assert await call.hears() == "Sorry, we were cut off."
    assert await call.hears() == "It is here."
    assert 'heard this much: "It left on Monday."' in world.reasoner.prompts[-1].messages[-1].text
    assert (await call.transcript())[1].heard == "It left on Monday. It had Sorry, we were cut off. It is here."


async def test_answer_that_was_whole_when_its_gateway_was_killed_is_not_made_again(world: CallWorld) -> None:
    call = await world.answered_call()
    call.reports = False
    world.reasoner.will_say(ANSWER)
    world.playback.heard_so_far = "It left on Monday. It"
    await call.caller_says("Where is my order?")
    await _gateway_dies(call, await call.next_reply())
    assert await call.hears() == "Sorry, we were cut off."
    assert await call.hears() == "It arrives on Friday."
    assert len(world.reasoner.prompts) == 1


async def test_line_of_a_killed_gateway_goes_on_after_what_was_heard(world: CallWorld) -> None:
    call = await world.call(playbook=orders())
    call.reports = False
    world.playback.heard_so_far = "I am an AI assistant."
    await call.attach()
    await _gateway_dies(call, await call.next_reply())
    assert await call.hears() == "Sorry, we were cut off."
    assert await call.hears() == "How can I help?"


async def test_answer_leads_where_it_should_though_its_gateway_was_killed(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([TextPiece("Of course. "), asyncio.Event()], "I will put you through.")
    await call.caller_says("Can I talk to a human?")
    await _gateway_dies(call, await call.next_pushed("Of course."))
    assert await call.hears() == "Sorry, we were cut off."
    assert await call.hears() == "I will put you through."
    verb = await call.redirected()
    assert (verb.verb, verb.number) == (Verb.DIAL, "+12025550100")


async def _gateway_dies(call: ScriptedCall, reply: FakePlayback) -> None:
    call.world.playback.dead.add(call.playback_url(call.attachment))
    reply.lose()
    await call.handle.signal(names.GATEWAY_LOST, GatewayLost(call.attachment))
    await call.carrier_asks()
    await call.attach()
