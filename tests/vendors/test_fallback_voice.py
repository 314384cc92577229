"""Whatever one voice does, every sentence is heard, once, and in time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from core.circuit import CircuitState
from core.ports.errors import VendorError
from core.ports.speech import SpeechChunk, SpeechStream, SpokenWord, Voice, VoiceSettings
from sandbox.app import SandboxConfig, create_app
from sandbox.audio_code import Reader
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running
from vendors.deepgram_tts import DeepgramVoice
from vendors.elevenlabs_tts import ElevenLabsHttpVoice, ElevenLabsVoice
from vendors.fallback_voice import FallbackVoice
from vendors.hedging import Member

SENTENCES = [
    "Your order is on its way.",
    "It arrives tomorrow, between nine and ten in the morning!",
    "Is there anything else?",
]
NEVER = 60.0
SETTINGS = VoiceSettings("anna")


class Voices:
    """ElevenLabs' socket, and its HTTP stream behind it."""

    def __init__(self, state: SandboxState, origin: str, key: str, hedge_after: float, gap: float) -> None:
        self.state = state
        self.origin = origin
        patience = {"connect_timeout": NEVER, "first_byte_timeout": NEVER, "gap_timeout": NEVER}
        self.socket = ElevenLabsVoice(key, origin, **patience)
        self.http = ElevenLabsHttpVoice("right", origin, **patience)
        self.members: list[Member[Voice]] = [Member("socket", self.socket), Member("http", self.http)]
        self.voice = FallbackVoice(self.members, hedge_after=hedge_after, gap=gap)

    async def speak(self, sentences: Sequence[str] = SENTENCES) -> list[SpeechChunk]:
        return await spoken(self.voice, sentences)


@asynccontextmanager
async def voices(
    *faults: Fault, key: str = "right", hedge_after: float = NEVER, gap: float = NEVER
) -> AsyncIterator[Voices]:
    state = SandboxState(Latency(voice_first_byte_ms=0, voice_speed=1_000))
    state.faults += faults
    async with running(create_app(state, SandboxConfig(api_keys={"elevenlabs": "right"}))) as origin:
        made = Voices(state, origin, key, hedge_after, gap)
        yield made
        await made.socket.aclose()
        await made.http.aclose()


async def spoken(voice: Voice, sentences: Sequence[str]) -> list[SpeechChunk]:
    async with voice.open(SETTINGS) as speech:
        for sentence in sentences:
            await speech.speak(sentence)
        await speech.finish()
        async with asyncio.timeout(20):
            return [chunk async for chunk in speech.chunks()]


def words_in(chunks: Sequence[SpeechChunk]) -> str:
    """What the caller hears, by the audio alone."""
    return " ".join(word.text for word in Reader().feed(b"".join(chunk.audio for chunk in chunks)))


def expect_all_sentences(chunks: Sequence[SpeechChunk]) -> None:
    """Every sentence once, in order, ended once, its words where the audio has them."""
    assert [chunk.sentence for chunk in chunks if chunk.last] == [0, 1, 2]
    assert [chunk.sentence for chunk in chunks] == sorted(chunk.sentence for chunk in chunks)
    for number, sentence in enumerate(SENTENCES):
        mine = [chunk for chunk in chunks if chunk.sentence == number]
        words = [word for chunk in mine for word in chunk.words]
        assert [word.text for word in words] == sentence.split()
        assert [word.start_ms for word in words] == sorted(word.start_ms for word in words)
        assert words[-1].end_ms <= sum(len(chunk.audio) for chunk in mine) / 8 + 60


def test_many_voices_are_one() -> None:
    voice: Voice = FallbackVoice([])
    assert voice


async def test_the_first_voice_speaks_alone() -> None:
    async with voices() as world:
        chunks = await world.speak()
        expect_all_sentences(chunks)
        assert words_in(chunks) == " ".join(SENTENCES)
        assert [stamp.what for stamp in world.state.stamps].count("text") == len(SENTENCES)


