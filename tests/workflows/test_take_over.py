"""A supervisor takes a live call over in the browser, as the workflow sees it: by what the gateway tells."""

import asyncio

import pytest
from temporalio.client import WorkflowUpdateFailedError

from core.contracts import names
from core.contracts.call import End, RecogniserFailed, Say, Transfer, Verb
from core.contracts.take_over import Desk, FloorGivenBack, FloorTaken, SupervisorSaid
from core.contracts.transfer import Cause, TransferOutcome, TransferRecord
from core.conversation import ToolCall
from core.outcome import CarrierState, Disposition
from core.ports.reasoner import TextPiece
from tests.world.playbook import confirming_orders
from tests.world.world import CallWorld, ScriptedCall

BACK = "I am back with you."


async def take(call: ScriptedCall, by: str = "Grace") -> None:
    await call.handle.signal(names.FLOOR_TAKEN, FloorTaken(call.attachment, call.seq(), by, 1.0))


async def supervisor_says(call: ScriptedCall, text: str) -> None:
    said = SupervisorSaid(call.attachment, call.seq(), call.turn, text, 2.0)
    await call.handle.signal(names.SUPERVISOR_SAID, said)


async def hand_back(call: ScriptedCall, *, lost: bool = False) -> None:
    await call.handle.signal(names.FLOOR_GIVEN_BACK, FloorGivenBack(call.attachment, call.seq(), lost, 3.0))


async def taken_call(world: CallWorld) -> ScriptedCall:
    """A greeted call in a supervisor's hands."""
    call = await world.answered_call()
    await take(call)
    return call


async def only_transfer(call: ScriptedCall) -> TransferRecord:
    await call.result()
    await call.after_call()
    (record,) = call.world.store.records[call.id].transfers
    return record


async def test_assistant_is_silent_while_a_supervisor_talks_and_knows_all_of_it_afterwards(world: CallWorld) -> None:
    call = await taken_call(world)
    await call.caller_says("My parcel is wet.")
    await supervisor_says(call, "I am sorry, I send you a new one.")
    await call.caller_says("To my new address, please.")
    await supervisor_says(call, "Of course. I hand you back now.")
    assert call.opened.qsize() == 1  # the greeting
    await hand_back(call)
    assert await call.hears() == BACK
    world.reasoner.will_say("A new parcel is on its way.")
    assert await call.asks("So what happens now?") == "A new parcel is on its way."
    told = "\n".join(message.text for message in world.reasoner.prompts[-1].messages)
    assert told.index("My parcel is wet.") < told.index("I send you a new one.") < told.index("To my new address")
    record = (await call.transcript())[1]
    assert (record.caller, record.supervisor, record.heard) == (
        "My parcel is wet.",
        "I am sorry, I send you a new one.",
        "",
    )


async def test_words_of_the_caller_that_nobody_has_answered_are_answered_after_the_hand_back(world: CallWorld) -> None:
    call = await taken_call(world)
    await supervisor_says(call, "One moment, I give you back to the assistant.")
    await call.caller_says("And where is my other order?")
    world.reasoner.will_say("It is on its way.")
    await hand_back(call)
    assert await call.hears() == BACK
    assert await call.hears() == "It is on its way."


async def test_caller_hears_a_line_when_the_supervisor_was_cut_off(world: CallWorld) -> None:
    call = await taken_call(world)
    await hand_back(call, lost=True)
    assert await call.hears() == call.call.playbook.welcome_back
    await call.hangs_up()
    assert await call.disposition() is Disposition.CALLER_HUNG_UP
    record = await only_transfer(call)
    assert (record.cause, record.outcome, record.by) == (Cause.SUPERVISOR, TransferOutcome.SUPERVISOR_LOST, "Grace")


async def test_reply_that_is_being_made_holds_no_hand_back_up(world: CallWorld) -> None:
    call = await world.answered_call()
    never = asyncio.Event()
    world.reasoner.will_say([TextPiece("Let me look. "), never], "It is on its way.")
    await call.caller_says("Where is my order?")
    await call.next_opened(turn=1)
    await take(call)
    await supervisor_says(call, "One moment.")
    await hand_back(call)
    assert await call.hears() == BACK
    never.set()


async def test_greeting_that_a_supervisor_cut_off_is_said_when_they_hand_back(world: CallWorld) -> None:
    call = await world.call()
    call.reports = False
    await call.attach()
    greeting = await call.next_reply()
    await take(call)
    await call.report(greeting, heard="Hello")
    await hand_back(call)
    assert await call.hears() == greeting.text


