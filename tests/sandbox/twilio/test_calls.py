"""Legs from ringing to their end: webhooks, callbacks, redirects, lost streams."""

import asyncio

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from sandbox.state import now_ms
from tests.sandbox.twilio.product import CALLER, CONNECT, OUR_NUMBER, SID, TOKEN, World

ANSWER = f"<Response>{CONNECT}<Redirect>/twilio/resume</Redirect></Response>"
ALL = ["initiated", "ringing", "answered", "completed"]


async def place_call(world: World, to: str = CALLER, **options: object) -> str:
    """Call someone through the unmodified SDK, with all callbacks; returns the sid."""
    async with AsyncTwilioHttpClient() as http:
        client = Client(SID, TOKEN, http_client=http)
        client.api.base_url = world.origin
        defaults: dict[str, object] = {
            "url": f"{world.product.origin}/twilio/voice?call_id=c1",
            "status_callback": f"{world.product.origin}/twilio/status?call_id=c1",
            "status_callback_event": ALL,
        }
        call = await client.calls.create_async(to=to, from_=OUR_NUMBER, **(defaults | options))
        return str(call.sid)


async def update_call(world: World, sid: str, **changes: str) -> None:
    async with AsyncTwilioHttpClient() as http:
        client = Client(SID, TOKEN, http_client=http)
        client.api.base_url = world.origin
        await client.calls(sid).update_async(**changes)


async def test_an_inbound_call_asks_the_voice_webhook_signed_and_reports_its_end(world: World) -> None:
    world.product.twiml["voice"] = "<Response><Pause length='0'/></Response>"
    sid = await world.call_in()
    await world.product.until_completed()
    (asked,) = world.product.asked("voice")
    assert asked.signed
    assert asked.form["CallSid"] == sid
    assert asked.form["AccountSid"] == SID
    assert (asked.form["From"], asked.form["To"]) == (CALLER, OUR_NUMBER)
    assert (asked.form["Direction"], asked.form["CallStatus"]) == ("inbound", "ringing")
    (status,) = world.product.asked("status")
    assert status.signed
    assert (status.form["CallStatus"], status.form["SequenceNumber"]) == ("completed", "0")
    assert status.form["CallDuration"] == "0"


async def test_an_outbound_call_reports_every_state_in_order(world: World) -> None:
    await world.put_person(CALLER, script=[{"hang_up": True, "after": 0.2}])
    world.product.twiml["voice"] = "<Response><Pause length='20'/></Response>"
    sid = await place_call(world)
    await world.product.until_completed()
    assert world.product.statuses() == ["initiated", "ringing", "in-progress", "completed"]
    callbacks = world.product.asked("status")
    assert [callback.form["SequenceNumber"] for callback in callbacks] == ["0", "1", "2", "3"]
    assert all(callback.signed and callback.query == {"call_id": "c1"} for callback in callbacks)
    assert all(callback.form["Direction"] == "outbound-api" for callback in callbacks)
    (voice,) = world.product.asked("voice")
    assert voice.signed
    assert (voice.query, voice.form["CallStatus"]) == ({"call_id": "c1"}, "in-progress")
    told = await world.told_once(sid, lambda told: told["callbacks"][-1]["result"] != "pending")
    assert told["status"] == "completed"
    assert [callback["result"] for callback in told["callbacks"]] == ["ok"] * 4


@pytest.mark.parametrize("answer", ["busy", "no-answer", "failed"])
async def test_a_call_that_is_not_answered_ends_as_what_became_of_it(world: World, answer: str) -> None:
    await world.put_person(CALLER, answer=answer, ring_seconds=0.05)
    sid = await place_call(world)
    await world.product.until(lambda: world.product.statuses()[-1:] == [answer])
    told = await world.told(sid)
    assert (told["status"], told["answered_ms"], told["heard"]) == (answer, None, [])
    assert "in-progress" not in world.product.statuses()
    assert world.product.asked("voice") == []


async def test_who_rings_longer_than_the_timeout_has_not_answered(world: World) -> None:
    await world.put_person(CALLER, ring_seconds=30)
    sid = await place_call(world, timeout=1)
    await world.product.until(lambda: world.product.statuses()[-1:] == ["no-answer"])
    told = await world.told(sid)
    assert 1_000 <= told["ended_ms"] - told["created_ms"] < 10_000


