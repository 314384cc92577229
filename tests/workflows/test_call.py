"""How calls go, from the first word to the record."""

from core.outcome import Disposition
from tests.world.world import CallWorld


async def test_caller_is_greeted_answered_and_hangs_up(world: CallWorld) -> None:
    call = await world.call()
    answer = await call.attach()
    assert answer.accepted
    assert answer.next_turn == 1
    assert await call.hears() == "I am an AI assistant. How can I help?"
    world.reasoner.will_say("It arrives tomorrow. Anything else?")
    assert await call.asks("Where is my order?") == "It arrives tomorrow. Anything else?"
    await call.hangs_up()
    result = await call.result()
    assert result.disposition is Disposition.CALLER_HUNG_UP
    assert result.turns == 1
