"""The unmodified deepgram-sdk against the sandbox, over real sockets."""

import asyncio
import json
import struct
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import websockets
from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment
from deepgram.transport import restore_transport
from websockets.exceptions import ConnectionClosed

from core import g711
from sandbox.app import SandboxConfig, create_app
from sandbox.audio_code import SILENCE, noise, speak
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running

FAST = Latency(prerecorded_ms=0, resumed_share=0.0)
MULAW = {"encoding": "mulaw", "sample_rate": 8000}
RAW: Any = {"additional_query_parameters": {"encoding": "mulaw", "sample_rate": "8000"}, "max_retries": 0}


@pytest.fixture(autouse=True)
def own_transport() -> None:
    """The SDK's own sockets: a transport_factory replaces them in the whole process, which other tests do."""
    restore_transport()


@asynccontextmanager
async def deepgram(state: SandboxState | None = None, key: str = "right") -> AsyncIterator[AsyncDeepgramClient]:
    app = create_app(state or SandboxState(FAST), SandboxConfig(api_keys={"deepgram": "right"}))
    async with running(app) as origin:
        socket = origin.replace("http", "ws")
        places = DeepgramClientEnvironment(base=origin, production=socket, agent=socket, agent_rest=origin)
        yield AsyncDeepgramClient(api_key=key, environment=places)


async def all_of(stream: Any) -> list[Any]:
    """What comes until the socket is closed."""
    messages = []
    try:
        async for message in stream:
            messages.append(message)
    except ConnectionClosed:
        pass
    return messages


def ended_with(stream: Any) -> tuple[int | None, str]:
    return stream._websocket.close_code, stream._websocket.close_reason


async def test_flux_hears_a_turn() -> None:
    state = SandboxState(FAST)
    async with deepgram(state) as client, client.listen.v2.connect(model="flux-general-en", **MULAW) as stream:
        await stream.send_media(speak("Grüezi, where is my order?").audio + SILENCE * 30)
        await stream.send_close_stream()
        messages = await all_of(stream)
    assert [message.sequence_id for message in messages] == list(range(len(messages)))
    assert messages[0].type == "Connected"
    assert [message.event for message in messages[1:] if message.event != "Update"] == ["StartOfTurn", "EndOfTurn"]
    assert messages[-1].transcript == "Grüezi, where is my order?"
    assert [word.word for word in messages[-1].words] == messages[-1].transcript.split()
    assert messages[-1].end_of_turn_confidence >= 0.7
    (stamp,) = [stamp for stamp in state.stamps if stamp.what == "end_of_turn"]
    assert stamp.data["text"] == "Grüezi, where is my order?"
    assert 0 <= stamp.at_ms - stamp.data["speech_end_ms"] < 1_000


async def test_flux_thresholds_change_while_it_streams() -> None:
    async with deepgram() as client, client.listen.v2.connect(model="flux-general-en", **MULAW) as stream:
        await stream.send_configure({"type": "Configure", "thresholds": {"eager_eot_threshold": 0.4}})
        await stream.send_configure({"type": "Configure", "thresholds": {"eot_timeout_ms": 1}})
        await stream.send_media(speak("Yes.").audio + SILENCE * 30)
        await stream.send_close_stream()
        _, success, failure, *turn = await all_of(stream)
    assert success.type == "ConfigureSuccess"
    assert success.thresholds.eager_eot_threshold == 0.4
    assert success.thresholds.eot_timeout_ms == 5_000
    assert (failure.type, failure.description) == ("ConfigureFailure", "eot_timeout_ms must be between 500 and 60000")
    assert "EagerEndOfTurn" in [message.event for message in turn]


async def test_flux_ends_a_turn_by_force_and_closes_on_an_empty_frame() -> None:
    async with deepgram() as client, client.listen.v2.connect(model="flux-general-en", **MULAW) as stream:
        await stream.send_media(speak("I would like").audio)
        await stream.send_force_end_turn()
        await stream.send_media(b"")
        messages = await all_of(stream)
    assert (messages[-1].event, messages[-1].trigger) == ("EndOfTurn", "manual")
    assert ended_with(stream)[0] == 1000


