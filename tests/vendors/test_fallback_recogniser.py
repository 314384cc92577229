"""Somebody listens, in the caller's language, whichever recogniser fails; and kept audio is transcribed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from core.circuit import CircuitState
from core.ports.errors import VendorError
from core.ports.speech import Recogniser, Recognition
from core.turns import EndOfTurn, RecogniserLost, TurnTaking
from sandbox.app import SandboxConfig, create_app
from sandbox.audio_code import SILENCE, speak
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running
from vendors.deepgram_stt import FLUX_LANGUAGES, NOVA_LANGUAGES, DeepgramRecogniser
from vendors.fallback_recogniser import Ear, FallbackRecogniser, WatchedRecognition
from vendors.hedging import Member

FLUX, NOVA = "/v2/listen", "/v1/listen"  # in the address of each
NEVER = 60.0


class Ears:
    """Deepgram's two, each behind the other."""

    def __init__(self, origin: str, key: str, hedge_after: float) -> None:
        self.deepgram = DeepgramRecogniser(key, origin, connect_timeout=10.0)
        self.flux: Member[Recogniser] = Member("flux", self.deepgram)
        self.nova: Member[Recogniser] = Member("nova-3", self.deepgram)
        ears = [Ear("flux", FLUX_LANGUAGES, self.flux), Ear("nova-3", NOVA_LANGUAGES, self.nova)]
        self.recogniser = FallbackRecogniser(ears, [Member("prerecorded", self.deepgram)], hedge_after=hedge_after)

    async def open(self, rules: TurnTaking | None = None, instead_of: Recognition | None = None) -> WatchedRecognition:
        return await self.recogniser.open(rules or TurnTaking(), instead_of)


@asynccontextmanager
async def ears(*faults: Fault, key: str = "right", hedge_after: float = NEVER) -> AsyncIterator[Ears]:
    state = SandboxState(Latency(prerecorded_ms=0))
    state.faults += faults
    async with running(create_app(state, SandboxConfig(api_keys={"deepgram": "right"}))) as origin:
        made = Ears(origin, key, hedge_after)
        yield made
        await made.deepgram.aclose()


async def turn_of(stream: WatchedRecognition, text: str = "Where is my order?") -> object:
    audio = speak(text).audio + SILENCE * 60
    for at in range(0, len(audio), 160):
        stream.hear(audio[at : at + 160])
    async with asyncio.timeout(20):
        async for event in stream.events():
            if isinstance(event, EndOfTurn | RecogniserLost):
                return event
    return None


def text_of(turn: object) -> str:
    assert isinstance(turn, EndOfTurn)
    return turn.text


def test_many_recognisers_are_one() -> None:
    recogniser: Recogniser = FallbackRecogniser([], [])
    assert recogniser


@pytest.mark.parametrize("wanted", ["flux", "nova-3"])
async def test_the_rules_say_who_listens(wanted: str) -> None:
    async with ears() as world:
        stream = await world.open(TurnTaking(recogniser=wanted))
        assert stream.member.name == wanted
        assert text_of(await turn_of(stream)) == "Where is my order?"
        await stream.close()


@pytest.mark.parametrize(
    "fault",
    [Fault("deepgram", "status", status=503, match=FLUX), Fault("deepgram", "status", status=429, match=FLUX)],
    ids=lambda fault: str(fault.status),
)
async def test_where_the_first_does_not_open_the_next_listens(fault: Fault) -> None:
    async with ears(fault) as world:
        stream = await world.open()
        assert stream.member.name == "nova-3"
        assert text_of(await turn_of(stream)) == "Where is my order?"
        await stream.close()


@pytest.mark.parametrize("kind", ["stall", "mute"])
async def test_where_the_first_is_slow_to_open_the_next_is_asked_too(kind: str) -> None:
    async with ears(Fault("deepgram", kind, match=FLUX if kind == "stall" else ""), hedge_after=0.1) as world:
        stream = await world.open()
        assert stream.member.name == "nova-3"
        await stream.close()


async def test_a_wrong_key_is_told() -> None:
    async with ears(key="wrong") as world:
        with pytest.raises(VendorError) as failed:
            await world.open()
        assert (failed.value.kind, failed.value.curable) == ("unauthorized", False)


async def test_a_stream_that_failed_is_followed_by_another_vendors() -> None:
    async with ears() as world:
        first = await world.open()
        second = await world.open(instead_of=first)
        third = await world.open(instead_of=second)
        assert [stream.member.name for stream in (first, second, third)] == ["flux", "nova-3", "flux"]
        for stream in (first, second, third):
            await stream.close()


async def test_the_only_one_for_a_language_is_asked_again() -> None:
    polish = TurnTaking(language="pl")
    async with ears() as world:
        first = await world.open(polish)
        second = await world.open(polish, first)
        assert (first.member.name, second.member.name) == ("nova-3", "nova-3")
        await first.close()
        await second.close()


async def test_a_language_that_nobody_hears_is_refused() -> None:
    async with ears() as world:
        with pytest.raises(VendorError) as failed:
            await world.open(TurnTaking(language="sw"))
    assert (failed.value.kind, failed.value.curable) == ("refused", False)


async def test_streams_that_are_lost_again_and_again_are_a_matter_for_the_breaker() -> None:
    async with ears(Fault("deepgram", "drop", times=3, match="Where")) as world:
        for _ in range(3):
            stream = await world.open()
            assert isinstance(await turn_of(stream), RecogniserLost)
            await stream.close()
        assert world.flux.circuit.state(0) is not CircuitState.CLOSED
        stream = await world.open()
        assert stream.member.name == "nova-3"
        await stream.close()


async def test_a_stream_that_hears_restores_trust() -> None:
    async with ears(Fault("deepgram", "status", times=2, match=FLUX)) as world:
        for _ in range(2):
            await (await world.open()).close()
        stream = await world.open()
        assert text_of(await turn_of(stream)) == "Where is my order?"
        await stream.close()
        world.flux.circuit.fail(0.0)
        assert world.flux.circuit.state(0) is CircuitState.CLOSED


async def test_a_mute_stream_counts_once() -> None:
    async with ears() as world:
        stream = await world.open()
        for _ in range(3):
            stream.blame()
        assert world.flux.circuit.state(0) is CircuitState.CLOSED
        await stream.close()


async def test_kept_audio_is_transcribed() -> None:
    async with ears() as world:
        transcript = await world.recogniser.transcribe(speak("Where is my order?").audio, "en")
    assert transcript.text == "Where is my order?"


async def test_a_transcription_that_fails_says_why() -> None:
    async with ears(Fault("deepgram", "status", status=500)) as world:
        with pytest.raises(VendorError) as failed:
            await world.recogniser.transcribe(SILENCE, "en")
    assert failed.value.kind == "unavailable"
