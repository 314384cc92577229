"""Calls that we place: dialled once, whatever the carrier tells and in whatever order."""

import asyncio

import pytest

from core.contracts.call import Direction, Phase
from core.outcome import CarrierState, Disposition
from core.ports.telephony import CarrierLeg
from tests.world.fakes import broken
from tests.world.world import CallWorld, ScriptedCall


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


async def test_unclear_dial_is_looked_up_when_no_callback_comes(world: CallWorld) -> None:
    world.telephony.dial_faults.always = broken("timeout")
    world.telephony.on_record = CarrierLeg("CAfound", CarrierState.RINGING)
    call = await dialled(world)
    assert await call.disposition() is Disposition.NO_ANSWER
    assert world.telephony.hung_up == ["CAfound"]
    assert len(world.telephony.dialled) == 1


async def test_unclear_dial_that_the_carrier_does_not_know_has_failed(world: CallWorld) -> None:
    world.telephony.dial_faults.always = broken("unavailable")
    call = await dialled(world)
    assert await call.disposition() is Disposition.FAILED
    assert len(world.telephony.dialled) == 1
