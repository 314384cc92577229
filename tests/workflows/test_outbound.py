"""Calls that we place: dialled once, whatever the carrier tells and in whatever order."""

import asyncio
from dataclasses import replace

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import TimeoutType

from activities.telephony import TelephonyActivities
from core.contracts import names
from core.contracts.call import Dial, Dialled, Direction, Machine, Phase
from core.may_call import DncScope
from core.outcome import CarrierState, Disposition
from core.playbook import parse_playbook
from core.ports.campaign import DncEntry
from core.ports.errors import StorageUnavailable
from core.ports.telephony import CarrierLeg
from tests.world.dying_worker import QUEUE, dying_worker
from tests.world.fakes import broken
from tests.world.playbook import ORDERS
from tests.world.world import QUICK, CallWorld, ScriptedCall


async def dialled(world: CallWorld) -> ScriptedCall:
    """A call that rings somewhere."""
    call = await world.call(Direction.OUTBOUND)
    async with asyncio.timeout(5):
        await world.telephony.dialling.wait()
    return call


async def test_answered_call_begins_with_the_greeting(world: CallWorld) -> None:
    call = await dialled(world)
    await call.carrier(CarrierState.RINGING, 1)
    assert (await call.state()).phase is Phase.RINGING
    await call.carrier(CarrierState.IN_PROGRESS, 2)
    await call.attach()
    assert await call.hears() == "I am an AI assistant. How can I help?"
    await call.hangs_up()
    assert await call.disposition() is Disposition.CALLER_HUNG_UP
    assert world.telephony.dialled == [(call.id, "+12025550123", "+12025550001")]
    assert world.feed.kinds(call.id)[:2] == ["call_started", "phase"]


@pytest.mark.parametrize(
    ("state", "disposition"),
    [
        (CarrierState.BUSY, Disposition.BUSY),
        (CarrierState.NO_ANSWER, Disposition.NO_ANSWER),
        (CarrierState.FAILED, Disposition.FAILED),
        (CarrierState.CANCELED, Disposition.CANCELED),
    ],
)
async def test_person_who_is_not_reached(world: CallWorld, state: CarrierState, disposition: Disposition) -> None:
    call = await dialled(world)
    await call.carrier(state, 3)
    assert await call.disposition() is disposition
    assert world.telephony.hung_up == []
    await call.after_call()
    assert world.store.records[call.id].answered_ms is None
    assert world.crm.notes == {}


async def test_ringing_for_too_long_is_no_answer(world: CallWorld) -> None:
    call = await dialled(world)
    await call.carrier(CarrierState.RINGING)
    assert await call.disposition() is Disposition.NO_ANSWER
    assert world.telephony.hung_up == [call.carrier_call_id]


async def test_callbacks_out_of_order_and_twice_change_nothing(world: CallWorld) -> None:
    call = await dialled(world)
    await call.carrier(CarrierState.IN_PROGRESS, 3)
    await call.carrier(CarrierState.RINGING, 2)
    await call.carrier(CarrierState.INITIATED, 1)
    await call.carrier(CarrierState.IN_PROGRESS, 3)
    await call.attach()
    assert await call.hears()
    await call.carrier(CarrierState.RINGING, 2)
    assert (await call.state()).phase is Phase.LIVE
    await call.carrier(CarrierState.COMPLETED, 4)
    assert await call.disposition() is Disposition.CALLER_HUNG_UP


async def test_stream_alone_proves_the_answer(world: CallWorld) -> None:
    call = await dialled(world)
    await call.attach()
    assert await call.hears()
    assert (await call.state()).phase is Phase.LIVE


async def test_refused_dial_has_failed(world: CallWorld) -> None:
    world.telephony.dial_faults.always = broken("refused", curable=False)
    call = await dialled(world)
    assert await call.disposition() is Disposition.FAILED
    assert len(world.telephony.dialled) == 1


async def test_unclear_dial_is_cleared_up_by_a_callback(world: CallWorld) -> None:
    world.telephony.dial_faults.always = broken("timeout")
    call = await dialled(world)
    await call.carrier(CarrierState.IN_PROGRESS, 2)
    await call.attach()
    assert await call.hears()
    assert len(world.telephony.dialled) == 1


