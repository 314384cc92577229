"""<Gather>, <Dial> and conferences."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from tests.sandbox.twilio.product import OUR_NUMBER, SID, TOKEN, World

REPRESENTATIVE = "+15550122222"
DIAL = f"<Response><Dial action='/twilio/resume' timeout='1'>{REPRESENTATIVE}</Dial></Response>"
STAY = {"wait": 30}


async def legs(world: World) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = (await world.control.get("/sandbox/calls")).json()
    return told


async def test_gather_brings_the_digits_to_its_action_and_a_key_stops_the_prompt(world: World) -> None:
    world.product.twiml["voice"] = (
        "<Response><Gather numDigits='3' action='/twilio/resume?x=1'>"
        "<Say>Please type the three digits of your code now, whenever you are ready to.</Say>"
        "</Gather></Response>"
    )
    sid = await world.call_in([{"dtmf": "123", "after": 0.6}])
    await world.product.until_completed()
    (resume,) = world.product.asked("resume")
    assert (resume.form["Digits"], resume.query, resume.signed) == ("123", {"x": "1"}, True)
    (heard,) = (await world.told(sid))["heard"]
    assert heard["interrupted"]
    assert "ready" not in heard["text"]


@pytest.mark.parametrize(("keys", "digits"), [("42#", "42"), ("7", "7")])
async def test_gather_ends_with_the_finishing_key_or_a_pause(world: World, keys: str, digits: str) -> None:
    world.product.twiml["voice"] = "<Response><Gather timeout='0.5' action='/twilio/resume'/></Response>"
    await world.call_in([{"dtmf": keys, "after": 0.2}])
    await world.product.until_completed()
    assert world.product.asked("resume")[0].form["Digits"] == digits


async def test_without_digits_gather_goes_on_to_the_next_verb(world: World) -> None:
    world.product.twiml["voice"] = (
        "<Response><Gather timeout='0.1' action='/twilio/resume'/><Redirect>/twilio/next</Redirect></Response>"
    )
    await world.call_in()
    await world.product.until_completed()
    assert world.product.asked("resume") == []
    assert len(world.product.asked("next")) == 1


async def test_dial_bridges_two_people_who_hear_each_other(world: World) -> None:
    await world.put_person(
        REPRESENTATIVE, script=[{"say": "Support, hello.", "after": 0.2}, {"hang_up": True, "wait_for": "refund"}]
    )
    world.product.twiml["voice"] = DIAL
    await world.call_in([{"say": "I would like a refund."}, STAY])
    await world.product.until_completed()
    caller, representative = await legs(world)
    assert [line["text"] for line in caller["heard"]] == ["Support, hello."]
    assert [line["text"] for line in representative["heard"]] == ["I would like a refund."]
    assert representative["direction"] == "outbound-dial"
    assert representative["parent_sid"] == caller["sid"]
    (resume,) = world.product.asked("resume")
    assert resume.form["DialCallStatus"] == "completed"
    assert resume.form["DialCallSid"] == representative["sid"]
    assert int(resume.form["DialCallDuration"]) >= 1


@pytest.mark.parametrize("answer", ["busy", "no-answer", "failed"])
async def test_dial_tells_its_action_what_became_of_it(world: World, answer: str) -> None:
    await world.put_person(REPRESENTATIVE, answer=answer)
    world.product.twiml["voice"] = DIAL
    await world.call_in()
    await world.product.until_completed()
    assert world.product.asked("resume")[0].form["DialCallStatus"] == answer


async def test_without_an_action_the_verb_after_dial_runs(world: World) -> None:
    await world.put_person(REPRESENTATIVE, answer="busy")
    world.product.twiml["voice"] = (
        f"<Response><Dial><Number>{REPRESENTATIVE}</Number></Dial><Redirect>/twilio/next</Redirect></Response>"
    )
    await world.call_in()
    await world.product.until_completed()
    assert len(world.product.asked("next")) == 1


async def test_the_other_leg_ends_when_the_caller_hangs_up(world: World) -> None:
    await world.put_person(REPRESENTATIVE, script=[STAY])
    world.product.twiml["voice"] = (
        "<Response><Dial><Number statusCallback='/twilio/leg' url='/twilio/whisper'>"
        f"{REPRESENTATIVE}</Number></Dial></Response>"
    )
    world.product.twiml["whisper"] = "<Response><Say>A call for you.</Say></Response>"
    await world.call_in([{"hang_up": True, "after": 2.0}])
    await world.product.until(lambda: world.product.asked("leg"))
    assert world.product.asked("leg")[0].form["CallStatus"] == "completed"
    _, representative = await legs(world)
    assert [line["text"] for line in representative["heard"]] == ["A call for you."]


JOIN = "<Response><Dial action='/twilio/resume'><Conference>room-1</Conference></Dial></Response>"


@asynccontextmanager
async def sdk(world: World) -> AsyncIterator[Client]:
    """The unmodified SDK, pointed at the sandbox."""
    async with AsyncTwilioHttpClient() as http:
        client = Client(SID, TOKEN, http_client=http)
        client.api.base_url = world.origin
        yield client


async def test_who_is_dialled_into_a_conference_is_heard_and_may_end_it(world: World) -> None:
    world.product.twiml["voice"] = JOIN
    await world.put_person(
        REPRESENTATIVE, script=[{"say": "This is Kim.", "after": 0.5}, {"hang_up": True, "wait_for": "Hi Kim"}]
    )
    await world.call_in([{"say": "Hi Kim.", "wait_for": "Kim"}, STAY])
    await world.product.until(lambda: world.product.asked("voice"))
    async with sdk(world) as client:
        await client.conferences("room-1").participants.create_async(
            from_=OUR_NUMBER,
            to=REPRESENTATIVE,
            end_conference_on_exit=True,
            status_callback=f"{world.product.origin}/twilio/joined",
            status_callback_event=["answered", "completed"],
        )
    await world.product.until(lambda: world.product.asked("resume"))
    assert [webhook.form["CallStatus"] for webhook in world.product.asked("joined")] == ["in-progress", "completed"]
    caller, representative = await legs(world)
    assert [line["text"] for line in caller["heard"]] == ["This is Kim."]
    assert [line["text"] for line in representative["heard"]] == ["Hi Kim."]


async def test_participants_are_listed_held_and_removed_over_rest(world: World) -> None:
    world.product.twiml["voice"] = JOIN
    await world.put_person(REPRESENTATIVE, script=[STAY])
    sid = await world.call_in([STAY])
    await world.product.until(lambda: world.product.asked("voice"))
    async with sdk(world) as client:
        added = await client.conferences("room-1").participants.create_async(
            from_=OUR_NUMBER,
            to=REPRESENTATIVE,
            label="representative",
            status_callback=f"{world.product.origin}/twilio/joined",
            status_callback_event=["answered", "completed"],
        )
        assert added.status == "queued"
        await world.product.until(lambda: world.product.asked("joined"))
        (conference,) = await client.conferences.list_async(friendly_name="room-1", status="in-progress")
        room = client.conferences(conference.sid)
        assert {each.call_sid for each in await room.participants.list_async()} == {sid, added.call_sid}
        held = await room.participants("representative").update_async(hold=True)
        assert (held.hold, held.muted) == (True, False)
        released = await room.participants("representative").update_async(hold=False, muted=True)
        assert (released.hold, released.muted) == (False, True)
        assert await room.participants("representative").delete_async()
        await world.product.until(lambda: len(world.product.asked("joined")) == 2)
        assert [each.call_sid for each in await room.participants.list_async()] == [sid]
        assert (await room.update_async(status="completed")).status == "completed"
        await world.product.until(lambda: world.product.asked("resume"))
