"""Answers made while the caller may still go on: nothing counts before the turn is one."""

import asyncio
from dataclasses import replace

from core.contracts import names
from core.contracts.call import TurnWithdrawn
from core.conversation import ToolCall
from core.outcome import Disposition
from core.ports.reasoner import TextPiece
from core.speculation import words_key
from tests.world.fakes import broken
from tests.world.world import CallWorld, ScriptedCall


async def callers_words(call: ScriptedCall) -> list[str]:
    return [turn.caller for turn in await call.transcript()][1:]


async def test_an_answer_made_ahead_is_the_answer_once_the_turn_has_ended(world: CallWorld) -> None:
    call = await world.answered_call()
    turn = await call.probably_says("Where is my order")
    playback = await call.next_opened(turn=1)
    assert playback.hold == words_key("where is my order")
    assert await callers_words(call) == []
    await call.has_said(turn, "Where is my order?")
    assert await call.hears() == "You said: Where is my order"
    assert await callers_words(call) == ["Where is my order"]
    assert len(world.reasoner.prompts) == 1
    assert await call.asks("When does my parcel arrive?") == "You said: When does my parcel arrive?"


async def test_an_answer_made_ahead_whose_worker_is_gone_is_made_again_before_the_turn_has_ended(
    world: CallWorld,
) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([asyncio.Event()], "It is on its way.")
    turn = await call.probably_says("Where is my order")
    await call.next_opened(turn=1)
    await call.waits_in_vain()
    again = await call.next_opened(turn=1)
    assert again.hold == words_key("where is my order")
    await call.has_said(turn)
    assert await call.hears() == "It is on its way."
    assert await callers_words(call) == ["Where is my order"]


async def test_of_a_withdrawn_answer_nothing_is_remembered_and_its_cost_is_counted_apart(world: CallWorld) -> None:
    call = await world.answered_call()
    call.reports = False
    await call.probably_says("Where is my order")
    withdrawn = await call.next_reply()
    await call.goes_on()
    withdrawn.close()
    call.reports = True
    assert await call.asks("Where is my order and my refund?") == "You said: Where is my order and my refund?"
    assert await callers_words(call) == ["Where is my order and my refund?"]
    assert "Where is my order" not in [message.text for message in world.reasoner.prompts[-1].messages]
    await call.activity_has_ended(names.RESPOND, times=2)
    await call.hangs_up()
    await call.result()
    await call.after_call()
    record = world.store.records[call.id]
    assert [turn.turn for turn in record.turns] == [0, 1]
    assert [(usage.model, usage.output_tokens) for usage in record.withdrawn] == [("fake", 5)]
    assert record.turns[1].usage.output_tokens == 5


