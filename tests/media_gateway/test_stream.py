"""A stream's life: heard, answered, interrupted, ended."""

import asyncio

from core.contracts import names
from core.contracts.call import ReplyKey, ReplyTimings
from core.playback import Kept
from core.ports.errors import VendorError
from core.ports.speech import SpokenWord
from core.timings import LAYERS
from core.turns import EndOfTurn, Interim, Listen, SpeechStarted, TurnTaking
from media_gateway.playback_client import PlaybackClient
from sandbox.audio_code import speak
from tests.media_gateway.conftest import RULES, Call, RunningGateway, StartCall, StartGateway, StartWorkflow
from tests.media_gateway.recording_call import Answers

ONE_SECOND = b"\x7e" * 8_000
WORDS = tuple(SpokenWord(word, 200 * index, 200 * index + 200) for index, word in enumerate(["one", "two", "three"]))


def key(call: Call, turn: int = 1, part: int = 0, attempt: int = 1) -> ReplyKey:
    return ReplyKey(call.address.attachment, turn, part, attempt)


async def test_a_turn_of_the_caller_reaches_the_workflow(start_call: StartCall) -> None:
    call = await start_call()
    ear = await call.gateway.recogniser.stream()
    ear.say(SpeechStarted(), Interim("where is"), EndOfTurn("where is my order", 0.93))
    (turn,) = await call.told(names.CALLER_TURN)
    assert (turn["turn"], turn["seq"], turn["text"], turn["words"]) == (1, 1, "where is my order", 4)
    assert turn["attachment"] == call.address.attachment
    assert turn["timings"]["speech_ended_ms"] <= turn["timings"]["decided_ms"]
    assert call.gateway.feed.of_kind("caller_turn") == [{"turn": 1, "text": "where is my order", "confidence": 0.93}]


async def test_turns_are_numbered_from_where_the_call_stands(start_call: StartCall) -> None:
    call = await start_call(Answers(next_turn=7, turn_taking=RULES))
    ear = await call.gateway.recogniser.stream()
    ear.say(EndOfTurn("yes", 0.9), EndOfTurn("", 0.9), EndOfTurn("no", 0.9))
    turns = await call.told(names.CALLER_TURN, 2)  # side by side: whichever comes first
    assert {turn["turn"]: turn["text"] for turn in turns} == {7: "yes", 8: "no"}


async def test_every_frame_reaches_the_recogniser_in_order_also_those_from_before_it_was_open(
    start_call: StartCall,
) -> None:
    call = await start_call()
    spoken = speak("good morning to you").audio
    await call.carrier.speak(spoken)
    ear = await call.gateway.recogniser.stream()
    assert await ear.has_heard(len(spoken)) == spoken