async def test_unclear_dial_is_looked_up_at_once(world: CallWorld) -> None:
    world.telephony.dial_faults.always = broken("timeout")
    world.telephony.on_record = CarrierLeg("CAfound", CarrierState.RINGING)
    call = await world.call(Direction.OUTBOUND, timers=replace(QUICK, lost_dial=600.0))
    assert await call.disposition() is Disposition.NO_ANSWER
    assert world.telephony.hung_up == ["CAfound"]
    assert len(world.telephony.dialled) == 1


async def test_unclear_dial_that_the_carrier_does_not_know_is_looked_up_again_and_has_failed(world: CallWorld) -> None:
    world.telephony.dial_faults.always = broken("unavailable")
    call = await dialled(world)
    assert await call.disposition() is Disposition.FAILED
    assert len(world.telephony.dialled) == 1
    assert world.telephony.looked_up == 2


async def test_dial_whose_worker_died_is_cleared_up_once_its_heartbeat_is_missed(world: CallWorld) -> None:
    dials: list[str] = []

    @activity.defn(name=names.DIAL)
    async def rings_and_is_never_heard_of_again(request: Dial) -> Dialled:
        dials.append(request.to)
        await asyncio.Event().wait()
        return Dialled(None)

    world.telephony.on_record = CarrierLeg("CAfound", CarrierState.RINGING)
    async with dying_worker(world, TelephonyActivities.dial.__name__, rings_and_is_never_heard_of_again):
        call = await world.call(Direction.OUTBOUND, timers=replace(QUICK, lost_dial=600.0), queue=QUEUE)
        assert await call.disposition() is Disposition.NO_ANSWER
    assert (dials, world.telephony.hung_up) == (["+12025550123"], ["CAfound"])
    missed = [
        event.activity_task_timed_out_event_attributes.failure.timeout_failure_info.timeout_type
        async for event in call.handle.fetch_history_events()
        if event.HasField("activity_task_timed_out_event_attributes")
    ]
    assert missed == [TimeoutType.TIMEOUT_TYPE_HEARTBEAT]


async def test_number_that_must_not_be_called_is_not_dialled(world: CallWorld) -> None:
    world.dial_gate.forbidden.append(DncEntry("+12025550123", DncScope.GLOBAL))
    call = await world.call(Direction.OUTBOUND)
    assert await call.disposition() is Disposition.NOT_ALLOWED
    assert world.telephony.dialled == []


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_campaign_dials_nobody_from_a_machine_whose_clock_is_wrong(world: CallWorld, hours: int) -> None:
    world.clock_ahead_ms = hours * 3_600_000.0
    call = await world.call(Direction.OUTBOUND, campaign="spring")
    assert await call.disposition() is Disposition.NOT_ALLOWED
    assert world.telephony.dialled == []


async def test_a_call_that_somebody_places_by_hand_needs_no_clock(world: CallWorld) -> None:
    world.clock_ahead_ms = 3_600_000.0
    call = await dialled(world)
    await call.carrier(CarrierState.BUSY)
    assert await call.disposition() is Disposition.BUSY


async def test_nobody_is_dialled_while_it_cannot_be_known_whether_they_may_be(world: CallWorld) -> None:
    world.dial_gate.faults.coming.append(StorageUnavailable("database: away"))
    call = await world.call(Direction.OUTBOUND)
    assert await call.disposition() is Disposition.FAILED
    assert world.telephony.dialled == []


@pytest.mark.parametrize("said", ["Please don't call me again.", "Take me off your list, thank you."])
async def test_caller_who_does_not_want_to_be_called_again_is_not(world: CallWorld, said: str) -> None:
    call = await world.answered_call()
    await call.caller_says(said)
    await call.hears()
    async with asyncio.timeout(15):
        await world.dial_gate.forbade.wait()
    await call.hangs_up()
    assert await call.disposition() is Disposition.CALLER_HUNG_UP
    (entry,) = world.dial_gate.forbidden
    assert (entry.number, entry.scope, entry.of) == ("+12025550123", DncScope.TENANT, "default")
    await call.after_call()
    assert world.store.records[call.id].no_more_calls


