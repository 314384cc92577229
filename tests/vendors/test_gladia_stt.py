import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core.ports.errors import VendorError
from core.ports.speech import Recogniser, Recognition
from core.turns import EndOfTurn, Interim, RecogniserEvent, RecogniserLost, SpeechStarted, TurnTaking
from sandbox.app import SandboxConfig, create_app
from sandbox.audio_code import SILENCE, noise, speak
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running
from vendors.deepgram_stt import FLUX_LANGUAGES, NOVA_LANGUAGES, DeepgramRecogniser
from vendors.fallback_recogniser import Ear, FallbackRecogniser
from vendors.gladia_stt import LANGUAGES, GladiaReader, GladiaRecogniser, Unusable
from vendors.hedging import Member

QUIET = SILENCE * 60
SWAHILI = TurnTaking(language="sw-KE", keyterms=("Kariakoo",))


@asynccontextmanager
async def gladia(*faults: Fault, key: str = "right") -> AsyncIterator[tuple[GladiaRecogniser, SandboxState]]:
    state = SandboxState(Latency())
    state.faults += faults
    async with running(create_app(state, SandboxConfig(api_keys={"gladia": "right"}))) as origin:
        patience = 0.5 if any(fault.kind == "stall" for fault in faults) else 10.0
        recogniser = GladiaRecogniser(key, origin, connect_timeout=patience)
        yield recogniser, state
        await recogniser.aclose()


async def heard(recognition: Recognition, audio: bytes, until: type[RecogniserEvent]) -> list[RecogniserEvent]:
    events: list[RecogniserEvent] = []
    for at in range(0, len(audio), 160):
        recognition.hear(audio[at : at + 160])
    async with asyncio.timeout(20):
        async for event in recognition.events():
            events.append(event)
            if isinstance(event, until):
                return events
    return events


def said(kind: str, **data: Any) -> str:
    return json.dumps({"type": kind, "data": data})


def transcript(text: str, *, final: bool) -> str:
    return said("transcript", is_final=final, utterance={"text": f" {text} ", "confidence": 0.9, "language": "sw"})


def test_the_adapter_is_a_recogniser() -> None:
    recogniser: Recogniser = GladiaRecogniser("key")
    assert recogniser


def test_it_hears_languages_that_deepgram_lacks() -> None:
    assert {"sw", "ar", "he", "ta"} <= LANGUAGES - NOVA_LANGUAGES


async def test_turn_follows_turn() -> None:
    async with gladia() as (recogniser, state):
        recognition = await recogniser.open(SWAHILI)
        first = await heard(recognition, speak("Agizo langu liko wapi?").audio + QUIET, EndOfTurn)
        second = await heard(recognition, speak("Asante.").audio + QUIET, EndOfTurn)
        await recognition.close()
    assert first[0] == second[0] == SpeechStarted()
    assert any(isinstance(event, Interim) for event in first)
    assert [events[-1].text for events in (first, second)] == ["Agizo langu liko wapi?", "Asante."]  # type: ignore[union-attr]
    assert [stamp.data for stamp in state.stamps if stamp.what == "stream"] == [{"language": "sw"}]


async def test_long_speech_in_several_final_pieces_is_one_turn() -> None:
    text = "this is a very long sentence which goes on for quite some time and does not want to come to its end"
    async with gladia() as (recogniser, _):
        recognition = await recogniser.open(SWAHILI)
        events = await heard(recognition, speak(text).audio + QUIET, EndOfTurn)
        await recognition.close()
    assert events[-1].text == text  # type: ignore[union-attr]


async def test_noise_before_words_is_no_turn() -> None:
    async with gladia() as (recogniser, _):
        recognition = await recogniser.open(SWAHILI)
        events = await heard(recognition, noise(0.5) + QUIET + speak("Asante.").audio + QUIET, EndOfTurn)
        await recognition.close()
    assert events[-1].text == "Asante."  # type: ignore[union-attr]


