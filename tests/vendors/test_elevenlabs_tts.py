import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from core.ports.errors import VendorError
from core.ports.speech import SpeechChunk, SpeechStream, Voice, VoiceSettings
from sandbox.app import SandboxConfig, create_app
from sandbox.audio_code import Reader
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running
from vendors.elevenlabs_tts import ElevenLabsHttpVoice, ElevenLabsVoice

SENTENCES = ["Your order is on its way.", "It arrives tomorrow, between nine and ten!", "Anything else?"]
SETTINGS = VoiceSettings("anna")
BOTH = pytest.mark.parametrize("kind", [ElevenLabsVoice, ElevenLabsHttpVoice])
SILENT = ("stall", "stall_after", "mute", "drip")  # faults that only a deadline ends
AnyVoice = ElevenLabsVoice | ElevenLabsHttpVoice


@asynccontextmanager
async def elevenlabs(
    kind: type[AnyVoice], *faults: Fault, key: str = "right", state: SandboxState | None = None
) -> AsyncIterator[AnyVoice]:
    state = state or SandboxState(Latency(voice_first_byte_ms=0, voice_speed=1_000))
    state.faults += faults
    async with running(create_app(state, SandboxConfig(api_keys={"elevenlabs": "right"}))) as origin:
        patience = 0.5 if any(fault.kind in SILENT for fault in faults) else 10.0
        connects = 0.5 if any(fault.kind == "stall" for fault in faults) else 10.0  # a socket that never opens
        voice = kind(key, origin, connect_timeout=connects, first_byte_timeout=patience, gap_timeout=patience)
        yield voice
        await voice.aclose()


async def spoken(voice: AnyVoice, sentences: list[str], settings: VoiceSettings = SETTINGS) -> list[SpeechChunk]:
    async with voice.open(settings) as speech:
        for sentence in sentences:
            await speech.speak(sentence)
        await speech.finish()
        async with asyncio.timeout(20):
            return [chunk async for chunk in speech.chunks()]


def words_in(audio: bytes) -> str:
    return " ".join(word.text for word in Reader().feed(audio))


async def one_chunk(speech: SpeechStream) -> SpeechChunk:
    chunks = speech.chunks()
    async with asyncio.timeout(20):
        return await anext(chunks)


@BOTH
def test_both_are_voices(kind: type[AnyVoice]) -> None:
    voice: Voice = kind("key")
    assert voice


@BOTH
async def test_a_reply_is_spoken_sentence_by_sentence(kind: type[AnyVoice]) -> None:
    async with elevenlabs(kind) as voice:
        chunks = await spoken(voice, SENTENCES)
    for number, sentence in enumerate(SENTENCES):
        mine = [chunk for chunk in chunks if chunk.sentence == number]
        audio = b"".join(chunk.audio for chunk in mine)
        assert words_in(audio) == sentence
        assert [chunk.last for chunk in mine] == [False] * (len(mine) - 1) + [True]
        words = [word for chunk in mine for word in chunk.words]
        assert [word.text for word in words] == sentence.split()
        heard = [word.start_ms for word in Reader().feed(audio)]
        assert all(abs(word.start_ms - start_ms) <= 1 for word, start_ms in zip(words, heard, strict=True))
        assert words[-1].end_ms == pytest.approx(len(audio) / 8, abs=60)


@BOTH
async def test_a_sentence_is_heard_before_the_next_is_written(kind: type[AnyVoice]) -> None:
    async with elevenlabs(kind) as voice, voice.open(SETTINGS) as speech:
        chunks = speech.chunks()
        for number, sentence in enumerate(SENTENCES):
            await speech.speak(sentence)
            audio = b""
            async with asyncio.timeout(20):
                async for chunk in chunks:
                    assert chunk.sentence == number
                    audio += chunk.audio
                    if chunk.last:
                        break
            assert words_in(audio) == sentence
        await speech.finish()
        assert [chunk async for chunk in chunks] == []


@BOTH
async def test_a_reply_without_sentences_is_no_audio(kind: type[AnyVoice]) -> None:
    async with elevenlabs(kind) as voice:
        assert await spoken(voice, []) == []


@BOTH
async def test_a_sentence_without_words_ends_silently(kind: type[AnyVoice]) -> None:
    async with elevenlabs(kind) as voice:
        chunks = await spoken(voice, ["Hello.", " ", "Bye."])
    assert words_in(b"".join(chunk.audio for chunk in chunks)) == "Hello. Bye."
    assert [chunk.sentence for chunk in chunks if chunk.last] == [0, 1, 2]


