"""Turns whose step nobody can tell: one question, then a person."""

from core.contracts.transfer import Cause
from core.conversation import Step
from core.outcome import Disposition
from core.playbook import parse_playbook
from tests.world.playbook import ORDERS, orders
from tests.world.world import CallWorld

VAGUE = Step("order_status", 0.4, "model", choices=("order_status", "returns"))


async def test_caller_whose_wish_is_unclear_is_asked_once_between_the_two_likeliest_steps(world: CallWorld) -> None:
    call = await world.answered_call(orders())
    world.reasoner.steps.append(VAGUE)
    world.reasoner.will_say("Is it about where it is, or do you want to send it back?")
    assert (await call.asks("It is about that thing.")).startswith("Is it about")
    asked = world.reasoner.prompts[-1]
    assert "What the caller wants is not clear" in asked.situation
    assert "- order_status: Tell where an order is.\n- returns: Take a return." in asked.situation
    assert "find_order" not in [tool.name for tool in asked.tools]
    state = await call.state()
    assert state.choices == ("order_status", "returns")
    assert state.next == "have the caller choose: order_status or returns"
    await call.asks("Can I return the shoes?")
    assert "not clear" not in world.reasoner.prompts[-1].situation
    state = await call.state()
    assert (state.step, state.choices) == ("returns", ())
    await call.hangs_up()
    assert await call.disposition() is Disposition.CALLER_HUNG_UP
    await call.after_call()
    record = world.store.records[call.id].turns[1]
    assert (record.step, record.step_method, record.step_confidence) == ("order_status", "unclear", 0.4)
    assert record.choices == ("order_status", "returns")


async def test_caller_who_is_unclear_twice_is_connected_with_a_person(world: CallWorld) -> None:
    call = await world.answered_call(orders())
    world.reasoner.steps.extend([VAGUE, VAGUE])
    await call.asks("It is about that thing.")
    assert await call.asks("Well, that thing, you know.") == "Let me bring in a colleague who can help you better."
    assert len(world.reasoner.prompts) == 1
    verb = await call.redirected()
    assert verb.number == "+12025550100"


async def test_unclear_turns_that_are_not_in_a_row_bring_nobody(world: CallWorld) -> None:
    call = await world.answered_call(orders())
    world.reasoner.steps.extend([VAGUE, VAGUE])
    await call.asks("It is about that thing.")
    await call.asks("Can I return the shoes?")
    await call.asks("And then there is that thing.")
    assert "not clear" in world.reasoner.prompts[-1].situation
    assert (await call.state()).step == "returns"


async def test_where_there_are_no_people_a_callback_is_noted_and_the_caller_is_told(world: CallWorld) -> None:
    call = await world.answered_call(orders(transfer_to=None))
    world.reasoner.steps.extend([VAGUE, VAGUE])
    await call.asks("It is about that thing.")
    await call.asks("Well, that thing, you know.")
    told = world.reasoner.prompts[-1].messages[-1].tools
    assert "tell the caller that a colleague will call back" in told[-1].content
    await call.hangs_up()
    await call.result()
    await call.after_call()
    (transfer,) = world.store.records[call.id].transfers
    assert (transfer.cause, transfer.callback) == (Cause.LOW_CONFIDENCE, True)
    assert "that thing, you know" in transfer.summary


async def test_unclear_guess_of_a_turn_that_goes_on_counts_for_nothing(world: CallWorld) -> None:
    call = await world.answered_call(orders())
    world.reasoner.steps.extend([VAGUE, VAGUE])
    call.reports = False
    await call.probably_says("It is about that thing")
    guessed = await call.next_reply()
    await call.goes_on()
    guessed.close()
    call.reports = True
    await call.asks("It is about that thing I mentioned.")
    assert "not clear" in world.reasoner.prompts[-1].situation


async def test_playbook_may_say_that_nobody_is_asked(world: CallWorld) -> None:
    playbook = parse_playbook(ORDERS.replace("{audit: 0}", "{audit: 0, clarify_below: 0}"))
    call = await world.answered_call(playbook)
    world.reasoner.steps.append(VAGUE)
    await call.asks("It is about that thing.")
    assert "not clear" not in world.reasoner.prompts[-1].situation
