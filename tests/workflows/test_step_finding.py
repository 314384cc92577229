"""How a call finds the step of a turn, and what it remembers of that."""

import asyncio

from temporalio import activity

from activities.conversation import ConversationActivities
from core.contracts import names
from core.contracts.after_call import AfterState, StepStatus
from core.contracts.call import ReasonStep
from core.conversation import Step, Usage
from core.playbook import parse_playbook
from tests.world.dying_worker import QUEUE, dying_worker
from tests.world.fakes import broken
from tests.world.playbook import ORDERS, orders
from tests.world.world import CallWorld, ScriptedCall


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


async def test_a_turn_off_topic_stays_where_the_call_is_and_is_on_record_as_such(world: CallWorld) -> None:
    call = await world.answered_call(orders())
    await call.asks("Can I return the shoes?")
    world.reasoner.steps.append(Step(None, 0.9, "off_topic"))
    await call.asks("What is the capital of France?")
    world.reasoner.steps.append(Step(None, 0.3, "off_topic"))
    await call.asks("Something with France perhaps.")
    found = [(turn.step, turn.step_method, turn.fallback) for turn in (await call.transcript())[1:]]
    assert found == [("returns", "lexical", False), ("returns", "off_topic", True), ("returns", "unclear", False)]


async def test_steps_found_without_the_model_are_judged_by_it_once_the_call_is_over(world: CallWorld) -> None:
    call = await world.answered_call(parse_playbook(ORDERS.replace("{audit: 0}", "{audit: 1}")))
    for asked in ("Where is my order?", "Can I return the shoes?", "When does my parcel arrive?"):
        await call.asks(asked)
    await call.hangs_up()
    world.reasoner.step_faults.coming.append(broken("unavailable"))  # it is tried again
    world.reasoner.steps.extend(["order_status", Step(None, 0.9, "off_topic"), Step("goodbye", 0.3, "model")])
    await call.result()
    await call.after_call()
    told = [(audit.turn, audit.found, audit.judged, audit.method) for audit in world.step_examples.noted.values()]
    assert told == [(1, "order_status", "order_status", "lexical"), (2, "returns", "(none)", "lexical")]
    assert (world.store.audit_usages[call.id].input_tokens, world.store.records[call.id].turns[1].step_usage) == (
        60,
        Usage(),
    )
    assert await audit_step(call) == (StepStatus.DONE, 2, "1 of 2 as the model says")


async def test_a_call_of_which_no_turn_is_drawn_has_no_audit(world: CallWorld) -> None:
    call = await world.answered_call(orders())
    await call.asks("Where is my order?")
    await call.hangs_up()
    await call.result()
    await call.after_call()
    assert await audit_step(call) is None
    assert world.step_examples.noted == {}
    assert call.id not in world.store.audit_usages


async def audit_step(call: ScriptedCall) -> tuple[StepStatus, int, str] | None:
    after = call.world.client.get_workflow_handle(names.after_call_workflow_id(call.id))
    state: AfterState = await after.query(names.STATE, result_type=AfterState)
    found = [(step.status, step.attempts, step.detail) for step in state.steps if step.name == "audit"]
    return found[0] if found else None


async def test_a_step_whose_finder_has_died_is_found_by_another_worker(world: CallWorld) -> None:
    @activity.defn(name=names.REASON_STEP)
    async def dies_the_first_time(request: ReasonStep) -> Step:
        if activity.info().attempt == 1:
            await asyncio.Event().wait()
        return Step("returns", 0.9, "model")

    async with dying_worker(world, ConversationActivities.reason_step.__name__, dies_the_first_time):
        call = await world.call(queue=QUEUE)
        await call.attach()
        await call.hears()
        await call.asks("These sandals pinch me dreadfully.")
        assert [turn.step for turn in await call.transcript()][1:] == ["returns"]
        await call.hangs_up()
        await call.result()
