import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from core.ports.errors import VendorError
from core.ports.speech import SpeechChunk, Voice, VoiceSettings
from sandbox.app import SandboxConfig, create_app
from sandbox.audio_code import Reader
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running
from vendors.deepgram_tts import DeepgramVoice

SENTENCES = ["Your order is on its way.", "It arrives tomorrow, between nine and ten!"]
MODELS = ("aura-2-thalia-en", "aura-2-zeus-en", "aura-2-viktoria-de")
SILENT = ("stall", "stall_after", "mute", "drip")  # faults that only a deadline ends


@asynccontextmanager
async def deepgram(*faults: Fault, key: str = "right") -> AsyncIterator[DeepgramVoice]:
    state = SandboxState(Latency(voice_first_byte_ms=0, voice_speed=1_000))
    state.faults += faults
    async with running(create_app(state, SandboxConfig(api_keys={"deepgram": "right"}))) as origin:
        patience = 0.5 if any(fault.kind in SILENT for fault in faults) else 10.0
        voice = DeepgramVoice(
            key, MODELS, origin, connect_timeout=patience, first_byte_timeout=patience, gap_timeout=patience
        )
        yield voice
        await voice.aclose()


async def spoken(voice: Voice, sentences: Sequence[str] = SENTENCES, language: str = "en") -> list[SpeechChunk]:
    async with voice.open(VoiceSettings("anna", language=language)) as speech:
        for sentence in sentences:
            await speech.speak(sentence)
        await speech.finish()
        async with asyncio.timeout(20):
            return [chunk async for chunk in speech.chunks()]


def words_in(chunks: Sequence[SpeechChunk]) -> str:
    return " ".join(word.text for word in Reader().feed(b"".join(chunk.audio for chunk in chunks)))


def test_it_is_a_voice() -> None:
    voice: Voice = DeepgramVoice("key", MODELS)
    assert voice


async def test_a_reply_is_spoken_sentence_by_sentence_and_says_whose_voice_it_is() -> None:
    async with deepgram() as voice:
        chunks = await spoken(voice)
    assert words_in(chunks) == " ".join(SENTENCES)
    assert [chunk.sentence for chunk in chunks if chunk.last] == [0, 1]
    assert {chunk.voice for chunk in chunks} == {"deepgram aura-2-thalia-en"}


async def test_a_language_has_its_own_voice() -> None:
    async with deepgram() as voice:
        assert (await spoken(voice, language="de-AT"))[0].voice == "deepgram aura-2-viktoria-de"


async def test_a_language_without_a_voice_is_refused() -> None:
    async with deepgram() as voice:
        with pytest.raises(VendorError) as failed:
            await spoken(voice, language="pl")
    assert (failed.value.kind, failed.value.curable) == ("refused", False)


async def test_a_sentence_without_words_ends_silently() -> None:
    async with deepgram() as voice:
        chunks = await spoken(voice, ["Hello.", " ", "Bye."])
    assert words_in(chunks) == "Hello. Bye."
    assert [chunk.sentence for chunk in chunks if chunk.last] == [0, 1, 2]


@pytest.mark.parametrize(
    ("fault", "expected", "curable"),
    [
        (Fault("deepgram", "status", status=401), "unauthorized", False),
        (Fault("deepgram", "status", status=422), "refused", False),
        (Fault("deepgram", "status", status=429, retry_after=2), "rate_limited", True),
        (Fault("deepgram", "status", status=503), "unavailable", True),
        (Fault("deepgram", "connect"), "unavailable", True),
        (Fault("deepgram", "stall"), "timeout", True),
        (Fault("deepgram", "stall_after"), "timeout", True),
        (Fault("deepgram", "drip", delay_ms=1_500), "timeout", True),
        (Fault("deepgram", "drop"), "unavailable", True),
        (Fault("deepgram", "garbage"), "broken", True),
    ],
    ids=lambda value: f"{value.kind}{value.status}" if isinstance(value, Fault) else "",
)
async def test_a_voice_that_fails_says_why(fault: Fault, expected: str, curable: bool) -> None:
    async with deepgram(fault) as voice:
        with pytest.raises(VendorError) as failed:
            await spoken(voice)
        assert (failed.value.vendor, failed.value.kind, failed.value.curable) == ("deepgram", expected, curable)
        assert failed.value.retry_after == (timedelta(seconds=2) if expected == "rate_limited" else None)
        assert SENTENCES[0] not in str(failed.value)


async def test_a_wrong_key_stays_out_of_the_error() -> None:
    async with deepgram(key="sesame") as voice:
        with pytest.raises(VendorError) as failed:
            await spoken(voice)
    assert failed.value.kind == "unauthorized"
    assert failed.value.__cause__ is None
    assert "sesame" not in str(failed.value)
