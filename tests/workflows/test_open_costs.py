"""What a call costs is told by what it costs it for, also when the caller has left before it is told."""

import asyncio
from dataclasses import replace

from core.contracts import names
from core.contracts.call import CallRecord
from core.conversation import Usage
from core.outcome import Disposition
from core.ports.reasoner import Beside, TextPiece
from tests.world.fakes import FakePlayback
from tests.world.world import PATIENCE_S, QUICK, CallWorld, ScriptedCall

PATIENT = replace(QUICK, costs=PATIENCE_S)


async def begun_answer(world: CallWorld, call: ScriptedCall) -> FakePlayback:
    """An answer whose first sentence is spoken; the model is still at the second."""
    world.reasoner.will_say([TextPiece("It is on its way. "), asyncio.Event()])
    await call.caller_says("Where is my order?")
    return await call.next_pushed("It is on its way.")


async def record_of(world: CallWorld, call: ScriptedCall) -> CallRecord:
    await call.result()
    await call.after_call()
    return world.store.records[call.id]


async def test_an_answer_that_is_being_made_when_the_caller_hangs_up_is_on_the_bill(world: CallWorld) -> None:
    call = await world.answered_call(timers=PATIENT)
    answer = await begun_answer(world, call)
    await call.hangs_up()
    await call.over()
    answer.close()
    record = await record_of(world, call)
    usage = record.turns[1].usage
    assert (usage.model, usage.input_tokens, usage.characters) == ("fake", 10, len("It is on its way."))


async def test_a_withdrawn_answer_that_is_being_made_when_the_caller_hangs_up_is_on_the_bill(world: CallWorld) -> None:
    call = await world.answered_call(timers=PATIENT)
    world.reasoner.will_say([TextPiece("It is on its way. "), asyncio.Event()])
    await call.probably_says("Where is my order")
    answer = await call.next_pushed("It is on its way.")
    await call.goes_on()
    await call.hangs_up()
    await call.over()
    answer.close()
    (paid,) = (await record_of(world, call)).withdrawn
    assert (paid.input_tokens, paid.characters) == (10, len("It is on its way."))


async def test_a_call_has_ended_at_once_for_all_who_ask_while_it_waits_for_its_costs(world: CallWorld) -> None:
    call = await world.answered_call(timers=PATIENT)
    answer = await begun_answer(world, call)
    await call.hangs_up()
    await call.over()
    state = await call.state()
    assert (state.disposition, state.next) == (Disposition.CALLER_HUNG_UP, "nothing: the call has ended")
    assert (await call.search_attributes())[names.OUTCOME_ATTRIBUTE] == Disposition.CALLER_HUNG_UP
    assert not (await call.try_attach(attachment=2)).accepted
    assert call.id not in world.store.records
    answer.close()
    assert (await record_of(world, call)).disposition is Disposition.CALLER_HUNG_UP


async def test_a_worker_that_never_tells_holds_back_no_record(world: CallWorld) -> None:
    call = await world.answered_call(timers=replace(QUICK, costs=0.1))
    await begun_answer(world, call)
    await call.hangs_up()
    record = await record_of(world, call)
    assert [turn.caller for turn in record.turns] == ["", "Where is my order?"]


async def test_a_call_with_nothing_open_waits_for_nothing(world: CallWorld) -> None:
    call = await world.answered_call(timers=replace(QUICK, costs=3_600.0))
    await call.asks("Where is my order?")
    await call.activity_has_ended(names.RESPOND)
    await call.hangs_up()
    assert (await record_of(world, call)).turns[1].usage.output_tokens == 5


async def test_a_model_that_lost_to_the_one_that_answered_is_on_the_bill_apart(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([Beside(Usage("slow", input_tokens=7)), TextPiece("It is on its way.")])
    assert await call.asks("Where is my order?") == "It is on its way."
    await call.activity_has_ended(names.RESPOND)
    await call.hangs_up()
    record = await record_of(world, call)
    assert record.beside == (Usage("slow", input_tokens=7),)
    assert record.turns[1].usage.input_tokens == 10