async def test_wish_not_to_be_called_outlasts_a_database_that_is_away(world: CallWorld) -> None:
    world.dial_gate.faults.coming.append(StorageUnavailable("database: away"))
    call = await world.answered_call()
    await call.caller_says("Stop calling me.")
    await call.hangs_up()
    assert await call.disposition() is Disposition.CALLER_HUNG_UP
    assert len(world.dial_gate.forbidden) == 1


async def test_machine_that_answers_is_left_the_message_after_its_beep(world: CallWorld) -> None:
    call = await world.call(Direction.OUTBOUND, machine=Machine.DETECT, voicemail_line="Please call us back.")
    async with asyncio.timeout(5):
        await world.telephony.dialling.wait()
    assert world.telephony.detects == [True]
    await call.carrier(CarrierState.IN_PROGRESS, 2)
    await call.attach()
    assert await call.hears() == "I am an AI assistant. How can I help?"
    await call.carrier(CarrierState.IN_PROGRESS, 3, answered_by="machine_end_beep")
    assert await call.hears() == "Please call us back."
    assert await call.disposition() is Disposition.VOICEMAIL


async def test_machine_that_answers_is_hung_up_on_where_nothing_is_to_be_left(world: CallWorld) -> None:
    call = await dialled(world)
    await call.carrier(CarrierState.IN_PROGRESS, 2)
    await call.carrier(CarrierState.IN_PROGRESS, 3, answered_by="machine_start")
    assert await call.disposition() is Disposition.VOICEMAIL
    assert world.telephony.hung_up == [call.carrier_call_id]


SCREENING = "This is the renewal desk, about your contract."
GREETING = "I am an AI assistant. How can I help?"


async def screened(world: CallWorld, first: str) -> ScriptedCall:
    """A call that is answered for the person; "first" is said after the greeting."""
    playbook = parse_playbook(ORDERS + f"screening_line: {SCREENING}\n")
    call = await world.call(Direction.OUTBOUND, playbook=playbook, machine=Machine.DETECT)
    async with asyncio.timeout(5):
        await world.telephony.dialling.wait()
    await call.carrier(CarrierState.IN_PROGRESS, 2)
    await call.attach()
    assert await call.hears() == GREETING
    await call.caller_says(first)
    assert await call.hears() == SCREENING
    return call


async def test_service_that_screens_calls_is_told_who_is_calling_and_the_person_is_greeted_after_it(
    world: CallWorld,
) -> None:
    call = await screened(world, "If you record your name and reason for calling, I'll see if they are available.")
    await call.carrier(CarrierState.IN_PROGRESS, 3, answered_by="machine_end_other")  # the service is one
    await call.caller_says("Thanks. Please stay on the line.")
    assert await call.hears() == "Take your time."
    await call.caller_says("Hello?")
    assert await call.hears() == GREETING
    await call.caller_says("Where is my order?")
    assert await call.hears() == "You said: Where is my order?"
    assert [turn.step_method for turn in (await call.transcript())[1:4]] == ["screening"] * 3
    assert world.reasoner.prompts[0].messages
    await call.hangs_up()
    assert await call.disposition() is Disposition.CALLER_HUNG_UP


async def test_person_who_asks_who_is_calling_is_not_greeted_twice(world: CallWorld) -> None:
    call = await screened(world, "Who's calling, please?")
    await call.caller_says("Ah, I see. Where is my order?")
    assert await call.hears() == "You said: Ah, I see. Where is my order?"
    await call.caller_says("And what is this about?")  # by now it is a question like any other
    assert await call.hears() == "You said: And what is this about?"


async def test_a_mailbox_behind_the_service_ends_the_call(world: CallWorld) -> None:
    call = await screened(world, "Please state your name and the reason for your call.")
    await call.carrier(CarrierState.IN_PROGRESS, 3, answered_by="machine_end_beep")
    assert await call.disposition() is Disposition.VOICEMAIL


async def test_callers_who_call_us_are_answered_by_the_playbook_whatever_they_ask(world: CallWorld) -> None:
    call = await world.answered_call(parse_playbook(ORDERS + f"screening_line: {SCREENING}\n"))
    await call.caller_says("Who is calling?")
    assert await call.hears() == "You said: Who is calling?"
