"""Warm transfers: each way they can end, and what the caller hears meanwhile."""

from dataclasses import replace

import pytest

from core.contracts import names
from core.contracts.call import End, Say, TakeOver, Transfer, Verb
from core.contracts.transfer import (
    RepresentativeVerb,
    TransferRecord,
)
from core.conversation import ToolCall
from core.keypad import KeyAction, Keyed
from core.outcome import CarrierState, Disposition
from core.playbook import Playbook
from core.ports.reasoner import TextPiece
from tests.world.colleague import LINE, QUEUES, Colleague, called, staffed
from tests.world.fakes import broken
from tests.world.world import CallWorld, ScriptedCall

CLOSED = QUEUES.replace("{name: billing,", "{name: billing, hours: [{days: [sun], opens: '03:00', closes: '03:01'}],")


async def waiting_call(world: CallWorld, playbook: Playbook | None = None) -> tuple[ScriptedCall, Colleague]:
    """A caller who has asked for a person, and the colleague who is called."""
    call = await world.answered_call(playbook or staffed())
    world.reasoner.will_say("Of course.")
    await call.asks("Can I talk to a human?")
    assert await call.hears() == LINE
    return call, await called(call)


async def outcome_of(call: ScriptedCall) -> TransferRecord:
    """What is on record of the only transfer."""
    await call.result()
    await call.after_call()
    (record,) = call.world.store.records[call.id].transfers
    return record


async def test_representative_is_briefed_accepts_and_gets_the_caller(world: CallWorld) -> None:
    call, colleague = await waiting_call(world)
    assert colleague.number == "+12025550171"
    brief = await colleague.asks()
    assert brief.verb is RepresentativeVerb.BRIEF
    assert brief.line.endswith("Press 1 to take the call, or 2 to decline.")
    joins = await colleague.asks("1")
    assert joins.verb is RepresentativeVerb.JOIN
    caller = await call.redirected()
    assert (caller.verb, caller.conference) == (Verb.CONFERENCE, joins.conference)
    await call.lose_stream(stopped=True)
    await call.carrier(CarrierState.COMPLETED, 9)
    assert await call.disposition() is Disposition.TRANSFERRED
    record = await outcome_of(call)
    assert (record.queue, record.cause, record.outcome) == ("billing", "request", "talked")
    assert (record.whisper, record.summary) == ("orders. They talked.", "They talked.")
    assert not record.callback
    assert world.telephony.hung_up == [colleague.sid]  # the caller's leg is over by itself


async def test_briefing_that_no_model_writes_tells_what_is_known(world: CallWorld) -> None:
    world.reasoner.summary_faults.always = broken()
    _, colleague = await waiting_call(world)
    line = (await colleague.asks()).line
    assert line.startswith("A caller needs you. They asked for a person. They said last: Can I talk to a human?")


async def test_caller_talks_with_the_assistant_while_somebody_is_called(world: CallWorld) -> None:
    call, colleague = await waiting_call(world)
    world.reasoner.will_say("It is on its way.")
    assert await call.asks("Where is my order?") == "It is on its way."
    await call.is_silent()
    assert await call.hears() == "I am still trying to reach a colleague."
    await call.handle.execute_update(names.SAY, Say("One more moment."))
    assert await call.hears() == "One more moment."
    assert (await call.state()).next == "reach billing for the caller"
    await colleague.asks()
    assert (await call.state()).next == "brief billing, who decides whether to take the call"


@pytest.mark.parametrize("state", ["busy", "no-answer", "failed"])
async def test_the_next_number_is_called_when_one_is_not_reached(world: CallWorld, state: str) -> None:
    call, first = await waiting_call(world)
    await first.is_told_of(state)
    second = await called(call)
    assert (second.number, second.leg) == ("+12025550172", 2)
    assert (await first.asks()).verb is RepresentativeVerb.HANG_UP  # too late
    await second.asks()
    assert (await second.asks("1")).verb is RepresentativeVerb.JOIN
    await call.redirected()
    await call.carrier(CarrierState.COMPLETED, 9)
    record = await outcome_of(call)
    assert (record.number, record.outcome, record.tried) == (second.number, "talked", (state.replace("-", "_"),))


async def test_caller_whom_nobody_takes_is_promised_a_callback(world: CallWorld) -> None:
    call, first = await waiting_call(world)
    await first.asks()
    assert (await first.asks("2")).verb is RepresentativeVerb.HANG_UP  # declined
    second = await called(call)
    world.reasoner.will_say("A colleague will call you back.")
    await second.is_told_of(answered_by="machine_start")
    assert await call.hears() == "A colleague will call you back."
    told = world.reasoner.prompts[-1].messages[-1].tools[-1]
    assert (told.ok, told.content) == (
        False,
        "nobody took the call; a callback is noted: tell the caller that a colleague will call back",
    )
    assert {first.sid, second.sid} <= set(world.telephony.hung_up)
    await call.hangs_up()
    record = await outcome_of(call)
    assert (record.outcome, record.tried, record.callback) == ("voicemail", ("declined",), True)
    assert await call.disposition() is Disposition.CALLER_HUNG_UP


