import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from deepgram.listen.v2.types.listen_v2turn_info import ListenV2TurnInfo

from core.conversation import Transcribed
from core.ports.errors import VendorError
from core.ports.speech import Recogniser, Recognition
from core.turns import (
    EagerEndOfTurn,
    EndOfTurn,
    Interim,
    RecogniserEvent,
    RecogniserLost,
    SpeechStarted,
    TurnResumed,
    TurnTaking,
)
from sandbox.app import SandboxConfig, create_app
from sandbox.audio_code import SILENCE, noise, speak
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running
from vendors.deepgram_stt import DeepgramRecogniser, FluxReader, NovaReader

QUIET = SILENCE * 60
FLUX, NOVA = TurnTaking(), TurnTaking(recogniser="nova-3")
BOTH = pytest.mark.parametrize("rules", [FLUX, NOVA], ids=["flux", "nova-3"])


@asynccontextmanager
async def deepgram(*faults: Fault, key: str = "right", **latency: float) -> AsyncIterator[DeepgramRecogniser]:
    state = SandboxState(Latency(**{"prerecorded_ms": 0, **latency}))
    state.faults += faults
    async with running(create_app(state, SandboxConfig(api_keys={"deepgram": "right"}))) as origin:
        patience = 0.5 if any(fault.kind in ("stall", "mute") for fault in faults) else 10.0
        recogniser = DeepgramRecogniser(
            key, origin, connect_timeout=patience, transcribe_timeout=patience, keep_alive=0.1
        )
        yield recogniser
        await recogniser.aclose()


async def heard(recognition: Recognition, audio: bytes, until: type[RecogniserEvent]) -> list[RecogniserEvent]:
    """Feed audio frame by frame; what is recognised up to the first event of a kind."""
    events: list[RecogniserEvent] = []
    for at in range(0, len(audio), 160):
        recognition.hear(audio[at : at + 160])
    async with asyncio.timeout(20):
        async for event in recognition.events():
            events.append(event)
            if isinstance(event, until):
                return events
    return events


async def test_flux_is_tuned_in_mid_stream() -> None:
    async with deepgram(unfinished_turn_ms=60_000.0) as recogniser:
        recognition = await recogniser.open(FLUX)
        recognition.retune(replace(FLUX, end_of_turn_timeout_ms=500))
        await heard(recognition, speak("Hello.").audio + QUIET, EndOfTurn)  # the message is on its way meanwhile
        events = await heard(recognition, speak("no full stop").audio + QUIET, EndOfTurn)
        assert isinstance(events[-1], EndOfTurn)
        await recognition.close()


@pytest.mark.parametrize("threshold", [None, 0.5])
async def test_turns_are_told_ahead_of_their_end_only_where_the_rules_say_how_surely(threshold: float | None) -> None:
    async with deepgram(resumed_share=0.0) as recogniser:
        recognition = await recogniser.open(replace(FLUX, eager_end_of_turn_threshold=threshold))
        events = await heard(recognition, speak("Where is my order?").audio + QUIET, EndOfTurn)
        await recognition.close()
    told = [event.text for event in events if isinstance(event, EagerEndOfTurn)]
    assert told == ([] if threshold is None else ["Where is my order?"])


async def test_nova_is_left_as_it_is() -> None:
    async with deepgram() as recogniser:
        recognition = await recogniser.open(NOVA)
        recognition.retune(NOVA)
        assert isinstance((await heard(recognition, speak("hello.").audio + QUIET, EndOfTurn))[-1], EndOfTurn)
        await recognition.close()


def test_the_adapter_is_a_recogniser() -> None:
    recogniser: Recogniser = DeepgramRecogniser("key")
    assert recogniser


@BOTH
async def test_a_turn_is_heard_from_its_first_word_to_its_end(rules: TurnTaking) -> None:
    async with deepgram() as recogniser:
        recognition = await recogniser.open(rules)
        events = await heard(recognition, speak("Where is my order?").audio + QUIET, EndOfTurn)
        await recognition.close()
    assert isinstance(events[0], SpeechStarted)
    interims = [event.text for event in events if isinstance(event, Interim)]
    assert interims
    assert all("Where is my order?".startswith(text) for text in interims)
    assert len(set(interims)) == len(interims) or rules is NOVA
    ended = events[-1]
    assert isinstance(ended, EndOfTurn)
    assert ended.text == "Where is my order?"
    assert 0.93 <= ended.confidence < 1


