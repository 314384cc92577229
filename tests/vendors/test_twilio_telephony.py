"""The real SDK against the sandbox's carrier."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from core.outcome import CarrierState
from core.ports.errors import VendorError
from core.ports.telephony import LegOfTransfer, Telephony
from sandbox.state import Fault, now_ms
from tests.sandbox.twilio.product import CALLER, CONNECT, OUR_NUMBER, SID, TOKEN, World, a_world
from tests.vendors.deadlines import LONG
from vendors.twilio_telephony import TwilioTelephony

ANSWER = f"<Response>{CONNECT}</Response>"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as started:
        yield started


@asynccontextmanager
async def telephony(world: World, token: str = TOKEN, timeout: float = LONG) -> AsyncIterator[TwilioTelephony]:
    carrier = TwilioTelephony(SID, token, world.product.origin, world.origin, timeout=timeout)
    try:
        yield carrier
    finally:
        await carrier.aclose()


@contextmanager
def fails(kind: str, *, curable: bool) -> Iterator[None]:
    with pytest.raises(VendorError) as caught:
        yield
    assert (caught.value.vendor, caught.value.kind, caught.value.curable) == ("twilio", kind, curable)
    assert CALLER not in str(caught.value)


async def test_a_dialled_call_asks_our_webhooks_with_its_id_and_reports_every_state(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    async with telephony(world) as carrier:
        port: Telephony = carrier
        leg = await port.dial("call/1", CALLER, OUR_NUMBER, 30)
        assert leg.state is CarrierState.QUEUED
        await world.product.stream()
        (voice,) = world.product.asked("voice")
        assert (voice.query, voice.form["CallSid"]) == ({"call_id": "call/1"}, leg.carrier_call_id)
        await port.hang_up(leg.carrier_call_id)
        await world.product.until_completed()
    assert world.product.statuses() == ["initiated", "ringing", "in-progress", "completed"]
    assert {status.query["call_id"] for status in world.product.asked("status")} == {"call/1"}


async def test_a_call_that_nobody_answers_rings_as_long_as_it_was_told_to(world: World) -> None:
    await world.put_person(CALLER, answer="no-answer")
    async with telephony(world) as carrier:
        leg = await carrier.dial("c1", CALLER, OUR_NUMBER, 1)
        await world.product.until(lambda: world.product.statuses()[-1:] == ["no-answer"])
    told = await world.told(leg.carrier_call_id)
    assert 1_000 <= told["ended_ms"] - told["created_ms"] < 10_000


async def test_a_call_is_hung_up_while_it_rings_and_once_more_when_it_is_over(world: World) -> None:
    await world.put_person(CALLER, answer="no-answer")
    async with telephony(world) as carrier:
        leg = await carrier.dial("c1", CALLER, OUR_NUMBER, 60)
        await world.product.until(lambda: "ringing" in world.product.statuses())
        await carrier.hang_up(leg.carrier_call_id)
        await world.product.until(lambda: "canceled" in world.product.statuses())
        await carrier.hang_up(leg.carrier_call_id)
        with fails("refused", curable=False):
            await carrier.hang_up("CA" + "0" * 32)
    assert world.product.statuses() == ["initiated", "ringing", "canceled"]


async def test_a_live_leg_asks_the_resume_webhook_again(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    world.product.twiml["resume"] = ANSWER
    async with telephony(world) as carrier:
        leg = await carrier.dial("c1", CALLER, OUR_NUMBER, 30)
        first = await world.product.stream()
        await carrier.ask_again("c1", leg.carrier_call_id)
        await world.product.stream(2)
        assert first.closed
        assert [resume.query for resume in world.product.asked("resume")] == [{"call_id": "c1"}]
        await carrier.hang_up(leg.carrier_call_id)
        await world.product.until_completed()
        with fails("refused", curable=False):
            await carrier.ask_again("c1", leg.carrier_call_id)


async def test_a_dial_whose_answer_was_lost_is_found(world: World) -> None:
    world.state.faults.append(Fault("twilio", "drop", match="POST"))
    async with telephony(world) as carrier:
        began = now_ms()
        assert await carrier.find_dialled("c1", CALLER, OUR_NUMBER, began) is None
        with fails("unavailable", curable=True):
            await carrier.dial("c1", CALLER, OUR_NUMBER, 30)
        leg = await carrier.find_dialled("c1", CALLER, OUR_NUMBER, began)
        assert leg is not None
        (told,) = (await world.control.get("/sandbox/calls")).json()
        assert leg.carrier_call_id == told["sid"]


async def test_only_a_leg_that_was_dialled_since_then_between_these_numbers_is_found(world: World) -> None:
    async with telephony(world) as carrier:
        began = now_ms()
        await world.call_in(to=OUR_NUMBER)
        await carrier.dial("other", "+15550133333", OUR_NUMBER, 30)
        assert await carrier.find_dialled("c1", CALLER, OUR_NUMBER, began) is None
        await carrier.dial("older", CALLER, OUR_NUMBER, 30)
        assert await carrier.find_dialled("c1", CALLER, OUR_NUMBER, began + 60_000) is None
        assert await carrier.find_dialled("c1", CALLER, OUR_NUMBER, began) is not None


@pytest.mark.parametrize(
    ("fault", "kind", "curable"),
    [
        (Fault("twilio", "status", status=503), "unavailable", True),
        (Fault("twilio", "status", status=429), "rate_limited", True),
        (Fault("twilio", "status", status=400), "refused", False),
        (Fault("twilio", "connect"), "unavailable", True),
        (Fault("twilio", "stall"), "timeout", True),
        (Fault("twilio", "garbage"), "unavailable", True),
    ],
    ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, Fault) else str(value),
)
async def test_what_goes_wrong_in_a_dial_is_told_apart(world: World, fault: Fault, kind: str, curable: bool) -> None:
    world.state.faults.append(fault)
    async with telephony(world, timeout=0.5 if fault.kind == "stall" else LONG) as carrier:
        with fails(kind, curable=curable):
            await carrier.dial("c1", CALLER, OUR_NUMBER, 30)
    assert world.state.faults == []


async def test_a_look_up_that_is_turned_away_says_why(world: World) -> None:
    world.state.faults.append(Fault("twilio", "status", status=429))
    world.state.faults.append(Fault("twilio", "garbage"))
    async with telephony(world) as carrier:
        with fails("rate_limited", curable=True):
            await carrier.find_dialled("c1", CALLER, OUR_NUMBER, 0)
        with fails("broken", curable=True):
            await carrier.find_dialled("c1", CALLER, OUR_NUMBER, 0)
    assert world.state.faults == []


async def test_a_number_that_is_none_is_refused(world: World) -> None:
    async with telephony(world) as carrier:
        with fails("refused", curable=False):
            await carrier.dial("c1", "12", OUR_NUMBER, 30)
    assert (await world.control.get("/sandbox/calls")).json() == []


async def test_credentials_are_checked_without_a_call(world: World) -> None:
    async with telephony(world) as carrier:
        await carrier.check()
    async with telephony(world, token="wrong") as carrier:
        with fails("unauthorized", curable=False):
            await carrier.check()
    assert (await world.control.get("/sandbox/calls")).json() == []


async def test_a_carrier_that_is_not_there_is_unavailable() -> None:
    carrier = TwilioTelephony(SID, TOKEN, "http://127.0.0.1:1", "http://127.0.0.1:1")
    try:
        with pytest.raises(VendorError) as caught:
            await carrier.check()
        assert (caught.value.kind, caught.value.curable) == ("unavailable", True)
    finally:
        await carrier.aclose()


async def test_a_representative_asks_a_webhook_of_their_own_while_it_is_found_out_who_answered(world: World) -> None:
    await world.put_person(CALLER, answer="machine")
    world.product.twiml["representative"] = "<Response><Pause length='5'/></Response>"
    async with telephony(world) as carrier:
        leg = await carrier.dial_representative(LegOfTransfer("call/1", 2, 3), CALLER, OUR_NUMBER, 30)
        await world.product.until(lambda: world.product.asked("representative"))
        (asked,) = world.product.asked("representative")
        assert asked.query == {"call_id": "call/1", "transfer": "2", "leg": "3"}
        assert "AnsweredBy" not in asked.form  # a person need not wait for it
        await world.product.until(lambda: world.product.asked("representative/status"))
        await carrier.hang_up(leg.carrier_call_id)
        await world.product.until(lambda: len(world.product.asked("representative/status")) == 2)
    machine, over = world.product.asked("representative/status")
    assert (machine.form["AnsweredBy"], over.form["CallStatus"]) == ("machine_start", "completed")
    assert machine.query == over.query == asked.query
