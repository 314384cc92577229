"""ElevenLabs' HTTP by its unmodified SDK, its sockets by the websockets library (the SDK has no async helper)."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import httpx
import pytest
import websockets
from elevenlabs import AsyncElevenLabs, VoiceSettings
from elevenlabs.core.api_error import ApiError
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection

from sandbox import espeak
from sandbox.app import SandboxConfig, create_app
from sandbox.audio_code import Reader, speak
from sandbox.elevenlabs_speech import TextBuffer, pieces_of
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running

TEXT = "Your order is on its way. It arrives tomorrow."
ONCE: Any = {"max_retries": 0}


def quick(**latency: float) -> SandboxState:
    return SandboxState(Latency(**{"voice_first_byte_ms": 0, "voice_speed": 1_000, **latency}))


@asynccontextmanager
async def sandbox(state: SandboxState | None = None) -> AsyncIterator[str]:
    async with running(create_app(state or quick(), SandboxConfig(api_keys={"elevenlabs": "right"}))) as origin:
        yield origin


@asynccontextmanager
async def socket(origin: str, path: str = "stream-input", **query: str) -> AsyncIterator[ClientConnection]:
    options = "&".join(f"{name}={value}" for name, value in query.items())
    url = f"{origin.replace('http', 'ws')}/v1/text-to-speech/anna/{path}?output_format=ulaw_8000&{options}"
    headers = {"xi-api-key": "right"}
    async with websockets.connect(url, additional_headers=headers, proxy=None, max_queue=None) as connection:
        yield connection


async def say(connection: ClientConnection, **message: Any) -> None:
    await connection.send(json.dumps(message))


async def received(connection: ClientConnection) -> list[dict[str, Any]]:
    """What comes until the socket is closed, whatever the code."""
    messages = []
    with suppress(websockets.ConnectionClosedError):
        async for message in connection:
            messages.append(json.loads(message))
    return messages


def words_in(audio: bytes) -> str:
    return " ".join(word.text for word in Reader().feed(audio))


def audio_of(messages: list[dict[str, Any]], context: str | None = None) -> bytes:
    mine = [message for message in messages if message.get("contextId") == context]
    return b"".join(base64.b64decode(message["audio"]) for message in mine if message.get("audio"))


@given(text=st.text(st.sampled_from("ab ,.é\n"), min_size=1, max_size=80), seed=st.integers(0, 99))
def test_pieces_hold_all_audio_and_each_letter_where_it_is_spoken(text: str, seed: int) -> None:
    utterance = speak(text, "assistant")
    pieces = list(pieces_of(text, utterance, Random(seed)))
    assert b"".join(piece.audio for piece in pieces) == utterance.audio
    assert "".join(char for piece in pieces for char in piece.chars) == (text if utterance.words else "")
    begins_ms, starts = 0, []
    for piece in pieces:
        assert all(start_ms >= 0 for start_ms in piece.starts_ms)
        starts += [begins_ms + start_ms for start_ms in piece.starts_ms]
        begins_ms += len(piece.audio) // 8
    assert starts == sorted(starts)
    of_words = [
        starts[at] for at, char in enumerate(text) if not char.isspace() and (at == 0 or text[at - 1].isspace())
    ]
    assert of_words == [word.start_ms for word in utterance.words]


def test_text_is_held_back_until_there_is_enough_of_it() -> None:
    buffer = TextBuffer(schedule=[50, 120])
    assert buffer.add(" ") is None
    assert buffer.add("a" * 40 + " ") is None
    assert buffer.add("b" * 10) == "a" * 40 + " " + "b" * 10
    assert buffer.add("c" * 60) is None
    assert buffer.add("", flush=True) == "c" * 60
    assert buffer.add("", flush=True) is None
    assert TextBuffer(auto_mode=True).add("Yes. ") == "Yes. "


async def test_the_sdk_streams_headerless_audio() -> None:
    state = quick()
    async with sandbox(state) as origin:
        client = AsyncElevenLabs(base_url=origin, api_key="right")
        stream = client.text_to_speech.stream("anna", text=TEXT, output_format="ulaw_8000", request_options=ONCE)
        chunks = [chunk async for chunk in stream]
    assert words_in(b"".join(chunks)) == TEXT
    assert [(stamp.what, stamp.data["text"]) for stamp in state.stamps] == [("text", TEXT), ("first_byte", TEXT)]


async def test_the_sdk_streams_audio_with_timestamps_that_go_on() -> None:
    async with sandbox() as origin:
        client = AsyncElevenLabs(base_url=origin, api_key="right")
        stream = client.text_to_speech.stream_with_timestamps(
            "anna", text=TEXT, output_format="ulaw_8000", voice_settings=VoiceSettings(speed=1.2), request_options=ONCE
        )
        chunks = [chunk async for chunk in stream]
    assert words_in(b"".join(base64.b64decode(chunk.audio_base_64) for chunk in chunks)) == TEXT
    alignments = [chunk.alignment for chunk in chunks if chunk.alignment]
    starts = [start for alignment in alignments for start in alignment.character_start_times_seconds]
    assert "".join(char for alignment in alignments for char in alignment.characters) == TEXT
    assert starts == sorted(starts)
    assert starts[-1] == pytest.approx(len(TEXT) / 15 / 1.2, rel=0.1)


async def test_audio_comes_no_sooner_and_no_faster_than_the_vendor_makes_it() -> None:
    state = quick(voice_first_byte_ms=80, voice_speed=10)
    loop = asyncio.get_running_loop()
    async with sandbox(state) as origin:
        client = AsyncElevenLabs(base_url=origin, api_key="right")
        async for _ in client.text_to_speech.stream(
            "anna", text="Hi.", output_format="ulaw_8000", request_options=ONCE
        ):
            pass  # by now the SDK is loaded and connected
        began = loop.time()
        stream = client.text_to_speech.stream("anna", text=TEXT, output_format="ulaw_8000", request_options=ONCE)
        await anext(aiter(stream))
        first = loop.time() - began
        audio = b"".join([chunk async for chunk in stream])
        whole = loop.time() - began
    assert 0.08 <= first < 0.5
    assert whole >= 0.08 + len(audio) / 8_000 / 10 * 0.8


@pytest.mark.skipif(not espeak.available(), reason="espeak-ng is not installed")
async def test_an_audible_voice_says_the_real_words() -> None:
    sounds = []
    for audible in (False, True):
        async with running(create_app(quick(), SandboxConfig(audible=audible))) as origin:
            client = AsyncElevenLabs(base_url=origin, api_key="any")
            stream = client.text_to_speech.stream("anna", text=TEXT, output_format="ulaw_8000", request_options=ONCE)
            sounds.append(b"".join([chunk async for chunk in stream]))
    assert [words_in(sound) for sound in sounds] == [TEXT, TEXT]
    assert bytes(byte & 0xFE for byte in sounds[0]) != bytes(byte & 0xFE for byte in sounds[1])


@pytest.mark.parametrize(
    ("key", "changes", "status"),
    [
        ("wrong", {}, 401),
        ("right", {"output_format": "mp3_44100_128"}, 400),
        ("right", {"text": "  "}, 400),
        ("right", {"voice_settings": VoiceSettings(speed=3)}, 422),
    ],
)
async def test_what_cannot_be_spoken_is_refused(key: str, changes: dict[str, Any], status: int) -> None:
    request = {"text": TEXT, "output_format": "ulaw_8000", "request_options": ONCE} | changes
    async with sandbox() as origin:
        client = AsyncElevenLabs(base_url=origin, api_key=key)
        with pytest.raises(ApiError) as refused:
            _ = [chunk async for chunk in client.text_to_speech.stream("anna", **request)]
    assert refused.value.status_code == status


async def test_faults_of_a_status_strike_as_often_as_asked() -> None:
    state = quick()
    state.faults.append(Fault("elevenlabs", "status", status=429, times=2, retry_after=1.5))
    async with sandbox(state) as origin:
        client = AsyncElevenLabs(base_url=origin, api_key="right")
        for _ in range(2):
            with pytest.raises(ApiError) as refused:
                await anext(
                    aiter(
                        client.text_to_speech.stream("a", text="Hi.", output_format="ulaw_8000", request_options=ONCE)
                    )
                )
            assert refused.value.status_code == 429
            assert refused.value.headers is not None
            assert refused.value.headers["retry-after"] == "1.5"
        assert [chunk async for chunk in client.text_to_speech.stream("a", text="Hi.", output_format="ulaw_8000")]


@pytest.mark.parametrize("kind", ["connect", "drop"])
async def test_an_answer_can_be_cut(kind: str) -> None:
    state = quick()
    state.faults.append(Fault("elevenlabs", kind))
    async with sandbox(state) as origin:
        client = AsyncElevenLabs(base_url=origin, api_key="right")
        with pytest.raises(httpx.RemoteProtocolError):
            _ = [
                c
                async for c in client.text_to_speech.stream(
                    "a", text=TEXT, output_format="ulaw_8000", request_options=ONCE
                )
            ]


@pytest.mark.parametrize(("kind", "chunks"), [("stall", 0), ("mute", 0), ("stall_after", 1)])
async def test_an_answer_can_fall_silent(kind: str, chunks: int) -> None:
    state = quick()
    state.faults.append(Fault("elevenlabs", kind))
    async with sandbox(state) as origin:
        client = AsyncElevenLabs(base_url=origin, api_key="right", timeout=1.5)
        stream = aiter(client.text_to_speech.stream("a", text=TEXT, output_format="ulaw_8000", request_options=ONCE))
        for _ in range(chunks):
            assert await anext(stream)
        with pytest.raises(httpx.ReadTimeout):
            await anext(stream)


async def test_a_socket_speaks_each_flushed_sentence_and_then_ends() -> None:
    async with sandbox() as origin, socket(origin) as connection:
        await say(connection, text=" ", voice_settings={"speed": 1.0})
        await say(connection, text="Your order is on its way. ", flush=True)
        await say(connection, text="It arrives tomorrow. ", flush=True)
        await say(connection, text="")
        messages = await received(connection)
    assert words_in(audio_of(messages)) == TEXT
    assert messages[-1]["isFinal"] is True
    assert all(message["isFinal"] is None for message in messages[:-1])
    alignments = [message["alignment"] for message in messages[:-1] if message["alignment"]]
    assert "".join(char for alignment in alignments for char in alignment["chars"]) == TEXT + " "
    assert all(alignment["charStartTimesMs"][0] < 250 for alignment in alignments)  # they start anew in each message
    assert connection.close_code == 1000


async def test_a_socket_says_nothing_before_it_has_enough_text() -> None:
    state = quick()
    async with sandbox(state) as origin, socket(origin) as connection:
        await say(connection, text=" ")
        await say(connection, text="Too short. ")
        await say(connection, text="x" * 120)
        first = json.loads(await connection.recv())
        assert first["alignment"]["chars"][0] == "T"
        assert [stamp.data["text"][:10] for stamp in state.stamps if stamp.what == "text"] == ["Too short."]


async def test_several_voices_speak_on_one_socket() -> None:
    async with sandbox() as origin, socket(origin, "multi-stream-input") as connection:
        for name, text in [("a", "First one. "), ("b", "Second one. ")]:
            await say(connection, text=" ", context_id=name)
            await say(connection, text=text, context_id=name)
            await say(connection, context_id=name, close_context=True)
        messages: list[dict[str, Any]] = []
        while sum(bool(message["isFinal"]) for message in messages) < 2:
            messages.append(json.loads(await connection.recv()))
        await say(connection, close_socket=True)
        assert await received(connection) == []
    assert words_in(audio_of(messages, "a")) == "First one."
    assert words_in(audio_of(messages, "b")) == "Second one."


async def test_a_sixth_context_is_one_too_many() -> None:
    async with sandbox() as origin, socket(origin, "multi-stream-input") as connection:
        for number in range(6):
            await say(connection, text=" ", context_id=str(number))
        (problem,) = await received(connection)
    assert "contexts" in problem["message"]
    assert connection.close_code == 1008


async def test_a_socket_without_text_is_closed() -> None:
    async with sandbox(quick(voice_idle_ms=100)) as origin, socket(origin) as connection:
        (problem,) = await received(connection)
    assert problem["error"] == "input_timeout_exceeded"
    assert connection.close_code == 1008


async def test_a_socket_wants_a_key_at_the_door_or_in_the_first_message() -> None:
    async with sandbox() as origin:
        url = f"{origin.replace('http', 'ws')}/v1/text-to-speech/a/stream-input?output_format=ulaw_8000"
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(url, additional_headers={"xi-api-key": "wrong"}, proxy=None)
        assert refused.value.response.status_code == 401
        async with websockets.connect(url, proxy=None) as connection:
            await say(connection, text=" ", xi_api_key="right")
            await say(connection, text="Hello. ", flush=True)
            assert json.loads(await connection.recv())["audio"]
        async with websockets.connect(url, proxy=None) as connection:
            await say(connection, text=" ")
            assert [message["error"] for message in await received(connection)] == ["invalid_api_key"]


@pytest.mark.parametrize(("kind", "spoken"), [("drop", True), ("garbage", False)])
async def test_a_socket_can_break(kind: str, spoken: bool) -> None:
    state = quick()
    state.faults.append(Fault("elevenlabs", kind, match="tomorrow"))
    async with sandbox(state) as origin, socket(origin) as connection:
        await say(connection, text="It arrives tomorrow. ", flush=True)
        first = await connection.recv()
        assert str(first).startswith("{") is spoken
        if kind == "drop":
            await received(connection)
            assert connection.close_code == 1011


async def test_a_mute_socket_speaks_nothing_and_stays_open() -> None:
    state = quick()
    state.faults.append(Fault("elevenlabs", "mute"))
    async with sandbox(state) as origin, socket(origin) as connection:
        await say(connection, text="Hello. ", flush=True)
        await say(connection, text="Are you there? ", flush=True)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await connection.recv()
        await (await connection.ping())