@BOTH
async def test_turn_follows_turn(rules: TurnTaking) -> None:
    async with deepgram() as recogniser:
        recognition = await recogniser.open(rules)
        await heard(recognition, speak("Yes.").audio + QUIET, EndOfTurn)
        second = await heard(recognition, speak("And no.").audio + QUIET, EndOfTurn)
        await recognition.close()
    assert isinstance(second[0], SpeechStarted)
    assert isinstance(second[-1], EndOfTurn)
    assert second[-1].text == "And no."


async def test_long_speech_in_several_final_pieces_is_one_turn() -> None:
    text = "this is a very long sentence which goes on for quite some time and does not want to come to its end"
    async with deepgram() as recogniser:
        recognition = await recogniser.open(NOVA)
        events = await heard(recognition, speak(text).audio + QUIET, EndOfTurn)
        await recognition.close()
    assert [event for event in events if isinstance(event, EndOfTurn)] == events[-1:]
    assert events[-1].text == text  # type: ignore[union-attr]


async def test_words_in_noise_end_once_and_whole() -> None:
    async with deepgram() as recogniser:
        recognition = await recogniser.open(NOVA)
        audio = speak("where is it").audio + noise(2.0) + QUIET + speak("Hello?").audio + QUIET
        first = await heard(recognition, audio, EndOfTurn)
        then = await heard(recognition, b"\xff", EndOfTurn)
        while not getattr(then[-1], "text", ""):  # the rest of the noise ended without words
            then = await heard(recognition, b"\xff", EndOfTurn)
        await recognition.close()
    assert first[-1].text == "where is it"  # type: ignore[union-attr]
    assert then[-1].text == "Hello?"  # type: ignore[union-attr]


async def test_noise_before_nova_ends_without_words() -> None:
    async with deepgram() as recogniser:
        recognition = await recogniser.open(NOVA)
        events = await heard(recognition, noise(0.5) + QUIET, EndOfTurn)
        await recognition.close()
    assert events == [SpeechStarted(), EndOfTurn("", 0.0)]


async def test_unsure_words_give_an_unsure_turn() -> None:
    async with deepgram(Fault("deepgram", "unsure")) as recogniser:
        recognition = await recogniser.open(FLUX)
        ended = (await heard(recognition, speak("Where is my order?").audio + QUIET, EndOfTurn))[-1]
        await recognition.close()
    assert isinstance(ended, EndOfTurn)
    assert ended.confidence < 0.5


@pytest.mark.parametrize(
    ("event", "expected"),
    [("EagerEndOfTurn", EagerEndOfTurn("Yes.", 0.75)), ("TurnResumed", TurnResumed())],
)
def test_flux_may_announce_a_turns_end_and_take_it_back(event: str, expected: RecogniserEvent) -> None:
    words = [{"word": "Yes.", "confidence": 0.75}]
    message = ListenV2TurnInfo(
        request_id="r",
        sequence_id=1,
        event=event,
        turn_index=0,
        audio_window_start=0,
        audio_window_end=1,
        transcript="Yes.",
        words=words,
        end_of_turn_confidence=0.6,
    )
    assert FluxReader().read(message) == [expected]


def test_messages_that_are_new_to_us_say_nothing() -> None:
    for reader in (FluxReader(), NovaReader()):
        assert reader.read({"type": "News"}) == []
        assert reader.read(None) == []


@BOTH
@pytest.mark.parametrize(
    ("fault", "kind", "curable"),
    [
        (Fault("deepgram", "status", status=429), "rate_limited", True),
        (Fault("deepgram", "status", status=503), "unavailable", True),
        (Fault("deepgram", "status", status=400), "refused", False),
        (Fault("deepgram", "stall"), "timeout", True),
    ],
    ids=["429", "503", "400", "stall"],
)
async def test_a_stream_that_does_not_open_says_why(rules: TurnTaking, fault: Fault, kind: str, curable: bool) -> None:
    async with deepgram(fault) as recogniser:
        with pytest.raises(VendorError) as failed:
            await recogniser.open(rules)
        assert (failed.value.kind, failed.value.curable) == (kind, curable)
        if fault.kind == "status":
            await (await recogniser.open(rules)).close()


@BOTH
async def test_a_wrong_key_is_no_matter_of_trying_again_and_stays_out_of_the_error(rules: TurnTaking) -> None:
    async with deepgram(key="sesame") as recogniser:
        with pytest.raises(VendorError) as failed:
            await recogniser.open(rules)
    assert (failed.value.kind, failed.value.curable) == ("unauthorized", False)
    assert failed.value.__cause__ is None  # the SDK's error shows the key
    assert "sesame" not in str(failed.value)


async def test_a_flux_stream_that_never_greets_is_not_open() -> None:
    async with deepgram(Fault("deepgram", "mute")) as recogniser:
        with pytest.raises(VendorError, match="in time"):
            await recogniser.open(FLUX)