async def test_caller_whose_number_is_withheld_is_promised_no_callback(world: CallWorld) -> None:
    call = await world.answered_call(staffed(CLOSED), caller_number="anonymous")
    await call.asks("Can I talk to a human?")
    await call.hears()
    await call.hears()
    told = world.reasoner.prompts[-1].messages[-1].tools[-1].content
    assert told == "no colleague is there at this hour; tell the caller, and offer what else you can do"
    await call.hangs_up()
    assert not (await outcome_of(call)).callback


async def test_representative_who_presses_no_key_is_not_connected(world: CallWorld) -> None:
    call, first = await waiting_call(world)
    await first.asks()
    assert (await first.asks("")).verb is RepresentativeVerb.HANG_UP
    assert (await called(call)).leg == 2


async def test_nobody_is_called_outside_the_hours(world: CallWorld) -> None:
    call = await world.answered_call(staffed(CLOSED))
    world.reasoner.will_say("Of course.", "We are closed, a colleague calls you back.")
    await call.asks("Can I talk to a human?")
    assert await call.hears() == LINE
    assert await call.hears() == "We are closed, a colleague calls you back."
    await call.hangs_up()
    record = await outcome_of(call)
    assert (record.outcome, record.callback) == ("closed", True)
    assert world.telephony.representatives.empty()


async def test_caller_who_hangs_up_while_it_rings_leaves_no_leg_behind(world: CallWorld) -> None:
    call, colleague = await waiting_call(world)
    await colleague.asks()
    await call.hangs_up()
    record = await outcome_of(call)
    assert (record.outcome, record.callback) == ("caller_hung_up", True)
    assert colleague.sid in world.telephony.hung_up


async def test_caller_who_is_gone_when_the_representative_accepts(world: CallWorld) -> None:
    call, colleague = await waiting_call(world)
    world.telephony.redirect_faults.always = broken("refused", curable=False)
    await colleague.asks()
    await colleague.asks("1")
    assert await call.disposition() is Disposition.CALLER_HUNG_UP
    assert (await outcome_of(call)).outcome == "caller_hung_up"
    assert colleague.sid in world.telephony.hung_up


async def test_caller_whom_the_representative_leaves_is_ours_again(world: CallWorld) -> None:
    call, colleague = await waiting_call(world)
    await colleague.asks()
    await colleague.asks("1")
    assert (await call.redirected()).verb is Verb.CONFERENCE
    await colleague.is_told_of("completed")
    assert (await call.redirected()).verb is Verb.CONNECT  # it did not ask by itself: it was fetched
    world.reasoner.will_say("What else can I do?")
    await call.attach()
    assert await call.hears() == "You are back with me."
    assert await call.hears() == "What else can I do?"
    assert world.reasoner.prompts[-1].messages[-1].tools[-1].content.startswith("the colleague has left the call")
    assert await call.asks("No, nothing else, goodbye.")
    assert await call.disposition() is Disposition.COMPLETED
    record = await outcome_of(call)
    assert (record.outcome, record.callback) == ("representative_hung_up", False)


async def test_caller_who_hangs_up_after_the_representative_was_transferred(world: CallWorld) -> None:
    call, colleague = await waiting_call(world)
    await colleague.asks()
    await colleague.asks("1")
    assert (await call.redirected()).verb is Verb.CONFERENCE
    await colleague.is_told_of("completed")
    await call.carrier(CarrierState.COMPLETED, 9)
    assert await call.disposition() is Disposition.TRANSFERRED
    assert (await outcome_of(call)).outcome == "representative_hung_up"


async def test_operator_ends_the_call_while_it_rings(world: CallWorld) -> None:
    call, colleague = await waiting_call(world)
    await colleague.asks()
    await call.handle.execute_update(names.END, End())
    assert await call.disposition() is Disposition.ENDED_BY_OPERATOR
    assert (await outcome_of(call)).outcome == "withdrawn"
    assert colleague.sid in world.telephony.hung_up


async def test_model_chooses_the_queue_and_tells_what_matters(world: CallWorld) -> None:
    call = await world.answered_call(staffed())
    asked = {"queue": "returns", "context_summary": "Shoes do not fit."}
    world.reasoner.will_say([TextPiece("I call a colleague."), ToolCall("t1", "transfer_to_human", asked)], "Stay.")
    await call.caller_says("Where is my order?")
    colleague = await called(call)
    assert colleague.number == "+12025550181"
    await call.hangs_up()
    assert (await outcome_of(call)).queue == "returns"


async def test_model_is_told_of_a_queue_that_does_not_exist(world: CallWorld) -> None:
    call = await world.answered_call(staffed())
    world.reasoner.will_say([ToolCall("t1", "transfer_to_human", {"queue": "sales"})], "Sorry.")
    await call.caller_says("Where is my order?")
    await call.next_reply()
    await call.hears()
    (result,) = (await call.transcript())[-1].tools
    assert (result.ok, result.content) == (False, "there is no such queue, only: billing, returns")


