"""How a call finds the step of a turn, and what it remembers of that."""

from tests.world.playbook import orders
from tests.world.world import CallWorld


async def test_a_step_that_only_the_model_could_tell_is_on_record_as_such(world: CallWorld) -> None:
    call = await world.answered_call(orders())
    world.reasoner.steps.append("returns")
    await call.asks("These sandals pinch me dreadfully.")
    await call.asks("Where is my order?")
    world.reasoner.steps.append("goodbye")
    await call.asks("That was the whole of it.")
    await call.result()
    await call.after_call()
    record = world.store.records[call.id]
    found = [(turn.step, turn.step_method, turn.fallback) for turn in record.turns[1:]]
    assert found == [
        ("returns", "model", True),
        ("order_status", "lexical", False),
        ("goodbye", "model", True),
    ]
    assert record.call.playbook.learns == "reviewed"
