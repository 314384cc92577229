import base64

from sandbox.audio_code import SILENCE, noise, speak
from tests.sandbox.twilio.product import CONNECT, SID, World

ANSWER = f"<Response>{CONNECT}<Redirect>/twilio/resume</Redirect></Response>"


async def test_a_stream_begins_with_connected_and_start_as_twilio_writes_them(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    sid = await world.call_in()
    stream = await world.product.stream()
    connected, start = stream.messages[:2]
    assert stream.signed
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start["event"] == "start"
    assert start["sequenceNumber"] == "1"
    assert start["streamSid"].startswith("MZ")
    assert start["start"] == {
        "accountSid": SID,
        "callSid": sid,
        "streamSid": start["streamSid"],
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"call_id": "c1", "token": "t"},
    }


async def test_the_line_sends_silence_every_20_ms_in_numbered_frames(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    await world.call_in()
    stream = await world.product.stream()
    await world.product.until(lambda: len(stream.media) >= 10)
    assert [frame["sequenceNumber"] for frame in stream.media[:3]] == ["2", "3", "4"]
    assert [frame["media"]["chunk"] for frame in stream.media[:3]] == ["1", "2", "3"]
    assert [frame["media"]["timestamp"] for frame in stream.media[:3]] == ["20", "40", "60"]
    assert {frame["media"]["track"] for frame in stream.media} == {"inbound"}
    assert base64.b64decode(stream.media[0]["media"]["payload"]) == SILENCE


async def test_marks_return_as_the_audio_before_them_is_played_and_at_once_when_none_waits(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    await world.call_in()
    stream = await world.product.stream()
    await stream.mark("nothing before")
    await world.product.until(lambda: stream.marks == ["nothing before"])
    frames_before = len(stream.media)
    await stream.send_audio(noise(0.4))
    await stream.mark("400 ms")
    await stream.send_audio(noise(0.2))
    await stream.mark("600 ms")
    await world.product.until(lambda: "400 ms" in stream.marks)
    assert len(stream.media) - frames_before >= 19
    await world.product.until(lambda: "600 ms" in stream.marks)
    assert len(stream.media) - frames_before >= 29


async def test_clear_returns_outstanding_marks_and_what_was_cut_is_not_heard(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    sid = await world.call_in()
    stream = await world.product.stream()
    await stream.say("This sentence is so long that it takes some seconds to be spoken to its end.", mark="end")
    start = len(stream.media)
    await world.product.until(lambda: len(stream.media) > start + 60)
    await stream.clear()
    await world.product.until(lambda: stream.marks == ["end"])
    (heard,) = (await world.told(sid))["heard"]
    assert heard["interrupted"]
    assert heard["text"].startswith("This sentence is")
    assert "end." not in heard["text"]


async def test_what_was_played_is_read_back_with_its_places_and_times(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    sid = await world.call_in()
    stream = await world.product.stream()
    before = (await world.told(sid))["at_ms"]
    spoken = speak("Your order is on its way.", "assistant")
    await stream.send_audio(spoken.audio)
    await stream.mark("played")
    await world.product.until(lambda: stream.marks)
    told = await world.told(sid)
    (heard,) = told["heard"]
    assert heard["text"] == "Your order is on its way."
    assert [word["at_ms"] - heard["at_ms"] for word in heard["words"]] == [word.start_ms for word in spoken.words]
    assert heard["at_ms"] >= before
    assert told["answered_ms"] < heard["arrived_ms"] <= heard["played_ms"]
    assert told["gaps"] == 0


async def test_a_pause_in_the_middle_of_a_sentence_counts_as_a_gap(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    sid = await world.call_in()
    stream = await world.product.stream()
    audio = speak("One two three four five six seven eight.", "assistant").audio
    half = len(audio) // 320 * 160
    await stream.send_audio(audio[:half])
    await stream.mark("half")
    await world.product.until(lambda: "half" in stream.marks)
    start = len(stream.media)
    await world.product.until(lambda: len(stream.media) >= start + 5)
    await stream.send_audio(audio[half:])
    await stream.mark("whole")
    await world.product.until(lambda: "whole" in stream.marks)
    told = await world.told(sid)
    assert told["heard"][0]["text"] == "One two three four five six seven eight."
    assert told["gaps"] == 1
    assert 80 <= told["gap_ms"] <= 400


async def test_keys_arrive_as_dtmf_messages(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    await world.call_in([{"dtmf": "1#", "after": 0.5}])
    stream = await world.product.stream()
    await world.product.until(lambda: len([m for m in stream.messages if m["event"] == "dtmf"]) == 2)
    keys = [message["dtmf"] for message in stream.messages if message["event"] == "dtmf"]
    assert keys == [{"track": "inbound_track", "digit": "1"}, {"track": "inbound_track", "digit": "#"}]


async def test_a_message_that_means_nothing_is_noted_and_the_stream_goes_on(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    sid = await world.call_in()
    stream = await world.product.stream()
    await stream.socket.send_text("no json")
    await stream.send({"event": "rewind"})
    await stream.send({"event": "media", "media": {"payload": "***"}})
    await stream.send({"event": "clear", "streamSid": "MZ0"})
    await stream.mark("still here")
    await world.product.until(lambda: stream.marks == ["still here"])
    assert len((await world.told(sid))["bad_messages"]) == 4


async def test_the_stream_stops_when_the_person_hangs_up(world: World) -> None:
    world.product.twiml["voice"] = ANSWER
    sid = await world.call_in([{"hang_up": True, "after": 0.1}])
    stream = await world.product.stream()
    await world.product.until(lambda: stream.closed)
    assert stream.messages[-1]["event"] == "stop"
    assert stream.messages[-1]["stop"] == {"accountSid": SID, "callSid": sid}
    await world.product.until(lambda: len(world.product.asked("stream")) == 2)
    events = [webhook.form["StreamEvent"] for webhook in world.product.asked("stream")]
    assert events == ["stream-started", "stream-stopped"]
    await world.product.until_completed()
    assert world.product.asked("resume") == []