async def test_flux_refuses_what_is_no_message() -> None:
    async with deepgram() as client, client.listen.v2.connect(model="flux-general-en", **MULAW) as stream:
        await stream._websocket.send("hello")
        messages = await all_of(stream)
    assert (messages[-1].type, messages[-1].code) == ("Error", "UNPARSABLE_CLIENT_MESSAGE")
    assert ended_with(stream)[0] == 1008


async def nova(audio: bytes, **options: Any) -> list[Any]:
    async with deepgram() as client, client.listen.v1.connect(model="nova-3", **MULAW, **options) as stream:
        await stream.send_media(audio)
        await stream.send_close_stream()
        return await all_of(stream)


def text_of(message: Any) -> str:
    text = message.channel.alternatives[0].transcript
    assert isinstance(text, str)
    return text


async def test_nova_ends_speech_by_silence_and_says_good_bye() -> None:
    audio = speak("Where is my order?").audio + SILENCE * 30
    *results, last = await nova(audio, endpointing=300, interim_results=True, punctuate=True)
    finals = [result for result in results if result.is_final]
    assert [(text_of(result), result.speech_final) for result in finals] == [("Where is my order?", True)]
    assert len(results) > 1
    assert all(text_of(finals[0]).startswith(text_of(result)) for result in results)
    assert last.type == "Metadata"
    assert last.duration == len(audio) / 8_000


async def test_nova_writes_no_punctuation_unless_asked() -> None:
    results = await nova(speak("Where is my order?").audio + SILENCE * 30)
    assert text_of(results[0]) == "where is my order"


async def test_nova_gives_long_speech_in_several_final_pieces() -> None:
    sentence = "this is a long sentence which goes on for quite some time and does not want to come to its end at all"
    results = await nova(speak(sentence).audio + SILENCE * 30, endpointing=300)
    finals = [result for result in results if result.type == "Results" and result.is_final]
    assert [result.speech_final for result in finals] == [False] * (len(finals) - 1) + [True]
    assert len(finals) > 2
    assert " ".join(text_of(result) for result in finals).strip() == sentence


async def test_nova_in_noise_ends_an_utterance_by_its_words() -> None:
    audio = speak("where is it").audio + noise(2.0)
    options = {"endpointing": 300, "interim_results": True, "utterance_end_ms": 1000, "vad_events": True}
    messages = await nova(audio, **options)
    kinds = [message.type for message in messages]
    assert kinds.count("SpeechStarted") == 1
    assert kinds.count("UtteranceEnd") == 1
    before = messages[: kinds.index("UtteranceEnd")]
    assert not any(message.type == "Results" and message.speech_final for message in before)


async def test_nova_may_find_nothing_in_noise() -> None:
    results = await nova(noise(1.0) + SILENCE * 30, endpointing=300)
    assert [(text_of(result), result.speech_final) for result in results[:-1]] == [("", True)]


async def test_nova_flushes_when_told_to() -> None:
    async with deepgram() as client, client.listen.v1.connect(model="nova-3", **MULAW) as stream:
        await stream.send_media(speak("one two").audio)
        await stream.send_finalize()
        await stream.send_finalize()
        first, second = await stream.recv(), await stream.recv()
    assert first.from_finalize
    assert (text_of(first), text_of(second)) == ("one two", "")


async def test_a_stream_without_audio_is_closed() -> None:
    state = SandboxState(replace(FAST, recogniser_idle_ms=200))
    async with deepgram(state) as client, client.listen.v1.connect(model="nova-3", **MULAW) as stream:
        await stream.send_media(SILENCE)
        assert await all_of(stream) == []
    code, reason = ended_with(stream)
    assert code == 1011
    assert reason.startswith("NET-0001")


async def test_a_wrong_key_is_refused() -> None:
    async with deepgram(key="wrong") as client:
        with pytest.raises(ApiError) as refused:
            async with client.listen.v2.connect(model="flux-general-en", **MULAW):
                pass
        assert refused.value.status_code == 401
        with pytest.raises(ApiError) as refused:
            await client.listen.v1.media.transcribe_file(request=b"\xff", model="nova-3", request_options=RAW)
        assert refused.value.status_code == 401


