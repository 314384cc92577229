"""What callers do with the keys of their phones."""

import logging

import pytest
import structlog

from core.contracts.call import CallerTurn
from core.conversation import ToolCall
from core.keypad import KeyAction, Keyed
from core.outcome import Disposition
from core.ports.errors import VendorError
from tests.world.playbook import keyed_orders
from tests.world.world import CallWorld, ScriptedCall

CARD = "4111111111111111"
PAYING = keyed_orders()
PAY = ToolCall("t1", "find_order", {"order_number": "[order_number]"})


def keyed(call: ScriptedCall, text: str, how: Keyed) -> CallerTurn:
    turn = call.words(text, 1.0)
    return CallerTurn(turn.attachment, turn.seq, turn.turn, text, 1.0, turn.timings, keyed=how)


def pressed(call: ScriptedCall, action: KeyAction) -> CallerTurn:
    return keyed(call, f"[key 1: {action.value}]", Keyed(action=action))


async def test_digits_are_answered_in_the_step_that_asked_for_them(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.asks("Where is my order?")
    await call.send(keyed(call, "48213", Keyed(field="order_number", count=5)))
    assert await call.hears() == "You said: 48213"
    turn = (await call.transcript())[-1]
    assert (turn.step, turn.step_method, turn.caller) == ("order_status", "keys", "48213")


async def test_a_key_hands_over_to_a_person(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.send(pressed(call, KeyAction.TRANSFER))
    assert await call.hears() == "One moment, please."
    assert (await call.redirected()).number == "+12025550100"
    await call.carrier_asks()
    assert await call.disposition() is Disposition.TRANSFERRED


async def test_consent_by_a_key_is_kept_with_its_time(world: CallWorld) -> None:
    call = await world.answered_call()
    assert (await call.state()).consent is None
    await call.send(pressed(call, KeyAction.REFUSE))
    await call.hears()
    assert world.reasoner.prompts[-1].messages[-1].text == "[key 1: refuse]"
    assert (await call.state()).consent is False
    await call.send(pressed(call, KeyAction.CONSENT))
    await call.hears()
    assert (await call.state()).consent is True
    await call.hangs_up()
    await call.result()
    await call.after_call()
    consents = world.store.records[call.id].consents
    assert [(consent.given, consent.turn, consent.at_ms) for consent in consents] == [(False, 1, 2.0), (True, 2, 2.0)]


async def test_a_key_has_the_last_answer_said_again(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say("It arrives tomorrow.")
    await call.asks("Where is my order?")
    await call.send(pressed(call, KeyAction.REPEAT))
    assert await call.hears() == "It arrives tomorrow."
    assert len(world.reasoner.prompts) == 1


async def test_a_key_ends_the_call(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.send(pressed(call, KeyAction.END))
    assert await call.hears() == "Goodbye."
    assert await call.disposition() is Disposition.COMPLETED


async def test_key_and_words_that_come_together_are_both_answered(world: CallWorld) -> None:
    call = await world.answered_call()
    first = call.words("Where is my order?")
    second = keyed(call, "48213", Keyed(field="order_number", count=5))
    await call.send(first)
    await call.send(second)
    while (reply := await call.next_reply()).key.turn < 2:
        pass
    assert "48213" in reply.text


async def caller_who_has_keyed_a_card_number_in(world: CallWorld, kept: str | None = CARD) -> ScriptedCall:
    call = await world.answered_call(PAYING)
    await call.asks("Where is my order?")
    if kept:
        world.playback.digits["http://gateway/digits", "order_number"] = kept
    sensitive = Keyed(field="order_number", count=16, sensitive=True)
    await call.send(keyed(call, "[order_number] 16 digits", sensitive))
    return call


async def test_sensitive_digits_reach_the_crm_and_nobody_else(
    world: CallWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.crm.faults.coming.append(VendorError("crm", "unavailable", f"no luck with {CARD}", curable=True))
    world.reasoner.will_say("Which one?", [PAY], "It is paid.")
    with structlog.testing.capture_logs() as logged:
        call = await caller_who_has_keyed_a_card_number_in(world)
        assert [await call.hears(), await call.hears()] == ["", "It is paid."]
    assert [arguments for _, arguments, _ in world.crm.runs] == [{"order_number": CARD}] * 2
    (result,) = (await call.transcript())[-1].tools
    assert result.call == PAY
    assert "[order_number]" in result.content
    await call.hangs_up()
    await call.result()
    await call.after_call()
    history = repr((await call.handle.fetch_history()).events)
    assert "[order_number] 16 digits" in history
    assert logged
    assert caplog.records
    logs = [repr(logged), *(repr(vars(record)) for record in caplog.records)]
    told = [history, repr(world.reasoner.prompts), repr(world.feed.lines), repr(world.store.records), *logs]
    assert not [text for text in told if CARD in text]


async def test_digits_that_went_down_with_a_gateway_are_asked_for_again(world: CallWorld) -> None:
    world.reasoner.will_say("Which one?", [PAY], "Please key it in once more.")
    call = await caller_who_has_keyed_a_card_number_in(world, kept=None)
    assert [await call.hears(), await call.hears()] == ["", "Please key it in once more."]
    assert world.crm.runs == []
    (result,) = (await call.transcript())[-1].tools
    assert result.content == "not at hand any more: ask the caller to key in again: order_number"
