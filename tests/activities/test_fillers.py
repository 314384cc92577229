"""Fillers while nothing else is heard, and none after that."""

import asyncio

from activities.delivery import Delivery
from activities.fillers import VOICE_GRACE_MS, fillers_when_late
from core.contracts.call import ReplyKey, ReplyTimings
from core.ports.speech import SpeechChunk
from core.ports.speech_cache import Recording
from tests.world.fakes import FakePlayback, FakePlaybackLine, FakeSpeech, Faults

LET_ME_SEE = Recording(("Let me see.",), (SpeechChunk(0, b"\xff" * 80, last=True),))
ONE_MOMENT = Recording(
    ("One moment.", "I look."),
    (SpeechChunk(0, b"\xff" * 80, last=True), SpeechChunk(1, b"\xff" * 80, last=True)),
)


class Line:
    """A reply that is being made."""

    def __init__(self) -> None:
        self.line = FakePlaybackLine()
        self.playback = FakePlayback(self.line, "C1", ReplyKey(1, 1, 0, 1))
        self.pushed: asyncio.Queue[list[str]] = asyncio.Queue()
        self.line.listeners["C1"] = lambda _, playback: self.pushed.put_nowait(list(playback.sentences))
        self.delivery = Delivery(FakeSpeech(Faults()), self.playback, ReplyTimings(0.0))


async def test_long_silence_has_several_fillers_and_the_answer_follows_them() -> None:
    reply = Line()
    carrying = asyncio.create_task(reply.delivery.carry())
    with fillers_when_late(reply.delivery, [LET_ME_SEE, ONE_MOMENT], 1.0, again_after_ms=1.0):
        for _ in range(3):
            heard = await reply.pushed.get()
        assert heard == ["Let me see.", "One moment.", "I look."]
        await reply.delivery.say("It left on Monday.")
        await reply.delivery.finish()
        await carrying
    assert reply.playback.sentences[3:] == ["It left on Monday."]
    assert reply.playback.numbers == [0, 1, 2, 3]
    assert reply.delivery.sentences == ["It left on Monday."]


async def test_sentence_that_the_voice_has_just_been_given_is_waited_for() -> None:
    reply = Line()
    with fillers_when_late(reply.delivery, [LET_ME_SEE], 1.0):
        await reply.delivery.say("It left on Monday.")
        asked_ms = reply.delivery.asked_voice_ms
        await reply.pushed.get()
    pushed_ms = reply.delivery.timings.first_pushed_ms
    assert asked_ms is not None
    assert pushed_ms is not None
    assert pushed_ms - asked_ms >= VOICE_GRACE_MS - 5