@pytest.mark.parametrize("status", [401, 429, 503])
async def test_a_voice_that_does_not_open_is_relieved_at_once(status: int) -> None:
    async with voices(Fault("elevenlabs", "status", status=status, match="stream-input")) as world:
        chunks = await world.speak()
        expect_all_sentences(chunks)
        assert words_in(chunks) == " ".join(SENTENCES)


async def test_a_wrong_key_is_not_tried_again() -> None:
    async with voices(key="wrong") as world:
        expect_all_sentences(await world.speak())
        assert not world.members[0].circuit.enter(0.0)


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_a_voice_that_is_mute_for_one_text_is_relieved_for_it_and_all_after_it(number: int) -> None:
    # Long enough that no other sentence is ever asked of the second voice, which has the same fault to come.
    async with voices(Fault("elevenlabs", "mute", match=SENTENCES[number]), hedge_after=1.5) as world:
        chunks = await world.speak()
        expect_all_sentences(chunks)
        assert words_in(chunks) == " ".join(SENTENCES)


@pytest.mark.parametrize("kind", ["stall", "mute"])
async def test_a_socket_that_is_mute_from_the_start_costs_no_more_than_the_delay(kind: str) -> None:
    async with voices(Fault("elevenlabs", kind), hedge_after=0.1) as world:
        expect_all_sentences(await world.speak())


@pytest.mark.parametrize("kind", ["drop", "garbage"])
async def test_a_socket_that_breaks_at_a_text_is_relieved_at_once(kind: str) -> None:
    async with voices(Fault("elevenlabs", kind, match=SENTENCES[1])) as world:
        chunks = await world.speak()
        expect_all_sentences(chunks)


@pytest.mark.parametrize("kind", ["drop", "stall_after"])
async def test_a_sentence_that_broke_off_goes_on_from_the_word_that_was_cut(kind: str) -> None:
    async with voices(Fault("elevenlabs", kind, after=10, match=SENTENCES[1]), gap=0.2) as world:
        chunks = await world.speak()
        expect_all_sentences(chunks)
        asked = [stamp.data["text"] for stamp in world.state.stamps if stamp.what == "text"]
    (rest,) = [text for text in asked if SENTENCES[1].endswith(text) and text != SENTENCES[1]]
    whole = words_in(chunks).split()
    assert whole[-len(rest.split()) - 4 : -4] == rest.split()  # from its first word on; the last sentence has four
    said = len(SENTENCES[1].split()) - len(rest.split())
    assert 0 < said < len(SENTENCES[1].split())
    assert whole[6 : 6 + said] == SENTENCES[1].split()[:said]


@pytest.mark.parametrize("kind", ["drop", "stall_after"])
async def test_a_sentence_that_broke_off_at_its_first_sound_is_heard_again_from_there(kind: str) -> None:
    async with voices(Fault("elevenlabs", kind, after=1, match=SENTENCES[1]), gap=0.2) as world:
        expect_all_sentences(await world.speak())


class Scripted(Voice):
    """A voice without word times that says what it was told to, then breaks."""

    def __init__(self, audio: bytes) -> None:
        self.audio = audio
        self.asked: list[str] = []

    @asynccontextmanager
    async def open(self, settings: VoiceSettings) -> AsyncIterator[SpeechStream]:
        yield self

    async def speak(self, sentence: str) -> None:
        self.asked.append(sentence)

    async def finish(self) -> None:
        pass

    async def chunks(self) -> AsyncIterator[SpeechChunk]:
        yield SpeechChunk(0, self.audio)
        raise VendorError("scripted", "unavailable", "broke", curable=True)


async def test_without_word_times_the_broken_sentence_is_said_again_whole() -> None:
    async with voices() as world:
        voice = FallbackVoice([Member("scripted", Scripted(b"\x7e" * 1_600)), world.members[1]])
        chunks = await spoken(voice, SENTENCES)
        expect_all_sentences(chunks)
        assert words_in(chunks) == " ".join(SENTENCES)
        assert chunks[1].words[0].start_ms >= 200