async def test_frames_go_together_while_nobody_speaks_and_one_by_one_from_the_first_voice(
    start_call: StartCall,
) -> None:
    call = await start_call()
    ear = await call.gateway.recogniser.stream()
    before = len(ear.packets)
    await call.carrier.speak(b"\xff" * 2_560)
    await ear.has_heard(2_560)
    assert ear.packets[before:] == [1_280, 1_280]
    spoken = speak("good morning").audio
    await call.carrier.speak(b"\xff" * 160 + spoken)
    assert (await ear.has_heard(2_720 + len(spoken)))[-len(spoken) :] == spoken
    assert max(ear.packets[before + 2 :]) <= 1_280
    assert set(ear.packets[-len(spoken) // 160 // 2 :]) == {160}


async def test_speech_ends_with_its_last_voiced_frame(start_call: StartCall) -> None:
    call = await start_call()
    ear = await call.gateway.recogniser.stream()
    audio = speak("good morning").audio + b"\xff" * 8_000
    await call.carrier.speak(audio)
    await ear.has_heard(len(audio))
    ear.say(EndOfTurn("good morning", 0.9))
    (turn,) = await call.told(names.CALLER_TURN)
    assert turn["timings"]["speech_ended_ms"] < turn["timings"]["decided_ms"]


async def test_a_reply_is_played_as_it_comes_and_reported_once_it_was_heard(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    async with playback.open(call.id, call.address, key(call, turn=0), Listen()) as reply:
        reply.push(0, ONE_SECOND[:4_000], WORDS, last=False)
        assert await call.carrier.has_audio(4_000) == ONE_SECOND[:4_000]
        reply.push(0, ONE_SECOND[4_000:], (), last=True, text="One two three.")
        reply.finish(hear=False)
    await call.carrier.has_audio(8_000)
    await call.carrier.has("mark", 3)
    await call.carrier.return_marks()
    (report,) = await call.told(names.PLAYBACK_REPORT)
    assert (report["heard"], report["complete"], report["interrupted"]) == ("One two three.", True, False)
    assert (report["played_ms"], report["layers"]) == (1_000, {})
    assert call.gateway.feed.of_kind("assistant_said") == [
        {
            "turn": 0,
            "part": 0,
            "heard": "One two three.",
            "complete": True,
            "interrupted": False,
            "played_ms": 1_000,
            "talk_over_ms": 0,
        }
    ]


async def test_the_first_audio_of_an_answer_tells_where_the_time_went(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    (await call.gateway.recogniser.stream()).say(EndOfTurn("hello", 0.9))
    (turn,) = await call.told(names.CALLER_TURN)
    started_ms = turn["timings"]["decided_ms"] + 3.0
    async with playback.open(call.id, call.address, key(call), Listen()) as reply:
        reply.began(ReplyTimings(started_ms, first_sentence_ms=started_ms + 1, voice_first_byte_ms=started_ms + 2))
        reply.push(0, ONE_SECOND, (), last=True, text="Hi.")
        reply.finish(hear=False)
    await call.carrier.has("mark", 3)
    await call.carrier.return_marks()
    (report,) = await call.told(names.PLAYBACK_REPORT)
    (started,) = call.gateway.feed.of_kind("reply_started")
    assert set(report["layers"]) == set(LAYERS)
    assert started["layers"] == report["layers"]
    assert abs(sum(report["layers"].values()) - started["latency_ms"]) < 0.01
    assert started["turn"] == 1


async def test_a_caller_who_cuts_in_hears_silence_at_once_and_the_worker_is_told(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    async with playback.open(call.id, call.address, key(call, turn=0), Listen()) as reply:
        reply.push(0, ONE_SECOND, WORDS, last=False)
        await call.carrier.has_audio(8_000)
        await call.utters(SpeechStarted(), Interim("wait"))
        await reply.wait_closed()
        assert reply.closed
        await call.carrier.has("clear")
        reply.push(0, ONE_SECOND, (), last=True, text="Never heard.")
    (report,) = await call.told(names.PLAYBACK_REPORT)
    assert (report["complete"], report["interrupted"]) == (False, True)
    assert "Never" not in report["heard"]
    assert len(call.carrier.audio()) == 8_000


async def test_a_reply_that_comes_while_the_caller_holds_the_floor_is_not_played(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    ear = await call.gateway.recogniser.stream()
    async with playback.open(call.id, call.address, key(call, turn=0), Listen()) as reply:
        reply.push(0, ONE_SECOND, WORDS, last=True, text="One two three.")
        reply.finish(hear=False)
        await call.carrier.has_audio(8_000)
        await call.utters(Interim("wait"))
        await call.carrier.has("clear")
    async with playback.open(call.id, call.address, key(call, turn=0, part=1), Listen()) as late:
        assert await late.kept() == Kept()
        assert late.closed
    reports = await call.told(names.PLAYBACK_REPORT, 2)
    assert [(report["key"]["part"], report["interrupted"]) for report in reports] == [(0, True), (1, True)]
    ear.say(EndOfTurn("no thanks", 0.9))
    await call.told(names.CALLER_TURN)
    async with playback.open(call.id, call.address, key(call), Listen()) as answer:
        await answer.kept()
        assert not answer.closed


async def test_a_line_that_may_not_be_interrupted_plays_on(start_call: StartCall, playback: PlaybackClient) -> None:
    call = await start_call(Answers(turn_taking=TurnTaking(interruptible=False)))
    async with playback.open(call.id, call.address, key(call, turn=0), Listen()) as reply:
        reply.push(0, ONE_SECOND, WORDS, last=True, text="One two three.")
        reply.finish(hear=False)
    await call.carrier.has("mark", 3)
    (await call.gateway.recogniser.stream()).say(Interim("wait"), EndOfTurn("wait", 0.9))
    await call.carrier.return_marks()
    (turn,) = await call.told(names.CALLER_TURN)
    (report,) = await call.told(names.PLAYBACK_REPORT)
    assert (turn["text"], report["complete"]) == ("wait", True)
    assert not [message for message in call.carrier.received if message["event"] == "clear"]


async def test_silence_is_told_once_the_assistant_has_spoken(start_call: StartCall, playback: PlaybackClient) -> None:
    call = await start_call(Answers(turn_taking=TurnTaking(silence_after_ms=50)))
    async with playback.open(call.id, call.address, key(call, turn=0), Listen()) as reply:
        reply.push(0, ONE_SECOND[:800], (), last=True, text="Hello?")
        reply.finish(hear=True)
        await call.carrier.has("mark")
        await call.carrier.return_marks()
        await reply.heard()
    telling = asyncio.create_task(call.told(names.CALLER_SILENT))
    while not telling.done():
        await call.carrier.speak(b"\xff" * 160)
        await asyncio.wait([telling], timeout=0.02)
    assert telling.result()[0]["attachment"] == call.address.attachment


async def test_a_caller_who_hangs_up_ends_the_stream_after_all_else_was_told(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    async with playback.open(call.id, call.address, key(call, turn=0), Listen()) as reply:
        reply.push(0, ONE_SECOND, WORDS, last=False)
        await call.carrier.has_audio(8_000)
        await call.carrier.hang_up()
        (ended,) = await call.told(names.STREAM_ENDED)
        await reply.wait_closed()
    assert ended["stopped"]
    assert await call.workflow.query("order") == [names.ATTACH, names.PLAYBACK_REPORT, names.STREAM_ENDED]
    (report,) = await call.told(names.PLAYBACK_REPORT)
    assert not report["interrupted"]


async def test_a_socket_that_breaks_is_an_end_without_a_stop(start_call: StartCall) -> None:
    call = await start_call()
    await call.carrier.drop()
    (ended,) = await call.told(names.STREAM_ENDED)
    assert not ended["stopped"]


async def test_a_stream_that_the_call_does_not_want_is_closed(
    gateway: RunningGateway, start_workflow: StartWorkflow
) -> None:
    call_id, _ = await start_workflow(Answers(accepted=False))
    carrier = await gateway.carrier()
    await carrier.start(call_id)
    assert await carrier.closed() == 1000
    assert not gateway.recogniser.streams


async def test_a_stream_of_a_call_that_is_over_is_closed(gateway: RunningGateway) -> None:
    carrier = await gateway.carrier()
    await carrier.start("no-such-call")
    assert await carrier.closed() == 1000


async def test_a_newer_stream_takes_the_call_over(start_call: StartCall) -> None:
    call = await start_call()
    newer = await call.gateway.carrier()
    await newer.start(call.id, stream_sid="MZ2")
    assert await call.carrier.closed() == 1000
    attached = await call.told(names.ATTACH, 2)
    assert [attach["stream_id"] for attach in attached] == ["MZ1", "MZ2"]
    assert attached[0]["attachment"] < attached[1]["attachment"]
    await newer.drop()


async def test_a_lost_recogniser_is_opened_again_and_hears_the_utterance_it_missed(start_call: StartCall) -> None:
    call = await start_call()
    ear = await call.gateway.recogniser.stream()
    spoken = speak("my order number is four five six").audio
    await call.carrier.speak(spoken)
    ear.say(SpeechStarted(), Interim("my order"))
    ear.break_down()
    again = await call.gateway.recogniser.stream(2)
    assert await again.has_heard(len(spoken)) == spoken
    again.say(EndOfTurn("my order number is four five six", 0.9))
    (turn,) = await call.told(names.CALLER_TURN)
    assert turn["text"] == "my order number is four five six"
    assert ear.closed


async def test_a_recogniser_that_refuses_our_key_is_told_to_the_call(
    gateway: RunningGateway, start_call: StartCall
) -> None:
    gateway.recogniser.errors.append(VendorError("deepgram", "unauthorized", "401", curable=False))
    call = await start_call()
    (failed,) = await call.told(names.RECOGNISER_FAILED)
    assert (failed["reason"], failed["seq"]) == ("unauthorized", 1)
    assert call.gateway.feed.of_kind("problem")


async def test_a_recogniser_that_stays_away_is_told_to_the_call(
    start_gateway: StartGateway, start_call: StartCall
) -> None:
    gateway = await start_gateway(recogniser=0.1)
    away = VendorError("deepgram", "unavailable", "503", curable=True)
    gateway.recogniser.errors += [away] * 3
    call = await start_call(at=gateway)
    (failed,) = await call.told(names.RECOGNISER_FAILED)
    assert failed["reason"] == "unavailable"


async def test_a_recogniser_that_comes_back_in_time_hears_everything(
    gateway: RunningGateway, start_call: StartCall
) -> None:
    gateway.recogniser.errors.append(VendorError("deepgram", "unavailable", "503", curable=True))
    call = await start_call()
    spoken = speak("hello").audio
    await call.carrier.speak(spoken)
    ear = await gateway.recogniser.stream()
    assert (await ear.has_heard(len(spoken))).endswith(spoken)


async def test_the_audio_of_a_turn_can_be_heard_again(start_call: StartCall, playback: PlaybackClient) -> None:
    call = await start_call()
    ear = await call.gateway.recogniser.stream()
    spoken = speak("good morning").audio
    await call.carrier.speak(spoken)
    await ear.has_heard(len(spoken))
    ear.say(EndOfTurn("good morning", 0.4))
    await call.told(names.CALLER_TURN)
    assert await playback.fetch_turn_audio(call.address.audio_url, 1) == spoken
    await call.carrier.hang_up()
    await call.told(names.STREAM_ENDED)
    assert await playback.fetch_turn_audio(call.address.audio_url, 1) == spoken


async def test_a_reply_that_asks_for_yes_or_no_has_the_recogniser_end_turns_sooner(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    ear = await call.gateway.recogniser.stream()
    async with playback.open(call.id, call.address, key(call, turn=0), Listen("yes_no")) as reply:
        await reply.kept()
        assert (ear.rules.end_of_turn_threshold, ear.rules.end_of_turn_timeout_ms) == (0.5, 1_000)
    async with playback.open(call.id, call.address, key(call, turn=0, part=1), Listen()) as reply:
        await reply.kept()
        assert ear.rules == RULES
    assert len(call.gateway.recogniser.streams) == 1
