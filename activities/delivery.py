"""A reply on its way: sentences to the voice, the voice's audio to the gateway, and the stamps along it."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from temporalio import activity

from activities.feed import now_ms
from activities.packing import Packer
from core.contracts.call import Heard, ReplyTimings, SoFar
from core.key_tones import told, tones
from core.ports.errors import PlaybackLost, VendorError
from core.ports.playback import ReplyPlayback
from core.ports.speech import SpeechChunk, SpeechStream
from core.ports.speech_cache import Recording


class Delivery:
    """Speaks sentences into the caller's ear. ``say`` and ``carry`` run side by side."""

    def __init__(self, voice: SpeechStream, playback: ReplyPlayback, timings: ReplyTimings) -> None:
        self.timings = timings
        self.sentences: list[str] = []
        self.fillers: list[Recording] = []  # said before the first of ``sentences``
        self.asked_voice_ms: float | None = None  # when the voice was given the first of them
        self.pressed = ""  # keys, after the last of ``sentences``
        self.answering = False  # the voice has begun
        self.stand_in = ""  # the voice that had to take over, if one had to
        self._voice = voice
        self._playback = playback
        self._told = 0  # sentences of which the gateway has the text

    def mark_first_token(self) -> None:
        """The model has begun to answer."""
        if self.timings.model_first_token_ms is None:
            self.timings = replace(self.timings, model_first_token_ms=now_ms())

    async def say(self, sentence: str) -> None:
        """Hand a whole sentence to the voice. Raises VendorError."""
        if self.asked_voice_ms is None:
            self.asked_voice_ms = now_ms()
        if self.timings.first_sentence_ms is None:
            self.timings = replace(self.timings, first_sentence_ms=self.asked_voice_ms)
        self.sentences.append(sentence)
        await self._voice.speak(sentence)

    async def finish(self) -> None:
        """No further sentence will come."""
        await self._voice.finish()

    async def carry(self) -> None:
        """Bring all audio to the gateway as it is made. Raises VendorError, PlaybackLost."""
        packer = Packer(self._push)
        try:
            async for chunk in self._voice.chunks():
                self._begin()
                self.answering = True
                self.stand_in = chunk.voice or self.stand_in
                packer.add(chunk)
            packer.flush()
        finally:
            packer.close()

    def _push(self, chunk: SpeechChunk) -> None:
        text = ""
        if chunk.sentence >= self._told:
            text, self._told = self.sentences[chunk.sentence], chunk.sentence + 1
        place = len(self.filler_sentences) + chunk.sentence
        self._playback.push(place, chunk.audio, chunk.words, last=chunk.last, text=text)

    @property
    def filler_sentences(self) -> tuple[str, ...]:
        """What was only to show that we are there."""
        return tuple(sentence for filler in self.fillers for sentence in filler.sentences)

    def fill(self, filler: Recording) -> None:
        """Say a line that is at hand while the first sentence is still being made. Raises PlaybackLost."""
        before = len(self.filler_sentences)
        self.fillers.append(filler)
        self._begin()
        told = 0
        for chunk in filler.chunks:
            text = filler.sentences[chunk.sentence] if chunk.sentence >= told else ""
            told = chunk.sentence + 1
            self._playback.push(before + chunk.sentence, chunk.audio, chunk.words, last=chunk.last, text=text)

    def press(self, keys: str) -> None:
        """Press keys, once all sentences were handed over. Raises PlaybackLost."""
        self._begin()
        self.pressed = told(keys)
        place = len(self.filler_sentences) + len(self.sentences)
        self._playback.push(place, tones(keys), (), last=True, text=self.pressed)

    @property
    def made(self) -> str:
        """All that it consists of."""
        return " ".join(filter(None, [*self.filler_sentences, *self.sentences, self.pressed]))

    def _begin(self) -> None:
        if self.timings.first_pushed_ms is not None:
            return
        at_ms = now_ms()
        spoken_ms = self.timings.first_sentence_ms or at_ms
        self.timings = replace(
            self.timings, first_sentence_ms=spoken_ms, voice_first_byte_ms=at_ms, first_pushed_ms=at_ms
        )
        self._playback.began(self.timings)


async def while_wanted(playback: ReplyPlayback, work: Coroutine[Any, Any, None], within_s: float) -> bool:
    """Do the work until it is done or the gateway wants no more.

    Closing at the gateway stops the work at once; a cancellation by Temporal would come with the next heartbeat only.

    Returns:
        Whether the work was done.

    Raises:
        PlaybackLost: the gateway is gone. VendorError: it takes longer than ``within_s`` seconds. And whatever the
            work raises, the first of its failures.
    """
    working = asyncio.ensure_future(work)
    closing = asyncio.ensure_future(playback.wait_closed())
    both = {working, closing}
    try:
        await asyncio.wait(both, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        done = {task for task in both if task.done()}
        for task in both - done:
            task.cancel()
        await asyncio.wait(both)
    if working in done:
        _first_failure(working)
        return True
    if closing in done:
        closing.result()
        return False
    raise VendorError("reply", "timeout", "it was not made in time", curable=True)


async def heard_of(playback: ReplyPlayback) -> Heard | None:
    """What the caller heard of a finished reply. None if this worker stops first; the gateway then tells it."""
    hearing = asyncio.ensure_future(playback.heard())
    stopping = asyncio.ensure_future(activity.wait_for_worker_shutdown())
    try:
        await asyncio.wait({hearing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return hearing.result() if hearing.done() else None
    finally:
        hearing.cancel()
        stopping.cancel()


@contextmanager
def telling_how_far(playback: ReplyPlayback, made: Callable[[], str]) -> Iterator[None]:
    """Where the gateway dies: tell the workflow what of the reply was ``made`` by then, and what was heard of it."""
    try:
        yield
    except PlaybackLost as lost:
        lost.so_far = SoFar(made(), playback.heard_so_far)
        raise


def _first_failure(task: asyncio.Future[None]) -> None:
    error = task.exception()
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if error is not None:
        raise error