async def test_a_withdrawn_answer_that_was_still_being_written_is_paid_for_too(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([TextPiece("It is on its way. "), asyncio.Event()], "Of both.")
    await call.probably_says("Where is my order")
    withdrawn = await call.next_pushed("It is on its way.")
    await call.goes_on()
    withdrawn.close()
    assert await call.asks("Where is my order and my refund?") == "Of both."
    await call.activity_has_ended(names.RESPOND, times=2)  # what it cost is told after its last word
    await call.hangs_up()
    await call.result()
    await call.after_call()
    (paid,) = world.store.records[call.id].withdrawn
    assert (paid.model, paid.input_tokens, paid.characters) == ("fake", 10, len("It is on its way."))
    assert world.store.records[call.id].turns[1].usage.characters == len("Of both.")


async def test_another_try_at_the_same_turn_outranks_the_withdrawn_one(world: CallWorld) -> None:
    call = await world.answered_call()
    call.reports = False
    await call.probably_says("Where is my order")
    first = await call.next_reply()
    await call.goes_on()
    first.close()
    turn = await call.probably_says("Where is my order and when does it come")
    second = await call.next_reply()
    assert (first.key.turn, second.key.turn) == (1, 1)
    assert second.key.part > first.key.part
    await call.has_said(turn)
    call.reports = True
    await call.report(second)
    assert await call.asks("Thanks, and where is my order?")
    assert (await callers_words(call))[0] == "Where is my order and when does it come"


async def test_a_turn_that_ends_with_other_words_is_answered_anew(world: CallWorld) -> None:
    call = await world.answered_call()
    call.reports = False
    turn = await call.probably_says("Where is my order")
    first = await call.next_reply()
    call.reports = True
    await call.send(replace(turn, seq=call.seq(), text="Where is my order now, please?"))
    first.close()
    assert await call.hears() == "You said: Where is my order now, please?"
    assert await callers_words(call) == ["Where is my order now, please?"]


async def test_a_turn_that_comes_before_its_likely_end_is_answered_once(world: CallWorld) -> None:
    call = await world.answered_call()
    turn = call.words("Where is my order?")
    await call.has_said(turn)
    assert (await call.send(replace(turn, eager=True))).known
    assert await call.hears() == "You said: Where is my order?"
    assert await call.asks("When does my parcel arrive?") == "You said: When does my parcel arrive?"
    assert len(world.reasoner.prompts) == 2


async def test_a_withdrawal_that_comes_first_keeps_the_likely_turn_away(world: CallWorld) -> None:
    call = await world.answered_call()
    turn = call.words("Where is my order?")
    await call.handle.signal(names.TURN_WITHDRAWN, TurnWithdrawn(call.attachment, call.seq()))
    assert (await call.send(replace(turn, eager=True))).known
    call.turn -= 1
    assert await call.asks("When does my parcel arrive?") == "You said: When does my parcel arrive?"
    assert len(world.reasoner.prompts) == 1


async def test_a_turn_that_overtakes_the_withdrawal_of_the_same_words_is_answered(world: CallWorld) -> None:
    call = await world.answered_call()
    turn = await call.probably_says("Where is my order?")
    first = await call.next_reply()
    withdrawal = TurnWithdrawn(call.attachment, call.seq())
    assert not (await call.send(replace(turn, seq=call.seq(), withdrawn_seq=withdrawal.seq))).known
    first.close()
    assert await call.hears() == "You said: Where is my order?"
    await call.handle.signal(names.TURN_WITHDRAWN, withdrawal)
    assert await call.asks("When does my parcel arrive?") == "You said: When does my parcel arrive?"
    assert await callers_words(call) == ["Where is my order?", "When does my parcel arrive?"]


async def test_no_tool_runs_before_the_turn_has_ended(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([ToolCall("t1", "find_order", {"order_number": "48213"})], "It is on its way.")
    turn = await call.probably_says("Where is my order")
    await call.next_reply()
    assert (await call.state()).done == ()
    assert world.crm.runs == []
    await call.has_said(turn)
    assert await call.hears() == "It is on its way."
    assert len(world.crm.runs) == 1


async def test_a_tool_that_a_withdrawn_answer_asked_for_never_runs(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([ToolCall("t1", "find_order", {"order_number": "48213"})], "Here I am.")
    await call.probably_says("Where is my order")
    await call.next_reply()
    await call.goes_on()
    assert await call.asks("Can I return the shoes?") == "Here I am."
    assert world.crm.runs == []


async def test_a_goodbye_that_goes_on_does_not_end_the_call(world: CallWorld) -> None:
    call = await world.answered_call()
    call.reports = False
    world.reasoner.will_say("Thank you, bye.")
    await call.probably_says("No, nothing else, goodbye")
    goodbye = await call.next_reply()
    await call.goes_on()
    goodbye.close()
    call.reports = True
    assert await call.asks("Where is my order?") == "You said: Where is my order?"
    world.reasoner.will_say("Thank you, bye.")
    turn = await call.probably_says("No, nothing else, goodbye")
    await call.next_reply()
    await call.has_said(turn)
    assert await call.disposition() is Disposition.COMPLETED


async def test_a_vendor_that_fails_a_withdrawn_answer_fails_no_call(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.faults.coming.append(broken(curable=False))
    await call.probably_says("Where is my order")
    await call.next_opened(turn=1)
    await call.goes_on()
    assert await call.asks("Can I return the shoes?") == "You said: Can I return the shoes?"
    assert (await call.state()).disposition is None


async def test_a_gateway_that_is_lost_with_a_likely_turn_has_it_asked_again(world: CallWorld) -> None:
    call = await world.answered_call()
    call.reports = False
    await call.probably_says("Where is my order")
    await call.next_reply()
    await call.lose_stream()
    await call.redirected()
    call.reports = True
    answer = await call.attach()
    assert answer.next_turn == 1
    assert "cut off" in await call.hears()
    assert await call.asks("Where is my order?") == "You said: Where is my order?"
    assert await callers_words(call) == ["Where is my order?"]
