"""The ear of a stream: nothing that was said is lost or told twice, whatever becomes of the recogniser."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from core.contracts.call import Transcript
from core.g711 import SILENT_FRAME
from core.ports.errors import VendorError
from core.turns import EndOfTurn, Interim, RecogniserEvent, SpeechStarted, TurnTaking
from media_gateway.kept_audio import KeptAudio
from media_gateway.listening import Listening
from sandbox.audio_code import speak
from tests.media_gateway.fakes import FakeRecogniser, FakeRecognition

SPOKEN = speak("Where is my order?").audio
LOUD = SPOKEN[:160]
PATIENCE_S = 15.0


class Ear:
    """A listening and all around it; the stream's clock is what the test says."""

    def __init__(self, patience: float) -> None:
        self.recogniser = FakeRecogniser()
        self.events: asyncio.Queue[RecogniserEvent] = asyncio.Queue()
        self.failed: asyncio.Queue[str] = asyncio.Queue()
        self.kept = KeptAudio()
        self.now_ms = 0.0
        self.listening = Listening(
            self.recogniser,
            heard=self._heard,
            failed=self.failed.put_nowait,
            backlog=self.kept.under_way,
            patience=patience,
        )

    def _heard(self, event: RecogniserEvent) -> None:
        if isinstance(event, EndOfTurn):
            self.kept.end_utterance(words=bool(event.text))
        self.events.put_nowait(event)

    def hear(self, audio: bytes, *, voiced: bool) -> None:
        """As a carrier would bring it."""
        for at in range(0, len(audio), 160):
            self.now_ms += 20
            self.kept.add(audio[at : at + 160], voiced)
            self.listening.hear(audio[at : at + 160], voiced, self.now_ms)

    def quiet(self, ms: int) -> None:
        self.hear(SILENT_FRAME * (ms // 20), voiced=False)

    def says(self, ms: int) -> None:
        self.hear(LOUD * (ms // 20), voiced=True)

    async def told(self, kind: type[RecogniserEvent]) -> RecogniserEvent:
        """The next event of a kind."""
        async with asyncio.timeout(PATIENCE_S):
            while not isinstance(event := await self.events.get(), kind):
                pass
        return event

    async def stream(self, number: int = 1) -> FakeRecognition:
        async with asyncio.timeout(PATIENCE_S):
            return await self.recogniser.stream(number)

    def nothing_more(self) -> None:
        """No turn was told that the test has not seen."""
        while not self.events.empty():
            assert not isinstance(self.events.get_nowait(), EndOfTurn)


@asynccontextmanager
async def listening(patience: float = 60.0, *, lost: bool = False) -> AsyncIterator[Ear]:
    """``lost``: no stream is to be had."""
    ear = Ear(patience)
    ear.recogniser.errors += [down()] * 100 * lost
    running = asyncio.create_task(ear.listening.run())
    ear.listening.listen(TurnTaking())
    yield ear
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def down(kind: str = "unavailable", *, curable: bool = True) -> VendorError:
    return VendorError("recogniser", kind, "is down", curable=curable)


async def test_a_socket_dropped_in_mid_utterance_is_opened_again_at_once_and_hears_all_of_it() -> None:
    async with listening() as ear:
        first = await ear.stream()
        ear.hear(SPOKEN[:8_000], voiced=True)
        first.say(SpeechStarted(), Interim("Where is"))
        await ear.told(Interim)
        first.break_down()
        ear.hear(SPOKEN[8_000:], voiced=True)
        second = await ear.stream(2)
        assert await second.has_heard(len(SPOKEN)) == SPOKEN
        second.say(EndOfTurn("Where is my order?", 0.9))
        assert await ear.told(EndOfTurn) == EndOfTurn("Where is my order?", 0.9)
        ear.nothing_more()


async def test_a_stream_that_did_not_last_is_replaced_by_another_vendors() -> None:
    async with listening() as ear:
        first = await ear.stream()
        first.break_down()
        await ear.stream(2)
        assert ear.recogniser.relieved == [None, first]


async def test_a_mute_stream_is_found_out_by_a_second_look_and_the_turn_is_told() -> None:
    async with listening() as ear:
        first = await ear.stream()
        ear.recogniser.transcripts.append(Transcript("Where is my order?", 0.95))
        ear.hear(SPOKEN, voiced=True)
        ear.quiet(1_000)
        assert await ear.told(EndOfTurn) == EndOfTurn("Where is my order?", 0.95)
        assert ear.recogniser.asked[0].startswith(SPOKEN)
        second = await ear.stream(2)
        assert ear.recogniser.relieved == [None, first]
        assert first.closed
        ear.hear(LOUD, voiced=True)
        assert await second.has_heard(160) == LOUD  # nothing of what was told already
        ear.nothing_more()


async def test_a_caller_who_still_speaks_to_a_mute_stream_is_heard_by_the_next() -> None:
    async with listening() as ear:
        await ear.stream()
        ear.recogniser.transcripts.append(Transcript("Where is", 0.95))
        ear.says(1_400)
        second = await ear.stream(2)
        assert await second.has_heard(70 * 160) == LOUD * 70
        ear.nothing_more()


async def test_words_that_a_stream_left_out_are_told() -> None:
    async with listening() as ear:
        first = await ear.stream()
        first.say(SpeechStarted(), Interim("Where"))
        await ear.told(Interim)
        ear.recogniser.transcripts.append(Transcript("Where is my order?", 0.9))
        ear.hear(SPOKEN, voiced=True)
        ear.quiet(1_400)
        assert await ear.told(EndOfTurn) == EndOfTurn("Where is my order?", 0.9)
        await ear.stream(2)
        ear.nothing_more()


async def test_a_turn_that_never_ends_is_ended() -> None:
    async with listening() as ear:
        first = await ear.stream()
        ear.says(400)
        first.say(SpeechStarted(), Interim("Where is my order?"))
        await ear.told(Interim)
        ear.recogniser.transcripts.append(Transcript("Where is my order?", 0.9))
        ear.quiet(2_200)
        ended = await ear.told(EndOfTurn)
        assert isinstance(ended, EndOfTurn)
        assert ended.text == "Where is my order?"
        first.say(EndOfTurn("Where is my order?", 0.9))  # too late
        await ear.stream(2)
        ear.nothing_more()


async def test_a_pause_within_a_sentence_is_left_to_the_recogniser() -> None:
    async with listening() as ear:
        first = await ear.stream()
        ear.says(400)
        first.say(SpeechStarted(), Interim("My number is"))
        await ear.told(Interim)
        ear.recogniser.transcripts.append(Transcript("My number is", 0.9))
        ear.quiet(3_000)
        first.say(Interim("My number is 4"), EndOfTurn("My number is 4 5.", 0.9))
        assert await ear.told(EndOfTurn) == EndOfTurn("My number is 4 5.", 0.9)
        assert not first.closed


async def test_noise_costs_a_second_look_but_not_the_stream() -> None:
    async with listening() as ear:
        first = await ear.stream()
        ear.recogniser.transcripts += [Transcript("", 0.0)] * 9
        for _ in range(60):
            ear.says(1_000)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert 4 <= len(ear.recogniser.asked) <= 6
        assert all(len(audio) <= 30_000 * 8 for audio in ear.recogniser.asked)
        assert not first.closed
        first.say(EndOfTurn("Hello.", 0.9))
        assert await ear.told(EndOfTurn) == EndOfTurn("Hello.", 0.9)


async def test_a_second_look_that_fails_has_the_stream_replaced() -> None:
    async with listening() as ear:
        first = await ear.stream()
        ear.says(1_400)
        second = await ear.stream(2)
        assert await second.has_heard(70 * 160)
        assert first.closed


async def test_without_any_stream_silence_ends_a_turn_and_kept_audio_tells_it() -> None:
    async with listening(lost=True) as ear:
        ear.recogniser.transcripts += [Transcript("Where is my order?", 0.9)]
        ear.hear(SPOKEN, voiced=True)
        ear.quiet(1_000)
        assert await ear.told(EndOfTurn) == EndOfTurn("Where is my order?", 0.9)
        ear.recogniser.transcripts += [Transcript("", 0.0)]
        ear.says(300)  # a noise
        ear.quiet(1_000)
        assert await ear.told(EndOfTurn) == EndOfTurn("", 0.0)
        ear.nothing_more()


async def test_a_caller_who_can_be_transcribed_is_not_given_up() -> None:
    async with listening(patience=0.0, lost=True) as ear:
        ear.recogniser.transcripts += [Transcript("", 0.0)] * 2
        async with asyncio.timeout(PATIENCE_S):
            assert await ear.failed.get() == "unavailable"
        assert len(ear.recogniser.asked) == 3


async def test_a_caller_who_cannot_be_understood_at_all_is_told() -> None:
    async with listening(patience=0.0, lost=True) as ear, asyncio.timeout(PATIENCE_S):
        assert await ear.failed.get() == "unavailable"


@pytest.mark.parametrize("kind", ["unauthorized", "refused"])
async def test_nobody_tries_again_what_is_hopeless(kind: str) -> None:
    ear = Ear(60.0)
    ear.recogniser.errors.append(down(kind, curable=False))
    ear.listening.listen(TurnTaking())
    async with asyncio.timeout(PATIENCE_S):
        await ear.listening.run()
    assert ear.failed.get_nowait() == kind


async def test_other_rules_open_another_stream_without_blame() -> None:
    async with listening() as ear:
        first = await ear.stream()
        ear.listening.listen(TurnTaking(language="de"))
        second = await ear.stream(2)
        assert (first.closed, second.rules.language) == (True, "de")
        assert ear.recogniser.relieved == [None, None]