def test_an_end_of_speech_may_come_before_its_words_or_after() -> None:
    for order in ((0, 1), (1, 0)):
        reader = GladiaReader()
        reader.read(said("speech_start", time=1.0, channel=0))
        assert reader.read(transcript("Agizo", final=False)) == [Interim("Agizo")]
        last = [transcript("Agizo langu", final=True), said("speech_end", time=2.0, channel=0)]
        events = [event for place in order for event in reader.read(last[place])]
        assert events[-1] == EndOfTurn("Agizo langu", 0.9)


def test_messages_that_are_new_to_us_say_nothing() -> None:
    assert GladiaReader().read(said("news")) == []


@pytest.mark.parametrize("text", ["[1]", "{", '{"type": "transcript"}', '{"type": "error"}'])
def test_what_nobody_can_use_gives_the_stream_up(text: str) -> None:
    with pytest.raises(Unusable):
        GladiaReader().read(text)


@pytest.mark.parametrize(
    ("fault", "kind", "curable"),
    [
        (Fault("gladia", "status", status=401), "unauthorized", False),
        (Fault("gladia", "status", status=429), "rate_limited", True),
        (Fault("gladia", "status", status=503), "unavailable", True),
        (Fault("gladia", "connect"), "unavailable", True),
        (Fault("gladia", "stall"), "timeout", True),
    ],
    ids=["401", "429", "503", "connect", "stall"],
)
async def test_a_stream_that_does_not_open_says_why(fault: Fault, kind: str, curable: bool) -> None:
    async with gladia(fault) as (recogniser, _):
        with pytest.raises(VendorError) as failed:
            await recogniser.open(SWAHILI)
        assert (failed.value.vendor, failed.value.kind, failed.value.curable) == ("gladia", kind, curable)
        await (await recogniser.open(SWAHILI)).close()


async def test_a_wrong_key_stays_out_of_the_error() -> None:
    async with gladia(key="sesame") as (recogniser, _):
        with pytest.raises(VendorError) as failed:
            await recogniser.open(SWAHILI)
    assert failed.value.kind == "unauthorized"
    assert "sesame" not in str(failed.value)


@pytest.mark.parametrize("kind", ["drop", "garbage"])
async def test_a_broken_stream_is_told_as_lost(kind: str) -> None:
    async with gladia(Fault("gladia", kind, match="langu")) as (recogniser, _):
        recognition = await recogniser.open(SWAHILI)
        events = await heard(recognition, speak("Agizo langu liko wapi?").audio + QUIET, RecogniserLost)
        await recognition.close()
    assert isinstance(events[-1], RecogniserLost)


async def test_a_lost_stream_refuses_audio() -> None:
    async with gladia() as (recogniser, _):
        recognition = await recogniser.open(SWAHILI)
    async with asyncio.timeout(20):
        assert [type(event) async for event in recognition.events()] == [RecogniserLost]
    with pytest.raises(VendorError, match="gone"):
        recognition.hear(SILENCE)
    await recognition.close()


async def test_closing_ends_the_events_without_a_loss() -> None:
    async with gladia() as (recogniser, _):
        recognition = await recogniser.open(SWAHILI)
        listening = asyncio.create_task(anext(recognition.events(), "ended"))
        await asyncio.sleep(0)
        await recognition.close()
        await recognition.close()
        assert await listening == "ended"


async def test_kept_audio_is_for_others() -> None:
    with pytest.raises(VendorError) as failed:
        await GladiaRecogniser("key").transcribe(SILENCE, "sw")
    assert not failed.value.curable


@pytest.mark.parametrize(("language", "vendor"), [("en", "flux"), ("pl", "nova-3"), ("sw", "gladia")])
async def test_the_language_of_a_call_says_who_hears_it(language: str, vendor: str) -> None:
    state = SandboxState()
    async with running(create_app(state, SandboxConfig())) as origin:
        deepgram, gladia = DeepgramRecogniser("key", origin), GladiaRecogniser("key", origin)
        ears = [
            Ear("flux", FLUX_LANGUAGES, Member("flux", deepgram)),
            Ear("nova-3", NOVA_LANGUAGES, Member("nova-3", deepgram)),
            Ear("gladia", LANGUAGES, Member("gladia", gladia)),
        ]
        stream = await FallbackRecogniser(ears, []).open(TurnTaking(language=language))
        assert stream.member.name == vendor
        await stream.close()
        await deepgram.aclose()
        await gladia.aclose()