@BOTH
async def test_speed_is_passed_on(kind: type[AnyVoice]) -> None:
    async with elevenlabs(kind) as voice:
        usual = await spoken(voice, SENTENCES)
        fast = await spoken(voice, SENTENCES, VoiceSettings("anna", speed=1.2))
    assert sum(len(c.audio) for c in fast) == pytest.approx(sum(len(c.audio) for c in usual) / 1.2, rel=0.03)


async def test_the_socket_is_opened_before_there_is_anything_to_say() -> None:
    state = SandboxState()
    async with elevenlabs(ElevenLabsVoice, state=state) as voice, voice.open(SETTINGS):
        async with asyncio.timeout(20):
            while not state.stamps:  # noqa: ASYNC110 (the sandbox tells nobody)
                await asyncio.sleep(0)
    assert [stamp.what for stamp in state.stamps] == ["socket"]


async def test_leaving_at_once_gives_the_socket_up() -> None:
    state = SandboxState()
    async with elevenlabs(ElevenLabsVoice, state=state) as voice:
        async with voice.open(SETTINGS):
            pass
        async with voice.open(SETTINGS) as speech:
            await speech.speak(SENTENCES[0])
            await one_chunk(speech)  # much more audio is on its way
        async with asyncio.timeout(5):
            await voice.aclose()
    assert [stamp.what for stamp in state.stamps].count("text") == 1


@BOTH
@pytest.mark.parametrize(
    ("fault", "expected", "curable"),
    [
        (Fault("elevenlabs", "status", status=401), "unauthorized", False),
        (Fault("elevenlabs", "status", status=422), "refused", False),
        (Fault("elevenlabs", "status", status=429, retry_after=2), "rate_limited", True),
        (Fault("elevenlabs", "status", status=500), "unavailable", True),
        (Fault("elevenlabs", "connect"), "unavailable", True),
        (Fault("elevenlabs", "stall"), "timeout", True),
        (Fault("elevenlabs", "mute"), "timeout", True),
        (Fault("elevenlabs", "stall_after"), "timeout", True),
        (Fault("elevenlabs", "drop"), "unavailable", True),
        (Fault("elevenlabs", "drip", delay_ms=1_500), "timeout", True),
    ],
    ids=lambda value: f"{value.kind}{value.status}" if isinstance(value, Fault) else "",
)
async def test_a_voice_that_fails_says_why(kind: type[AnyVoice], fault: Fault, expected: str, curable: bool) -> None:
    async with elevenlabs(kind, fault) as voice:
        with pytest.raises(VendorError) as failed:
            await spoken(voice, SENTENCES)
        assert (failed.value.vendor, failed.value.kind, failed.value.curable) == ("elevenlabs", expected, curable)
        assert failed.value.retry_after == (timedelta(seconds=2) if expected == "rate_limited" else None)
        assert SENTENCES[0] not in str(failed.value)
        if fault.kind in SILENT:
            return
        assert words_in(b"".join(chunk.audio for chunk in await spoken(voice, SENTENCES[:1]))) == SENTENCES[0]


@BOTH
async def test_garbage_is_no_answer(kind: type[AnyVoice]) -> None:
    async with elevenlabs(kind, Fault("elevenlabs", "garbage")) as voice:
        with pytest.raises(VendorError) as failed:
            await spoken(voice, SENTENCES)
    assert failed.value.kind in ("broken", "unavailable")


@BOTH
async def test_nobody_at_the_address_is_told_at_once(kind: type[AnyVoice]) -> None:
    with pytest.raises(VendorError) as failed:
        await spoken(kind("key", "http://127.0.0.1:9"), SENTENCES)
    assert failed.value.kind == "unavailable"


@BOTH
async def test_a_wrong_key_is_no_matter_of_trying_again(kind: type[AnyVoice]) -> None:
    async with elevenlabs(kind, key="sesame") as voice:
        with pytest.raises(VendorError) as failed:
            await spoken(voice, SENTENCES)
    assert (failed.value.kind, failed.value.curable) == ("unauthorized", False)
    assert "sesame" not in str(failed.value)


async def test_a_voice_may_wait_for_its_first_sentence_longer_than_for_its_first_audio() -> None:
    never = Fault("elevenlabs", "mute", match="never said")  # makes the deadlines short
    async with elevenlabs(ElevenLabsVoice, never) as voice, voice.open(SETTINGS) as speech:
        first = asyncio.create_task(one_chunk(speech))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.8):
                await asyncio.shield(first)
        await speech.speak(SENTENCES[0])
        assert (await first).audio


async def test_a_deadline_begins_with_the_sentence_though_audio_is_already_awaited() -> None:
    async with elevenlabs(ElevenLabsVoice, Fault("elevenlabs", "mute")) as voice, voice.open(SETTINGS) as speech:
        first = asyncio.create_task(one_chunk(speech))
        await speech.speak(SENTENCES[0])
        with pytest.raises(VendorError, match="no audio came in time"):
            await first