@pytest.mark.parametrize(
    ("version", "options"),
    [
        ("v2", {"model": "nova-3"}),
        ("v2", {"model": "flux-general-en", "eot_threshold": 0.1}),
        ("v2", {"model": "flux-general-en", "eot_threshold": 0.6, "eager_eot_threshold": 0.8}),
        ("v2", {"model": "flux-general-en", "encoding": "linear16"}),
        ("v1", {"model": "flux-general-en"}),
        ("v1", {"model": "nova-3", "utterance_end_ms": 1000}),
        ("v1", {"model": "nova-3", "endpointing": "soon"}),
    ],
)
async def test_parameters_that_make_no_sense_are_refused(version: str, options: dict[str, Any]) -> None:
    async with deepgram() as client:
        with pytest.raises(ApiError) as refused:
            async with getattr(client.listen, version).connect(**options):
                pass
    assert refused.value.status_code == 400


async def test_kept_audio_is_transcribed_raw_and_from_wav_files(tmp_path: Path) -> None:
    audio = speak("Where is my order?").audio + SILENCE * 40 + speak("I need it.").audio
    with wave.open(str(tmp_path / "linear.wav"), "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(g711.decode(audio).tobytes())
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36, b"WAVE", b"fmt ", 16, 7, 1, 8_000, 8_000, 1, 8, b"data", len(audio)
    )
    async with deepgram() as client:
        for body, options in [(audio, RAW), (header + audio, None), ((tmp_path / "linear.wav").read_bytes(), None)]:
            response: Any = await client.listen.v1.media.transcribe_file(
                request=body, model="nova-3", smart_format=True, request_options=options
            )
            heard = response.results.channels[0].alternatives[0]
            assert heard.transcript == "Where is my order? I need it."
            assert heard.confidence > 0.9


@pytest.mark.parametrize(("kind", "code"), [("connect", 1011), ("drop", 1011)])
async def test_a_stream_can_be_lost(kind: str, code: int) -> None:
    state = SandboxState(FAST)
    state.faults.append(Fault("deepgram", kind))
    async with deepgram(state) as client, client.listen.v2.connect(model="flux-general-en", **MULAW) as stream:
        assert await all_of(stream) == []
        assert ended_with(stream)[0] == code


async def test_a_mute_stream_stays_open_and_says_nothing() -> None:
    state = SandboxState(FAST)
    async with deepgram(state) as client, client.listen.v2.connect(model="flux-general-en", **MULAW) as stream:
        assert (await stream.recv()).type == "Connected"
        state.faults.append(Fault("deepgram", "mute"))
        await stream.send_media(speak("Yes.").audio + SILENCE * 30)
        await stream.send_close_stream()
        assert await all_of(stream) == []


async def test_garbage_comes_instead_of_an_event() -> None:
    state = SandboxState(FAST)
    state.faults.append(Fault("deepgram", "garbage"))
    async with deepgram(state) as client, client.listen.v2.connect(model="flux-general-en", **MULAW) as stream:
        received = await stream._websocket.recv()
        with pytest.raises(ValueError, match="Expecting"):
            json.loads(received)


async def test_a_refused_handshake_says_when_to_come_back() -> None:
    state = SandboxState(FAST)
    state.faults.append(Fault("deepgram", "status", status=429, retry_after=2))
    async with running(create_app(state, SandboxConfig())) as origin:
        url = origin.replace("http", "ws") + "/v2/listen?model=flux-general-en"
        headers = {"Authorization": "Token any"}
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(url, additional_headers=headers, proxy=None)
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["retry-after"] == "2"
        async with websockets.connect(url, additional_headers=headers, proxy=None) as socket:
            assert '"Connected"' in str(await socket.recv())


async def test_a_stalled_handshake_is_never_answered() -> None:
    state = SandboxState(FAST)
    state.faults.append(Fault("deepgram", "stall"))
    async with deepgram(state) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2), client.listen.v2.connect(model="flux-general-en", **MULAW):
                pass