@pytest.mark.parametrize("kind", ["rejected", "timeout"])
async def test_number_that_cannot_be_dialled_is_passed_over(world: CallWorld, kind: str) -> None:
    world.telephony.representative_faults.coming.append(broken(kind, curable=kind == "timeout"))
    call, first = await waiting_call(world)
    assert (await called(call)).number == "+12025550172"
    assert (await first.asks()).verb is RepresentativeVerb.HANG_UP


async def test_assistant_that_fails_has_somebody_called_and_apologises_at_last(world: CallWorld) -> None:
    call = await world.answered_call(staffed())
    world.reasoner.faults.always = broken()
    await call.caller_says("Where is my order?")
    first = await called(call)
    assert await call.hears() == "I am sorry, something went wrong."
    await first.is_told_of("busy")
    await (await called(call)).is_told_of("busy")
    assert await call.hears() == "I am sorry, something went wrong."
    assert await call.disposition() is Disposition.VENDOR_FAILURE
    record = await outcome_of(call)
    assert (record.cause, record.outcome, record.callback) == ("failure", "busy", True)


async def test_tools_that_fail_again_and_again_bring_a_person(world: CallWorld) -> None:
    call = await world.answered_call(staffed(more="escalation: {after_tool_failures: 2, queue: returns}"))
    world.crm.faults.always = broken(curable=False)
    find = ToolCall("t1", "find_order", {"order_number": "482"})
    for _ in range(2):
        world.reasoner.will_say([find], "It did not work.")
        await call.caller_says("Where is my order?")
        await call.next_reply()
        await call.hears()
    assert await call.hears() == "Let me bring in a colleague who can help you better."
    assert (await called(call)).number == "+12025550181"


async def test_supervisor_takes_the_call_on_the_phone_once_they_accept(world: CallWorld) -> None:
    call = await world.answered_call(staffed())
    await call.handle.execute_update(names.TAKE_OVER, TakeOver("+12025550177", "Kim", warm=True))
    supervisor = await called(call)
    assert supervisor.number == "+12025550177"
    await supervisor.asks()
    await supervisor.asks("1")
    assert (await call.redirected()).verb is Verb.CONFERENCE
    await call.carrier(CarrierState.COMPLETED, 9)
    assert await call.disposition() is Disposition.TAKEN_OVER
    record = await outcome_of(call)
    assert (record.cause, record.by, record.outcome) == ("supervisor", "Kim", "talked")


async def test_supervisor_on_the_phone_hands_the_caller_back_by_hanging_up(world: CallWorld) -> None:
    call = await world.answered_call(staffed())
    await call.handle.execute_update(names.TAKE_OVER, TakeOver("+12025550177", "Kim", warm=True, hands_back=True))
    supervisor = await called(call)
    await supervisor.asks()
    await supervisor.asks("1")
    assert (await call.redirected()).verb is Verb.CONFERENCE
    await supervisor.is_told_of("completed")
    assert (await call.redirected()).verb is Verb.CONNECT
    await call.attach()
    assert await call.hears() == "I am back with you."
    await call.hangs_up()
    assert await call.disposition() is Disposition.CALLER_HUNG_UP
    assert (await outcome_of(call)).outcome == "representative_hung_up"


async def test_operator_transfers_to_a_number_with_a_briefing(world: CallWorld) -> None:
    call = await world.answered_call(staffed())
    await call.handle.execute_update(names.TRANSFER, Transfer("+12025550177", "wants Kim", warm=True))
    assert await call.hears() == "One moment, please."
    colleague = await called(call)
    assert colleague.number == "+12025550177"
    assert (await colleague.asks()).verb is RepresentativeVerb.BRIEF


async def test_key_for_a_person_has_one_called(world: CallWorld) -> None:
    call = await world.answered_call(staffed(more='keys: {"0": transfer}'))
    keyed = Keyed(KeyAction.TRANSFER)
    await call.send(replace(call.words("(asks for a person)", 1.0), keyed=keyed))
    assert await call.hears() == LINE
    assert (await called(call)).number == "+12025550171"
    await call.hangs_up()
    assert (await outcome_of(call)).cause == "key"


async def test_upset_caller_is_told_and_a_person_called_once(world: CallWorld) -> None:
    call = await world.answered_call(staffed(more="mood: {escalate_after: 1}"))
    world.reasoner.moods.append("angry")
    await call.asks("This is outrageous, nothing works here at all!")
    assert await call.hears() == "I am sorry about the trouble. I am connecting you with a colleague now."
    await (await called(call)).is_told_of("busy")
    await (await called(call)).is_told_of("busy")
    await call.hears()
    world.reasoner.moods.append("angry")
    await call.asks("That is outrageous, too, really!")
    assert world.telephony.representatives.empty()
    await call.hangs_up()
    assert (await outcome_of(call)).cause == "mood"