async def test_nobody_at_the_address_is_told_at_once() -> None:
    with pytest.raises(VendorError) as failed:
        await DeepgramRecogniser("key", "http://127.0.0.1:9").open(FLUX)
    assert failed.value.kind == "unavailable"


@BOTH
async def test_a_lost_stream_ends_its_events_and_refuses_audio(rules: TurnTaking) -> None:
    async with deepgram() as recogniser:
        recognition = await recogniser.open(rules)
    # the sandbox is gone
    async with asyncio.timeout(20):
        assert [type(event) async for event in recognition.events()] == [RecogniserLost]
    with pytest.raises(VendorError, match="gone"):
        recognition.hear(SILENCE)
    await recognition.close()


@BOTH
@pytest.mark.parametrize("kind", ["drop", "garbage"])
async def test_a_broken_stream_is_told_as_lost(rules: TurnTaking, kind: str) -> None:
    async with deepgram(Fault("deepgram", kind, match="order" if rules is NOVA else "Where")) as recogniser:
        recognition = await recogniser.open(rules)
        events = await heard(recognition, speak("Where is my order?").audio + QUIET, RecogniserLost)
        await recognition.close()
    assert isinstance(events[-1], RecogniserLost)


@BOTH
async def test_closing_ends_the_events_without_a_loss(rules: TurnTaking, caplog: pytest.LogCaptureFixture) -> None:
    async with deepgram() as recogniser:
        recognition = await recogniser.open(rules)
        listening = asyncio.create_task(anext(recognition.events(), "ended"))
        await asyncio.sleep(0)
        await recognition.close()
        await recognition.close()
        assert await listening == "ended"
    assert not [record for record in caplog.records if record.exc_info]  # nor one at the sandbox


@BOTH
async def test_a_stream_outlives_a_pause_of_the_carrier(rules: TurnTaking) -> None:
    async with deepgram(recogniser_idle_ms=1_000) as recogniser:
        recognition = await recogniser.open(rules)
        with suppress(TimeoutError):
            async with asyncio.timeout(1.5):
                assert [event async for event in recognition.events()] == []
        recognition.hear(SILENCE)
        await recognition.close()


async def test_kept_audio_is_transcribed() -> None:
    async with deepgram() as recogniser:
        transcript = await recogniser.transcribe(speak("Where is my order?").audio, "en")
    assert transcript.text == "Where is my order?"
    assert transcript.confidence > 0.9
    assert transcript.took == Transcribed("deepgram nova-3", len(speak("Where is my order?").audio) / 8_000)


@pytest.mark.parametrize(
    ("fault", "kind", "curable"),
    [
        (Fault("deepgram", "status", status=401), "unauthorized", False),
        (Fault("deepgram", "status", status=429, retry_after=3), "rate_limited", True),
        (Fault("deepgram", "status", status=500), "unavailable", True),
        (Fault("deepgram", "stall"), "timeout", True),
        (Fault("deepgram", "drop"), "unavailable", True),
        (Fault("deepgram", "garbage"), "broken", True),
    ],
    ids=["401", "429", "500", "stall", "drop", "garbage"],
)
async def test_a_transcription_that_fails_says_why(fault: Fault, kind: str, curable: bool) -> None:
    async with deepgram(fault) as recogniser:
        with pytest.raises(VendorError) as failed:
            await recogniser.transcribe(speak("Hello.").audio, "en")
    assert (failed.value.kind, failed.value.curable) == (kind, curable)
    assert failed.value.retry_after == (timedelta(seconds=3) if kind == "rate_limited" else None)


SEVERAL = TurnTaking(languages=("en", "es"))


async def test_flux_tells_which_of_the_languages_a_turn_was_in() -> None:
    async with deepgram() as recogniser:
        recognition = await recogniser.open(SEVERAL)
        for text, languages in (("¿Dónde está mi pedido?", ("es",)), ("Where is mi pedido?", ("en", "es"))):
            events = await heard(recognition, speak(text).audio + QUIET, EndOfTurn)
            ended = events[-1]
            assert isinstance(ended, EndOfTurn)
            assert (ended.text, ended.languages) == (text, languages)
        await recognition.close()


async def test_flux_in_english_alone_tells_no_language() -> None:
    async with deepgram() as recogniser:
        recognition = await recogniser.open(FLUX)
        ended = (await heard(recognition, speak("Where is my order?").audio + QUIET, EndOfTurn))[-1]
        assert isinstance(ended, EndOfTurn)
        assert ended.languages == ()
        await recognition.close()
