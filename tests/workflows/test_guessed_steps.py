"""Answers that are made in the likeliest step while the model is asked which it is."""

import asyncio
from functools import cache

import pytest

from core.contracts import names
from core.conversation import Step, ToolCall
from core.learnt_steps import LearntSteps, learn
from core.mood import Mood
from core.ngrams import NgramEmbedder
from core.playbook import parse_playbook
from tests.core.test_learnt_steps import EXAMPLES
from tests.world.fakes import broken
from tests.world.playbook import ORDERS, orders
from tests.world.world import CallWorld

LIKELY = "My aunt wants the shoes she gave me to go to the shop again."  # returns, but not surely so
UNKNOWN = "It is about the weather in Lisbon."


@cache
def taught() -> LearntSteps:
    fit = learn(EXAMPLES, NgramEmbedder())
    assert fit is not None
    return LearntSteps(fit, NgramEmbedder(), EXAMPLES)


@pytest.fixture
def world(world: CallWorld) -> CallWorld:
    world.step_fits.taught = taught()
    return world


def test_the_words_of_these_tests_are_what_they_are_said_to_be() -> None:
    everywhere = {"order_status", "returns", "person"}
    likely, unknown = taught().decide([LIKELY, UNKNOWN], everywhere)
    assert (likely.step, likely.likeliest) == (None, "returns")
    assert likely.confidence >= 0.3
    assert unknown.confidence < 0.3


async def test_answer_is_written_while_the_model_is_asked_and_said_once_it_agrees(world: CallWorld) -> None:
    call = await world.answered_call(orders())
    world.reasoner.steps.append("returns")
    world.reasoner.step_gate = asyncio.Event()
    world.reasoner.will_say("Yes, send them back.")
    await call.caller_says(LIKELY)
    playback = await call.next_opened(turn=1)
    await world.reasoner.asked(step=1, reply=1)  # both, and neither has waited for the other
    assert playback.sentences == []
    world.reasoner.step_gate.set()
    assert await call.hears() == "Yes, send them back."
    assert "The step is returns." in world.reasoner.prompts[-1].situation
    assert (await call.state()).step == "returns"
    assert await call.asks("Where is my order?") == "You said: Where is my order?"
    assert len(world.reasoner.prompts) == 2
    await call.hangs_up()
    await call.result()
    await call.after_call()
    first = world.store.records[call.id].turns[1]
    assert (first.step, first.step_method, first.fallback) == ("returns", "model", True)
    assert first.step_usage.input_tokens == 20


async def test_answer_in_the_wrong_step_is_never_said_and_made_anew(world: CallWorld) -> None:
    call = await world.answered_call(orders())
    world.reasoner.steps.append("order_status")
    world.reasoner.will_say("You can send them back.", "They are on their way to us.")
    assert await call.asks(LIKELY) == ""
    assert await call.hears() == "They are on their way to us."
    first, second = [prompt.situation for prompt in world.reasoner.prompts]
    assert "The step is returns." in first
    assert "The step is order_status." in second
    transcript = await call.transcript()
    assert (transcript[1].step, transcript[1].said) == ("order_status", "They are on their way to us.")
    assert (await call.state()).step == "order_status"


async def test_no_tool_runs_for_a_guess_that_was_wrong_and_for_a_right_one_it_does(world: CallWorld) -> None:
    text = ORDERS.replace(
        '    examples: ["I want to send something back.", "Can I return the shoes?"]\n',
        '    examples: ["I want to send something back.", "Can I return the shoes?"]\n    tools: [find_order]\n',
    )
    call = await world.answered_call(parse_playbook(text))
    world.reasoner.steps.extend(["order_status", "returns"])
    look_up = [ToolCall("1", "find_order", {"order_number": "48213"})]
    world.reasoner.will_say(look_up, "Which one?", look_up, "It is back here.")
    await call.caller_says(LIKELY)
    assert [await call.hears() for _ in range(2)] == ["", "Which one?"]
    assert world.crm.runs == []
    await call.caller_says(LIKELY)
    assert [await call.hears() for _ in range(2)] == ["", "It is back here."]
    assert [operation for operation, _, _ in world.crm.runs] == ["find_order"]


async def test_unclear_caller_is_asked_though_an_answer_was_begun(world: CallWorld) -> None:
    call = await world.answered_call(orders())
    world.reasoner.steps.append(Step("order_status", 0.2, "model", choices=("order_status", "returns")))
    world.reasoner.will_say("You can send them back.", "Is it about one you sent, or about sending it?")
    assert await call.asks(LIKELY) == ""
    assert await call.hears() == "Is it about one you sent, or about sending it?"
    assert (await call.state()).choices == ("order_status", "returns")


async def test_answer_made_ahead_of_the_turns_end_may_be_a_guess_too(world: CallWorld) -> None:
    call = await world.answered_call(orders())
    world.reasoner.steps.append("returns")
    world.reasoner.moods.append(Mood.PLEASED)
    turn = await call.probably_says(LIKELY)
    playback = await call.next_opened(turn=1)
    assert playback.hold
    await call.has_said(turn)
    assert await call.hears() == f"You said: {LIKELY}"
    assert (await call.state()).step == "returns"
    assert await call.asks("Where is my order?")
    assert len(world.reasoner.step_prompts) == 1


async def test_guess_that_was_withdrawn_leaves_nothing_behind(world: CallWorld) -> None:
    call = await world.answered_call(orders())
    world.reasoner.step_gate = asyncio.Event()
    await call.probably_says(LIKELY)
    playback = await call.next_opened(turn=1)
    await call.goes_on()
    playback.close()
    world.reasoner.step_gate.set()
    assert await call.asks("Where is my order?") == "You said: Where is my order?"
    assert [turn.step for turn in await call.transcript()] == ["order_status", "order_status"]


async def test_where_the_model_fails_the_call_stays_where_it_was(world: CallWorld) -> None:
    call = await world.answered_call(orders())
    world.reasoner.step_faults.coming.append(broken())
    assert await call.asks(LIKELY) == ""
    assert await call.hears() == f"You said: {LIKELY}"
    assert (await call.state()).step == "order_status"


async def test_turn_that_is_like_no_step_waits_for_the_model(world: CallWorld) -> None:
    call = await world.answered_call(orders())
    world.reasoner.steps.append("returns")
    assert await call.asks(UNKNOWN) == f"You said: {UNKNOWN}"
    await call.activity_has_ended(names.REASON_STEP)
