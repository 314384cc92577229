"""Calls whose playbook has documents."""

from core.playbook import parse_playbook
from tests.world.playbook import ORDERS
from tests.world.world import CallWorld

RETURNS = "# Returns\nUnused goods can be returned within 30 days.\n## Refunds\nThe money comes back within 7 days.\n"
HOW_LONG = "Within how many days can unused goods be returned?"


async def test_answer_is_told_from_documents_and_cited_but_the_mark_is_never_spoken(world: CallWorld) -> None:
    await world.knows("orders", returns=RETURNS)
    call = await world.answered_call()
    world.reasoner.will_say("You have 30 days [1]. Anything else?")
    assert await call.asks(HOW_LONG) == "You have 30 days. Anything else?"
    turn = (await call.transcript())[-1]
    assert turn.told_from == ("returns.md, Returns",)
    assert (await call.state()).told_from == ("returns.md, Returns",)
    (line,) = [line for line in world.feed.lines[call.id] if line.kind == "told_from"]
    assert line.data == {"turn": 1, "places": ["returns.md, Returns"]}


async def test_model_is_told_to_say_that_it_does_not_know(world: CallWorld) -> None:
    await world.knows("orders", returns=RETURNS)
    call = await world.answered_call(parse_playbook(ORDERS + "unknown: No idea, sorry.\n"))
    await call.asks("Who was the first person to walk on the moon?")
    prompt = world.reasoner.prompts[-1]
    assert 'do not guess: say "No idea, sorry." and offer a person' in prompt.situation
    assert not any("<documents>" in message.text for message in prompt.messages)
    assert (await call.transcript())[-1].told_from == ()


async def test_document_that_changes_is_told_in_the_call_that_goes_on(world: CallWorld) -> None:
    await world.knows("orders", returns=RETURNS)
    call = await world.answered_call()
    await call.asks(HOW_LONG)
    await world.knows("orders", returns=RETURNS.replace("30", "60"))
    await call.asks(HOW_LONG)
    told = [prompt.messages[-2].text for prompt in world.reasoner.prompts[-2:]]
    assert ["within 30 days" in text for text in told] == [True, False]
    assert "within 60 days" in told[1]


async def test_call_without_documents_keeps_its_brackets_and_hears_of_none(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say("Press [1] now.")
    assert await call.asks(HOW_LONG) == "Press 1 now."
    assert "documents" not in world.reasoner.prompts[-1].situation