async def test_a_machine_is_told_apart_where_asked_for(world: World) -> None:
    await world.put_person(CALLER, answer="machine")
    world.product.twiml["voice"] = "<Response><Hangup/></Response>"
    await place_call(world, machine_detection="Enable")
    await world.product.until_completed()
    assert world.product.asked("voice")[0].form["AnsweredBy"] == "machine_start"


async def test_asynchronous_detection_has_its_own_callback(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    sid = await place_call(
        world,
        machine_detection="Enable",
        async_amd="true",
        async_amd_status_callback=f"{world.product.origin}/twilio/amd?call_id=c1",
    )
    await world.product.until(lambda: world.product.asked("amd"))
    (amd,) = world.product.asked("amd")
    assert amd.signed
    assert (amd.form["CallSid"], amd.form["AnsweredBy"]) == (sid, "human")


async def test_callbacks_come_twice_on_request(world: World) -> None:
    await world.put_person(CALLER, callbacks="doubled")
    await place_call(world)
    await world.product.until(lambda: world.product.statuses()[-2:] == ["completed", "completed"])
    expected = ["initiated", "ringing", "in-progress", "completed"]
    assert world.product.statuses() == [status for status in expected for _ in range(2)]
    numbers = [callback.form["SequenceNumber"] for callback in world.product.asked("status")]
    assert numbers == ["0", "0", "1", "1", "2", "2", "3", "3"]


async def test_callbacks_overtake_each_other_on_request(world: World) -> None:
    await world.put_person(CALLER, callbacks="reordered")
    await place_call(world)
    await world.product.until(lambda: len(world.product.statuses()) == 4)
    assert world.product.statuses() == ["ringing", "initiated", "completed", "in-progress"]


async def test_callbacks_are_late_on_request(world: World) -> None:
    await world.put_person(CALLER, callbacks="late", answer="failed")
    sid = await place_call(world)
    await world.product.until(lambda: "failed" in world.product.statuses())
    assert now_ms() - (await world.told(sid))["ended_ms"] >= 1_900


async def test_a_webhook_that_fails_ends_the_call_with_the_carriers_own_words(world: World) -> None:
    world.product.status["voice"] = 500
    sid = await world.call_in()
    await world.product.until_completed()
    told = await world.told(sid)
    assert [warning["what"] for warning in told["warnings"]] == ["11200"]
    assert told["heard"][0]["text"] == "We are sorry, an application error has occurred. Goodbye."


async def test_the_fallback_url_is_asked_when_the_webhook_fails(world: World) -> None:
    world.product.twiml["voice"] = "this is no TwiML"
    await place_call(world, fallback_url=f"{world.product.origin}/twilio/fallback")
    await world.product.until_completed()
    (fallback,) = world.product.asked("fallback")
    assert fallback.form["ErrorCode"] == "12100"
    assert "voice" in fallback.form["ErrorUrl"]


async def test_a_verb_nobody_knows_is_skipped_with_a_warning(world: World) -> None:
    world.product.twiml["voice"] = "<Response><Sing>La</Sing><Redirect>resume</Redirect></Response>"
    sid = await world.call_in()
    await world.product.until_completed()
    assert len(world.product.asked("resume")) == 1
    told = await world.told(sid)
    assert [warning["what"] for warning in told["warnings"]] == ["12200"]
    assert [verb["what"] for verb in told["verbs"]] == ["Redirect"]


async def test_what_the_carrier_says_itself_is_heard(world: World) -> None:
    world.product.twiml["voice"] = "<Response><Say>Please hold.</Say><Hangup/></Response>"
    sid = await world.call_in()
    await world.product.until_completed()
    assert [line["text"] for line in (await world.told(sid))["heard"]] == ["Please hold."]


async def test_when_the_product_closes_the_stream_the_next_verb_runs(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    world.product.twiml["resume"] = "<Response><Hangup/></Response>"
    await world.call_in()
    await (await world.product.stream()).close()
    await world.product.until_completed()
    assert len(world.product.asked("resume")) == 1
    events = [webhook.form["StreamEvent"] for webhook in world.product.asked("stream")]
    assert events == ["stream-started", "stream-stopped"]
    assert all(webhook.signed for webhook in world.product.asked("stream"))


async def test_a_lost_stream_is_reported_and_followed_by_the_next_verb(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    world.product.twiml["resume"] = ANSWER
    sid = await world.call_in(lost_stream="redirect")
    first = await world.product.stream()
    await world.control.post(f"/sandbox/calls/{sid}/cut-stream")
    second = await world.product.stream(2)
    assert first.closed
    assert second.sid != first.sid
    await world.product.until(lambda: len(world.product.asked("stream")) == 3)
    errors = [webhook.form.get("StreamError") for webhook in world.product.asked("stream")]
    assert errors == [None, "31903", None]


async def test_a_lost_stream_may_leave_the_call_silent_until_it_is_redirected(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    world.product.twiml["resume"] = ANSWER
    sid = await world.call_in(lost_stream="error")
    await world.product.stream()
    await world.control.post(f"/sandbox/calls/{sid}/cut-stream")
    await world.product.until(lambda: len(world.product.asked("stream")) == 2)
    assert world.product.asked("stream")[1].form["StreamEvent"] == "stream-error"
    assert world.product.asked("resume") == []
    await update_call(world, sid, url=f"{world.product.origin}/twilio/resume?call_id=c1")
    await world.product.stream(2)
    assert len(world.product.asked("resume")) == 1


async def test_a_stream_that_cannot_connect_is_reported_and_the_next_verb_runs(world: World) -> None:
    world.product.twiml["voice"] = ANSWER.replace("{media}", "ws://127.0.0.1:1/twilio/media")
    sid = await world.call_in()
    await world.product.until_completed()
    assert world.product.asked("stream")[0].form["StreamError"] == "31920"
    assert len(world.product.asked("resume")) == 1
    assert (await world.told(sid))["warnings"][0]["what"] == "31920"


async def test_redirecting_a_live_call_closes_its_stream_and_runs_the_new_verbs(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    sid = await world.call_in()
    stream = await world.product.stream()
    await stream.say("This takes a while and will be cut off by what comes next.")
    await update_call(world, sid, twiml="<Response><Say>Goodbye.</Say></Response>")
    await world.product.until_completed()
    assert stream.messages[-1]["event"] == "stop"
    assert world.product.asked("resume") == []
    told = await world.told(sid)
    assert told["heard"][-1]["text"] == "Goodbye."
    assert [verb["what"] for verb in told["verbs"]] == ["Connect", "Say"]


async def test_an_ended_call_cannot_be_redirected(world: World) -> None:
    sid = await world.call_in()
    await world.product.until_completed()
    with pytest.raises(TwilioRestException) as refused:
        await update_call(world, sid, twiml="<Response/>")
    assert (refused.value.status, refused.value.code) == (400, 21220)


async def test_who_waits_for_a_call_is_answered_once_it_is_over(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    sid = await world.call_in()
    waiting = asyncio.create_task(world.control.get(f"/sandbox/calls/{sid}/over"))
    await (await world.product.stream()).say("Good morning.")
    assert not waiting.done()
    await world.hang_up(sid)
    assert (await waiting).status_code == 204
    assert (await world.told(sid))["ended_ms"] is not None
    assert (await world.control.get(f"/sandbox/calls/{sid}/over")).status_code == 204
    assert (await world.control.get("/sandbox/calls/CA-nobody/over")).status_code == 404


async def test_a_script_is_played_against_the_assistant(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    sid = await world.call_in([{"say": "I want to book a table."}, {"hang_up": True, "wait_for": "booked"}])
    stream = await world.product.stream()
    await stream.say("Good morning.")
    await world.product.until(lambda: " ".join(stream.words) == "I want to book a table.")
    frames = len(stream.media)
    await world.product.until(lambda: len(stream.media) > frames + 40)  # the last word has been spoken to its end
    await stream.say("It is booked.")
    await world.product.until_completed()
    told = await world.told(sid)
    assert [line["text"] for line in told["said"]] == ["I want to book a table."]
    assert [line["text"] for line in told["heard"]] == ["Good morning.", "It is booked."]
    said = told["said"][0]
    assert said["started_ms"] < said["speech_end_ms"] <= said["reply_arrived_ms"] <= said["reply_played_ms"]
    stamps = {stamp.what: stamp.data for stamp in world.state.stamps if stamp.vendor == "twilio"}
    assert stamps["said"]["speech_end_ms"] == said["speech_end_ms"]
    assert stamps["reply"]["after_ms"] == said["reply_arrived_ms"] - said["speech_end_ms"]
    assert stamps["heard"]["text"] == "It is booked."
