"""What a recogniser's faults come to at the gateway: each utterance once, whole, over real sockets to the sandbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from core.g711 import SILENT_FRAME
from core.turns import EndOfTurn, Interim, RecogniserEvent, TurnTaking
from media_gateway.kept_audio import KeptAudio
from media_gateway.listening import Listening
from media_gateway.voice_activity import VoiceActivity
from sandbox.app import SandboxConfig, create_app
from sandbox.audio_code import noise, speak
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running
from tests.vendors.deadlines import LONG
from vendors.deepgram_stt import FLUX_LANGUAGES, NOVA_LANGUAGES, DeepgramRecogniser
from vendors.fallback_recogniser import Ear, FallbackRecogniser
from vendors.hedging import Member

ASKED = "Where is my order, the one from Monday?"
PATIENCE_S = 20.0


class Line:
    """A caller's line up to the recogniser. Time is the audio's: it passes as fast as it is fed."""

    def __init__(self, recogniser: FallbackRecogniser, state: SandboxState) -> None:
        self.state = state
        self.turns: list[EndOfTurn] = []
        self.interims: list[str] = []
        self.failed: list[str] = []
        self.listening = Listening(
            recogniser,
            heard=self._heard,
            failed=self.failed.append,
            backlog=lambda: self._kept.under_way(),
            patience=8.0,
        )
        self._kept = KeptAudio()
        self._voice = VoiceActivity()
        self._now_ms = 0.0

    def _heard(self, event: RecogniserEvent) -> None:
        if isinstance(event, EndOfTurn):
            self._kept.end_utterance(words=bool(event.text))
            self.turns.append(event)
        elif isinstance(event, Interim):
            self.interims.append(event.text)

    async def hears(self, audio: bytes) -> None:
        for at in range(0, len(audio), 160):
            frame = audio[at : at + 160]
            self._now_ms += 20
            voiced = self._voice.voiced(frame)
            self._kept.add(frame, voiced)
            self.listening.hear(frame, voiced, self._now_ms)
            await asyncio.sleep(0)

    async def turn(self, number: int = 1) -> str:
        """The text of the nth turn with words, the line being quiet until it is told."""
        async with asyncio.timeout(PATIENCE_S):
            while len(said := [turn.text for turn in self.turns if turn.text]) < number:
                await self.hears(SILENT_FRAME)
        return said[number - 1]

    def streams(self) -> list[str]:
        return [stamp.data["path"] for stamp in self.state.stamps if stamp.what == "stream"]


@asynccontextmanager
async def line(*faults: Fault, **latency: float) -> AsyncIterator[Line]:
    state = SandboxState(Latency(**{"prerecorded_ms": 0.0, **latency}))
    async with running(create_app(state, SandboxConfig())) as origin:
        deepgram = DeepgramRecogniser("key", origin, connect_timeout=LONG, transcribe_timeout=LONG)
        ears = [
            Ear("flux", FLUX_LANGUAGES, Member("flux", deepgram)),
            Ear("nova-3", NOVA_LANGUAGES, Member("nova-3", deepgram)),
        ]
        recogniser = FallbackRecogniser(ears, [Member("prerecorded", deepgram)], hedge_after=LONG, within=LONG)
        made = Line(recogniser, state)
        state.faults += faults
        running_ear = asyncio.create_task(made.listening.run())
        made.listening.listen(TurnTaking())
        async with asyncio.timeout(PATIENCE_S):
            while not made.streams() and not any(fault.times > 50 for fault in faults):  # noqa: ASYNC110 (nobody tells)
                await asyncio.sleep(0)
        try:
            yield made
        finally:
            running_ear.cancel()
            await asyncio.gather(running_ear, return_exceptions=True)
            await deepgram.aclose()


async def expect_both_turns(caller: Line) -> None:
    await caller.hears(speak(ASKED).audio)
    assert await caller.turn() == ASKED
    await caller.hears(speak("Thank you.").audio)
    assert await caller.turn(2) == "Thank you."
    assert caller.failed == []


async def test_without_faults_there_is_one_stream_and_no_second_look() -> None:
    async with line() as caller:
        await expect_both_turns(caller)
        assert caller.streams() == ["/v2/listen"]
        assert not [stamp for stamp in caller.state.stamps if stamp.what == "prerecorded"]


@pytest.mark.parametrize("kind", ["drop", "garbage"])
async def test_a_socket_that_breaks_in_mid_utterance_costs_no_word(kind: str) -> None:
    async with line(Fault("deepgram", kind, match="my")) as caller:
        await expect_both_turns(caller)
        assert len(caller.streams()) == 2


async def test_two_sockets_that_break_one_after_the_other_cost_no_word() -> None:
    async with line(Fault("deepgram", "drop", match="my", times=2)) as caller:
        await expect_both_turns(caller)


async def test_a_socket_that_is_mute_from_the_first_word_is_found_out() -> None:
    async with line(Fault("deepgram", "mute", match="Where")) as caller:
        await expect_both_turns(caller)
        assert caller.streams()[1] == "/v1/listen"


async def test_a_socket_that_falls_mute_in_mid_utterance_is_found_out() -> None:
    async with line(Fault("deepgram", "mute", match="order")) as caller:
        await expect_both_turns(caller)
        assert any(interim.startswith("Where is") for interim in caller.interims)


async def test_a_turn_that_never_ends_is_ended() -> None:
    async with line(Fault("deepgram", "endless", match=ASKED)) as caller:
        await expect_both_turns(caller)


async def test_connections_refused_leave_kept_audio_to_be_transcribed() -> None:
    refused = Fault("deepgram", "status", status=503, times=1_000, match="ws://")
    async with line(refused) as caller:
        await expect_both_turns(caller)
        assert caller.streams() == []


async def test_noise_changes_nothing() -> None:
    async with line() as caller:
        await caller.hears(noise(10.0))
        await expect_both_turns(caller)
        assert caller.streams() == ["/v2/listen"]