async def test_the_word_that_was_cut_is_told_once() -> None:
    class Cut(Scripted):
        async def chunks(self) -> AsyncIterator[SpeechChunk]:
            words = (SpokenWord("Your", 0, 100), SpokenWord("order", 110, 300))
            yield SpeechChunk(0, b"\x7e" * 1_600, words)
            raise VendorError("scripted", "unavailable", "broke", curable=True)

    async with voices() as world:
        voice = FallbackVoice([Member("cut", Cut(b"")), world.members[1]])
        chunks = await spoken(voice, SENTENCES)
        expect_all_sentences(chunks)
        assert words_in(chunks).startswith("order is on its way. It arrives")


async def test_a_late_voice_that_still_comes_first_speaks_on_and_the_other_is_dropped() -> None:
    async with voices(Fault("elevenlabs", "drip", delay_ms=300), hedge_after=0.1) as world:
        world.state.faults.append(Fault("elevenlabs", "mute"))  # for the one that is asked too
        chunks = await world.speak(SENTENCES[:1])
        assert words_in(chunks) == SENTENCES[0]
        assert world.members[0].circuit.state(0) is CircuitState.CLOSED


async def test_a_voice_may_wait_for_its_first_sentence() -> None:
    async with voices(hedge_after=0.1) as world, world.voice.open(SETTINGS) as speech:
        chunks = speech.chunks()
        first = asyncio.ensure_future(anext(chunks))
        done, _ = await asyncio.wait({first}, timeout=0.4)
        assert not done
        await speech.speak(SENTENCES[0])
        assert (await first).audio
        assert [stamp.what for stamp in world.state.stamps].count("text") == 1


async def test_another_vendors_voice_takes_over_where_the_first_vendor_is_gone_and_says_so() -> None:
    faults = (Fault("elevenlabs", "drop", match=SENTENCES[1]), Fault("elevenlabs", "status", status=503))
    async with voices(*faults) as world:
        aura = DeepgramVoice("any", ["aura-2-thalia-en"], world.origin)
        voice = FallbackVoice([*world.members, Member("deepgram", aura)])
        chunks = await spoken(voice, SENTENCES)
        await aura.aclose()
    assert [chunk.sentence for chunk in chunks if chunk.last] == [0, 1, 2]
    assert words_in([chunk for chunk in chunks if chunk.sentence == 2]) == SENTENCES[2]
    assert {chunk.voice for chunk in chunks if chunk.sentence == 0} == {""}
    assert {chunk.voice for chunk in chunks if chunk.sentence == 2} == {"deepgram aura-2-thalia-en"}


async def test_when_no_voice_is_left_the_failure_is_told() -> None:
    async with voices(Fault("elevenlabs", "status", status=503, times=2)) as world:
        with pytest.raises(VendorError) as failed:
            await world.speak()
        assert (failed.value.kind, failed.value.curable) == ("unavailable", True)


async def test_a_voice_that_goes_on_failing_is_skipped() -> None:
    async with voices(Fault("elevenlabs", "status", status=503, times=3, match="stream-input")) as world:
        for _ in range(3):
            await world.speak(SENTENCES[:1])
        sockets = [stamp.what for stamp in world.state.stamps].count("socket")
        expect_all_sentences(await world.speak())
        assert [stamp.what for stamp in world.state.stamps].count("socket") == sockets


async def test_leaving_stops_all_that_speak() -> None:
    async with voices(Fault("elevenlabs", "mute", times=2), hedge_after=0.05) as world:
        async with world.voice.open(SETTINGS) as speech:
            await speech.speak(SENTENCES[0])
            waiting = asyncio.ensure_future(anext(speech.chunks()))
            while [stamp.what for stamp in world.state.stamps].count("text") < 2:  # noqa: ASYNC110 (nobody tells)
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait({waiting})
        assert all(member.circuit.state(0) is CircuitState.CLOSED for member in world.members)
        expect_all_sentences(await world.speak())
