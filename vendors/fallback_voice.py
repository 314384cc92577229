"""One voice made of several: where one falls silent, the next speaks on from that word. Knows no vendor."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

import structlog

from core.ports.errors import VendorError
from core.ports.speech import SpeechChunk, SpeechStream, SpokenWord, Voice, VoiceSettings
from vendors.hedging import Member, Standby, best_error

log = structlog.get_logger()

_BYTES_PER_MS = 8
_SLACK_MS: Final = 30  # a word that lacks no more was said


class FallbackVoice:
    """Implements core.ports.speech.Voice with several of them, the first preferred.

    No sentence that is out whole is ever repeated. Of one that broke off in its middle the next voice speaks what is
    missing, from the word on that was cut: the gateway has begun to play the rest, and a caller who hears the same
    half sentence twice is worse off than one who hears a change of tone. A voice without word times repeats it all.

    Args:
        hedge_after: seconds from a sentence to its first audio; then the next voice is asked for the same sentence
            beside the one that is late, and the first to speak goes on alone.
        gap: seconds without audio within a sentence; then its voice has broken off.
    """

    def __init__(self, members: Sequence[Member[Voice]], *, hedge_after: float = 0.6, gap: float = 0.8) -> None:
        self._members = members
        self._hedge_after = hedge_after
        self._gap = gap

    @asynccontextmanager
    async def open(self, settings: VoiceSettings) -> AsyncIterator["FallbackSpeech"]:
        """A voice for one reply; leaving the block stops all that speak at once."""
        speech = FallbackSpeech(Standby(self._members), settings, self._hedge_after, self._gap)
        try:
            yield speech
        finally:
            await speech.stop()


@dataclass(slots=True)
class _Progress:
    """How far the sentence that is being spoken has come."""

    number: int = 0
    audio_ms: float = 0.0
    words: tuple[SpokenWord, ...] = ()

    def take(self, chunk: SpeechChunk) -> None:
        if chunk.last:
            self.number, self.audio_ms, self.words = self.number + 1, 0.0, ()
        else:
            self.audio_ms += len(chunk.audio) / _BYTES_PER_MS
            self.words += chunk.words

    @property
    def said(self) -> int:
        """How many words of it are out whole."""
        return sum(word.end_ms <= self.audio_ms + _SLACK_MS for word in self.words)


class FallbackSpeech:
    """Implements core.ports.speech.SpeechStream. ``speak`` never fails: ``chunks`` tells once no voice is left."""

    def __init__(self, standby: Standby[Voice], settings: VoiceSettings, hedge_after: float, gap: float) -> None:
        self._standby = standby
        self._settings = settings
        self._hedge_after = hedge_after
        self._gap = gap
        self._sentences: list[str] = []
        self._finished = False
        self._at = _Progress()
        self._news: asyncio.Queue[_News] = asyncio.Queue()
        self._speaking: list[_Speaking] = []  # more than one: nobody knows yet who speaks first
        self._errors: list[VendorError] = []
        self._waiting_since: float | None = None  # for audio, by the loop's clock
        first = standby.next()
        assert first is not None, "a voice of no voices"
        self._start(first)  # opens its socket beside the model's request

    async def speak(self, sentence: str) -> None:
        """Hand over one whole sentence."""
        self._sentences.append(sentence)
        if self._waiting_since is None:
            self._wait_from_now()
        for speaking in self._speaking:
            speaking.texts.put_nowait(sentence)
        self._news.put_nowait(_News())

    async def finish(self) -> None:
        """No further sentence will come."""
        self._finished = True
        for speaking in self._speaking:
            speaking.texts.put_nowait(None)
        self._news.put_nowait(_News())

    async def chunks(self) -> AsyncIterator[SpeechChunk]:
        """The audio as it is made. Raises VendorError."""
        while not (self._finished and self._at.number >= len(self._sentences)):
            news = await self._next_news()
            if news is None:
                self._relieve()
            elif news.speaking is None or news.speaking not in self._speaking:
                continue
            elif news.error is not None:
                self._fail(news.speaking, news.error)
            elif news.chunk is not None:
                self._let_speak_alone(news.speaking)
                chunk = news.speaking.placed(news.chunk)
                self._at.take(chunk)
                self._waiting_since = None
                if self._at.number < len(self._sentences):
                    self._wait_from_now()
                yield chunk

    async def stop(self) -> None:
        """Stop all voices."""
        for speaking in self._speaking:
            speaking.member.circuit.succeed() if speaking.heard else speaking.member.circuit.leave()
            speaking.task.cancel()
        if self._speaking:
            await asyncio.wait([speaking.task for speaking in self._speaking])

    async def _next_news(self) -> "_News | None":
        """None: audio is overdue."""
        due = None if self._waiting_since is None else self._waiting_since + self._patience
        try:
            async with asyncio.timeout_at(due):
                return await self._news.get()
        except TimeoutError:
            return None

    @property
    def _patience(self) -> float:
        return self._gap if self._at.audio_ms else self._hedge_after

    def _wait_from_now(self) -> None:
        self._waiting_since = asyncio.get_running_loop().time()

    def _relieve(self) -> None:
        """Audio is overdue. Before a sentence's first sound others may speak it too; later its voice is given up."""
        member = self._standby.next()
        if member is None:  # those that were asked have deadlines of their own
            self._waiting_since = None
            return
        if self._at.audio_ms:
            for speaking in list(self._speaking):
                late = VendorError(speaking.member.name, "timeout", "the voice fell silent", curable=True)
                self._give_up(speaking, late)
        self._start(member)

    def _fail(self, speaking: "_Speaking", error: VendorError) -> None:
        """Raises VendorError if no voice is left."""
        self._give_up(speaking, error)
        if self._speaking:
            return
        member = self._standby.next()
        if member is None:
            raise best_error(self._errors)
        self._start(member)

    def _give_up(self, speaking: "_Speaking", error: VendorError) -> None:
        speaking.member.failed(error)
        self._errors.append(error)
        self._drop(speaking)

    def _let_speak_alone(self, speaking: "_Speaking") -> None:
        speaking.heard = True
        if len(self._speaking) == 1:
            return
        for other in [other for other in self._speaking if other is not speaking]:
            if self._speaking.index(other) < self._speaking.index(speaking):
                other.member.was_slow()
            else:
                other.member.circuit.leave()
            self._drop(other)
        log.info("voice_relieved", vendor=speaking.member.name)

    def _drop(self, speaking: "_Speaking") -> None:
        self._speaking.remove(speaking)
        speaking.task.cancel()

    def _start(self, member: Member[Voice]) -> None:
        """Have one more voice speak from where we are."""
        if self._errors or self._speaking:
            log.info("voice_asked_too", vendor=member.name, failed=len(self._errors))
        speaking = _Speaking(member, self._settings, self._news, self._at)
        rest = self._rest()
        for text in rest:
            speaking.texts.put_nowait(text)
        if self._finished:
            speaking.texts.put_nowait(None)
        self._speaking.append(speaking)
        if rest:
            self._wait_from_now()

    def _rest(self) -> list[str]:
        """What is still to be spoken."""
        rest = self._sentences[self._at.number :]
        if rest and self._at.said:
            rest[0] = " ".join(rest[0].split()[self._at.said :])
        return rest


