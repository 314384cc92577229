"""Barge-in over real sockets: playback held, gone on with, or stopped; and how fast."""

import numpy as np

from core.contracts import names
from core.contracts.call import ReplyKey
from core.g711 import encode
from core.turns import EndOfTurn, Interim, Listen, SpeechStarted, TurnTaking
from media_gateway.playback_client import PlaybackClient
from sandbox.audio_code import SILENCE, noise, speak
from tests.media_gateway.conftest import Call, StartCall
from tests.media_gateway.recording_call import Answers

FOUR_SECONDS = bytes(range(1, 126)) * 256
HALF_A_SECOND_OF_QUIET = SILENCE * 25


def key(call: Call, turn: int = 0) -> ReplyKey:
    return ReplyKey(call.address.attachment, turn, 0, 1)


def cough() -> bytes:
    """A burst of noise that dies away, 400 ms."""
    random = np.random.default_rng(1)
    at = np.arange(3_200)
    return encode((random.normal(0, 9_000, 3_200) * np.exp(-at / 700)).clip(-32_000, 32_000).astype(np.int16))


async def test_noise_like_speech_holds_playback_which_goes_on_from_the_exact_sample(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    async with playback.open(call.id, call.address, key(call), Listen()) as reply:
        reply.push(0, FOUR_SECONDS, (), last=False)
        await call.carrier.has_audio(len(FOUR_SECONDS))
        await call.carrier.speaks_until(noise(0.4), call.carrier.has("clear"))
        reply.push(0, b"\x55" * 800, (), last=True, text="All of it.")
        reply.finish(hear=False)
        before = len(FOUR_SECONDS)
        await call.carrier.quiet_until(call.carrier.has_audio(before + 800))
        (report,) = await call.carrier.plays_until(call.told(names.PLAYBACK_REPORT))
    again = call.carrier.audio()[before:]
    everything = FOUR_SECONDS + b"\x55" * 800
    assert everything.endswith(again)
    assert len(again) > len(everything) - 8_000  # less than a second had been played
    assert (report["heard"], report["complete"], report["interrupted"]) == ("All of it.", True, False)
    assert report["played_ms"] == len(everything) // 8
    assert 0 < report["talk_over_ms"] < 400  # until playback was held


async def test_a_backchannel_does_not_stop_playback(start_call: StartCall, playback: PlaybackClient) -> None:
    call = await start_call()
    async with playback.open(call.id, call.address, key(call), Listen()) as reply:
        reply.push(0, FOUR_SECONDS, (), last=True, text="All of it.")
        reply.finish(hear=False)
        await call.carrier.has_audio(len(FOUR_SECONDS))
        await call.carrier.speaks_until(speak("mhm mhm").audio, call.carrier.has("clear"))
        ear = await call.gateway.recogniser.stream()
        ear.say(SpeechStarted(), Interim("Mhm mhm."), EndOfTurn("Mhm mhm.", 0.9))
        await call.carrier.has_audio(len(FOUR_SECONDS) + 800)
        (report,) = await call.carrier.plays_until(call.told(names.PLAYBACK_REPORT))
    assert (report["heard"], report["complete"], report["interrupted"]) == ("All of it.", True, False)


async def test_a_cough_does_not_even_hold_playback(start_call: StartCall, playback: PlaybackClient) -> None:
    call = await start_call()
    async with playback.open(call.id, call.address, key(call), Listen()) as reply:
        reply.push(0, FOUR_SECONDS, (), last=True, text="All of it.")
        reply.finish(hear=False)
        await call.carrier.has_audio(len(FOUR_SECONDS))
        sound = cough() + HALF_A_SECOND_OF_QUIET
        await call.carrier.speak(sound)
        await (await call.gateway.recogniser.stream()).has_heard(len(sound))
        await call.carrier.plays_until(call.told(names.PLAYBACK_REPORT))
    assert not [message for message in call.carrier.received if message["event"] == "clear"]


async def test_words_after_the_hold_stop_playback_and_what_was_heard_before_it_is_told(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    async with playback.open(call.id, call.address, key(call), Listen()) as reply:
        reply.push(0, FOUR_SECONDS, (), last=False)
        await call.carrier.has_audio(len(FOUR_SECONDS))
        await call.carrier.speaks_until(speak("wait a moment").audio, call.carrier.has("clear"))
        (await call.gateway.recogniser.stream()).say(SpeechStarted(), Interim("wait a"))
        await reply.wait_closed()
    (report,) = await call.told(names.PLAYBACK_REPORT)
    assert report["interrupted"]
    assert report["played_ms"] < 1_000
    assert [message["event"] for message in call.carrier.received].count("clear") == 1


async def test_a_protected_sentence_is_said_to_its_end_and_the_next_may_be_cut(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call(Answers(turn_taking=TurnTaking(silence_after_ms=60_000)))
    async with playback.open(call.id, call.address, key(call), Listen(protected=1)) as reply:
        reply.push(0, FOUR_SECONDS[:3_200], (), last=True, text="This call may be recorded.")
        reply.push(1, FOUR_SECONDS, (), last=False)
        await call.carrier.has_audio(3_200 + len(FOUR_SECONDS))
        spoken = speak("where is my order").audio
        await call.carrier.speak(spoken)
        ear = await call.gateway.recogniser.stream()
        await ear.has_heard(len(spoken))
        assert not [message for message in call.carrier.received if message["event"] == "clear"]
        await call.carrier.has("mark")
        await call.carrier.send({"event": "mark", "mark": {"name": call.carrier.marks()[0]}})
        await call.carrier.speaks_until(speak("hello").audio, call.carrier.has("clear"))