async def test_state_and_details_tell_who_talks_with_the_caller(world: CallWorld) -> None:
    call = await taken_call(world)
    state = await call.state()
    assert (state.taken_over_by, state.next) == ("Grace", "nothing: Grace talks with the caller")
    assert (await call.search_attributes())[names.ESCALATED_ATTRIBUTE] == "true"
    await hand_back(call)
    await call.hears()
    assert (await call.state()).taken_over_by == ""


async def test_feed_tells_of_the_take_over_and_its_end(world: CallWorld) -> None:
    call = await taken_call(world)
    await hand_back(call)
    await call.hears()
    await call.hangs_up()
    await only_transfer(call)
    told = [(event.data["stage"], event.data["by"]) for event in world.feed.lines[call.id] if event.kind == "transfer"]
    assert told == [("bridged", "Grace"), ("over", "Grace")]


async def test_call_that_the_caller_ends_with_the_supervisor_was_taken_over(world: CallWorld) -> None:
    call = await taken_call(world)
    await call.hangs_up()
    assert await call.disposition() is Disposition.TAKEN_OVER
    assert (await only_transfer(call)).outcome is TransferOutcome.TALKED


async def test_take_over_ends_when_its_gateway_dies_and_the_assistant_takes_the_caller_back(world: CallWorld) -> None:
    call = await taken_call(world)
    await call.lose_stream()
    await call.carrier_asks()
    await call.attach()
    assert await call.hears() == call.call.playbook.welcome_back
    await call.hangs_up()
    assert await call.disposition() is Disposition.CALLER_HUNG_UP
    assert (await only_transfer(call)).outcome is TransferOutcome.CONNECTION_LOST


async def test_second_take_over_has_a_record_of_its_own(world: CallWorld) -> None:
    call = await taken_call(world)
    await hand_back(call)
    await call.hears()
    await take(call, by="Ada")
    await call.hangs_up()
    assert await call.disposition() is Disposition.TAKEN_OVER
    await call.after_call()
    told = [(one.transfer, one.by, one.outcome) for one in world.store.records[call.id].transfers]
    assert told == [(1, "Grace", "handed_back"), (2, "Ada", "talked")]


async def test_supervisor_may_end_the_call_or_transfer_it_but_not_have_the_assistant_speak(world: CallWorld) -> None:
    call = await taken_call(world)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await call.handle.execute_update(names.SAY, Say("Hello."))
    assert "Grace talks with the caller" in str(refused.value.cause)
    await call.handle.execute_update(names.TRANSFER, Transfer("+12025550177"))
    assert (await call.redirected()).verb is Verb.DIAL
    await call.handle.execute_update(names.END, End())
    assert await call.disposition() is Disposition.ENDED_BY_OPERATOR
    assert (await only_transfer(call)).outcome is TransferOutcome.WITHDRAWN


async def test_caller_whom_only_the_supervisor_understands_is_not_put_off_before_the_hand_back(
    world: CallWorld,
) -> None:
    call = await taken_call(world)
    await call.handle.signal(names.RECOGNISER_FAILED, RecogniserFailed(call.attachment, call.seq(), "unavailable"))
    assert (await call.state()).disposition is None
    await hand_back(call)
    assert await call.hears() == call.call.playbook.apology


async def test_desk_is_told_where_the_call_is_and_when_it_may_not_be_taken_over(world: CallWorld) -> None:
    call = await world.answered_call()
    desk: Desk = await call.handle.query(names.DESK, result_type=Desk)
    assert desk == Desk(call.desk_url(call.attachment))
    await call.handle.execute_update(names.TRANSFER, Transfer("+12025550177"))
    desk = await call.handle.query(names.DESK, result_type=Desk)
    assert desk.refusal == "the call is being connected to somebody already"
    await call.carrier(CarrierState.COMPLETED, 9)


async def test_yes_that_the_caller_says_to_a_supervisor_confirms_no_tool(world: CallWorld) -> None:
    call = await world.answered_call(confirming_orders())
    world.reasoner.will_say([ToolCall("t1", "change_address", {"street": "12 Oak Lane"})])
    await call.asks("Send my order elsewhere.")
    assert await call.hears() == "I will send it to 12 Oak Lane. Is that right?"
    await take(call)
    await call.caller_says("Yes, that's right.")
    world.reasoner.will_say("All right.")
    await hand_back(call)
    assert await call.hears() == BACK
    assert await call.hears() == "All right."
    assert world.crm.runs == []
    (dropped,) = [result for turn in await call.transcript() for result in turn.tools]
    assert not dropped.ok