@dataclass(frozen=True, slots=True)
class _News:
    """Something has happened: to a voice that speaks, or (None) to the sentences."""

    speaking: "_Speaking | None" = None
    chunk: SpeechChunk | None = None
    error: VendorError | None = None


class _Speaking:
    """One voice at work, from some sentence on."""

    def __init__(
        self, member: Member[Voice], settings: VoiceSettings, news: asyncio.Queue[_News], at: _Progress
    ) -> None:
        self.member = member
        self.texts: asyncio.Queue[str | None] = asyncio.Queue()
        self.heard = False
        self._first, self._offset_ms = at.number, at.audio_ms
        self._cut = len(at.words) - at.said  # words of it that have begun and are said again
        self._news = news
        self.task = asyncio.ensure_future(self._speak(settings))

    def placed(self, chunk: SpeechChunk) -> SpeechChunk:
        """The chunk as part of the whole reply."""
        words = chunk.words
        if chunk.sentence == 0 and self._offset_ms:
            again, self._cut = min(self._cut, len(words)), max(0, self._cut - len(words))
            shift = round(self._offset_ms)
            words = tuple(SpokenWord(word.text, word.start_ms + shift, word.end_ms + shift) for word in words[again:])
        return replace(chunk, sentence=self._first + chunk.sentence, words=words)

    async def _speak(self, settings: VoiceSettings) -> None:
        try:
            async with self.member.port.open(settings) as stream, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._feed(stream))
                async for chunk in stream.chunks():
                    self._news.put_nowait(_News(self, chunk))
        except* VendorError as group:
            self._news.put_nowait(_News(self, error=_first(group)))
        else:
            ended = VendorError(self.member.name, "broken", "the voice ended too soon", curable=True)
            self._news.put_nowait(_News(self, error=ended))

    async def _feed(self, stream: SpeechStream) -> None:
        while (text := await self.texts.get()) is not None:
            await stream.speak(text)
        await stream.finish()


def _first(group: BaseExceptionGroup[VendorError]) -> VendorError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, VendorError)
    return error
