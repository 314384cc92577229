"""Callers who ask for several things in one breath, and who change the subject and come back."""

from core.agenda import Matter
from core.conversation import Step, ToolCall
from core.playbook import parse_playbook
from tests.world.playbook import ORDERS, collecting_orders, orders
from tests.world.world import CallWorld

BOTH = Step("returns", 0.9, "model", matters=(Matter("order_status"),))
THREE = "Can I return sandals, oh, and I gave you a number, what of it, and a voucher?"


async def test_two_things_asked_for_in_one_breath_are_answered_one_after_the_other(world: CallWorld) -> None:
    call = await world.answered_call(orders())
    world.reasoner.steps.append(BOTH)
    world.reasoner.will_say("Yes, within 30 days.", "As for your order: what is its number?")
    assert await call.asks(THREE) == "Yes, within 30 days."
    assert await call.hears() == "As for your order: what is its number?"
    first, second = world.reasoner.prompts
    assert "What comes after this step\n- order_status: Tell where an order is." in first.situation
    assert "The step is order_status." in second.situation
    assert "The caller asked for several things" in second.situation
    assert [message.text for message in second.messages[-2:]] == ["Yes, within 30 days.", THREE]
    assert (await call.state()).step == "order_status"
    await call.hangs_up()
    await call.result()
    await call.after_call()
    record = world.store.records[call.id].turns[1]
    assert (record.step, record.matters) == ("returns", ("returns", "order_status"))


async def test_second_thing_waits_until_the_first_is_done_and_is_not_forgotten(world: CallWorld) -> None:
    call = await world.answered_call(collecting_orders())
    world.reasoner.steps.append(Step("order_status", 0.9, "model", matters=(Matter("returns", "can it go back"),)))
    world.reasoner.will_say("What is the order number?")
    assert await call.asks("What of my thing, and can it go back?") == "What is the order number?"
    state = await call.state()
    assert (state.step, state.wants, state.missing) == ("order_status", ("returns",), ("order_number",))
    world.reasoner.will_say([ToolCall("1", "find_order", {"order_number": "48213"})], "It comes today.", "Yes, it can.")
    await call.caller_says("48213")
    assert [await call.hears() for _ in range(3)] == ["", "It comes today.", "Yes, it can."]
    assert world.reasoner.prompts[-1].messages[-1].text == "can it go back"
    state = await call.state()
    assert (state.step, state.wants, state.confirmed["order_number"]) == ("returns", (), "48213")


async def test_caller_who_changes_the_subject_is_led_back_and_both_are_kept(world: CallWorld) -> None:
    call = await world.answered_call(collecting_orders())
    world.reasoner.will_say("What is the order number?", "Yes, within 30 days.", "Now, back to your order: its number?")
    await call.asks("Where is my order?")
    assert await call.asks("Can I return the shoes?") == "Yes, within 30 days."
    assert await call.hears() == "Now, back to your order: its number?"
    back = world.reasoner.prompts[-1]
    assert "The caller had changed the subject" in back.situation
    assert "Still to find out, one question at a time: order number" in back.situation
    state = await call.state()
    assert (state.step, state.wants, state.next) == ("order_status", (), "find out order_number")
    world.reasoner.will_say("Thank you.")
    await call.asks("It is 48213.")
    assert (await call.state()).believes["order_number"] == "48213"


async def test_caller_who_cuts_in_is_answered_first_and_what_else_they_wanted_comes_after(world: CallWorld) -> None:
    call = await world.answered_call(orders())
    world.reasoner.steps.append(BOTH)
    call.reports = False
    await call.caller_says(THREE)
    first = await call.next_reply()
    call.reports = True
    await call.caller_says("Can I return the shoes, too?")
    await call.report(first, heard="Yes")
    texts = [await call.hears(), await call.hears()]
    assert texts[0] == "You said: Can I return the shoes, too?"
    assert "The step is order_status." in world.reasoner.prompts[-1].situation


async def test_canned_answer_is_followed_by_what_else_was_asked_for(world: CallWorld) -> None:
    text = ORDERS.replace(
        '    examples: ["I want to send something back.", "Can I return the shoes?"]\n',
        '    examples: ["I want to send something back.", "Can I return the shoes?"]\n'
        '    canned: [{examples: ["How long do I have to return it?"], answer: "30 days."}]\n',
    )
    call = await world.answered_call(parse_playbook(text.replace("tools: [find_order]\n", COLLECTS)))
    await call.asks("Where is my order?")
    assert await call.asks("How long do I have to return it?") == "30 days."
    await call.hears()
    assert "go back to this step" in world.reasoner.prompts[-1].situation.lower()
    assert await call.asks("It is 48213.") == "You said: It is 48213."
    transcript = await call.transcript()
    assert [(turn.step, turn.said) for turn in transcript[2:]] == [
        ("returns", "30 days. You said: The caller says nothing."),
        ("order_status", "You said: It is 48213."),
    ]


COLLECTS = 'tools: [find_order]\n    collect: [{name: order_number, pattern: "[0-9]{5}"}]\n'
