"""Fixed lines: the greeting, prompts, apologies, what an operator has the assistant say."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog
from structlog.contextvars import bound_contextvars
from temporalio import activity

from activities.delivery import Delivery, heartbeats, while_wanted
from activities.feed import call_started, now_ms, phase
from activities.playbook_shelf import PlaybookShelf, ReadyPlaybook
from activities.retries import vendor_failures
from core.contracts import names
from core.contracts.call import Phase, Reply, ReplyTimings, SpeakLine
from core.conversation import Usage
from core.ports.call_log import CallFeed
from core.ports.errors import VendorError
from core.ports.playback import PlaybackLine, ReplyPlayback
from core.ports.speech import SpeechChunk, SpeechStream, Voice, VoiceSettings
from core.sentences import SentenceCutter

log = structlog.get_logger()

CACHED_LINES = 256
HOLDING_LINES_S = 8.0


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A playbook's line as audio, sentence by sentence."""

    sentences: tuple[str, ...]
    chunks: tuple[SpeechChunk, ...]

    @property
    def audio(self) -> bytes:
        return b"".join(chunk.audio for chunk in self.chunks)


class SpeechActivities:
    """Speaks lines. Those of the playbook are synthesised once a worker and then come from memory.

    So a worker that has once prepared a call of a playbook can apologise with the voice vendor down.
    """

    def __init__(self, voice: Voice, playback: PlaybackLine, shelf: PlaybookShelf, feed: CallFeed) -> None:
        self._voice = voice
        self._playback = playback
        self._shelf = shelf
        self._feed = feed
        self._spoken: OrderedDict[tuple[VoiceSettings, str], _Spoken] = OrderedDict()

    @activity.defn(name=names.SPEAK_LINE)
    async def speak_line(self, request: SpeakLine) -> Reply:
        """Speak one line; with ``prepare``, then give the gateway the holding lines and keep the apology ready."""
        if request.key.attempt == 1:
            self._announce(request)
        timings = ReplyTimings(started_ms=now_ms())
        with bound_contextvars(call_id=request.call_id, turn=request.key.turn), vendor_failures(), heartbeats():
            ready = await self._shelf.get(request.playbook)
            listen = ready.listen_in(request.manner)
            async with self._playback.open(request.call_id, request.gateway, request.key, listen) as playback:
                kept = await playback.kept() if request.key.attempt > 1 else ()
                line = _Line(_sentences(request.line)[len(kept) :], timings)
                voice = ready.voice_in(request.manner)
                whole = await while_wanted(playback, self._speak(line, ready, voice, playback))
            if request.prepare:
                await self._prepare(request, ready)
        return Reply(request.line, not whole, line.timings, usage=Usage(characters=line.synthesised))

    async def _speak(
        self, line: "_Line", ready: ReadyPlaybook, settings: VoiceSettings, playback: ReplyPlayback
    ) -> None:
        spoken = self._spoken.get((settings, line.text))
        if spoken is not None:
            await line.deliver(_Recording(spoken), playback)
        else:
            async with self._voice.open(settings) as voice:
                tape = _Tape(voice)
                await line.deliver(tape, playback)
            line.synthesised = len(line.text)
            if line.text in _fixed_lines(ready):
                self._keep(settings, line.text, tape.spoken())
        playback.finish()

    async def _prepare(self, request: SpeakLine, ready: ReadyPlaybook) -> None:
        """Not worth failing a line that was spoken well."""
        try:
            async with asyncio.timeout(HOLDING_LINES_S):
                lines = [(text, (await self._synthesise(ready, text)).audio) for text in ready.playbook.holding_lines]
                await self._playback.keep_holding_lines(request.call_id, request.gateway, lines)
                for text in (ready.playbook.apology, ready.playbook.farewell):
                    await self._synthesise(ready, text)
        except (VendorError, TimeoutError) as error:
            log.warning("lines_not_prepared", reason=str(error))

    async def _synthesise(self, ready: ReadyPlaybook, text: str) -> _Spoken:
        text = " ".join(_sentences(text))
        spoken = self._spoken.get((ready.voice, text))
        if spoken is None:
            async with self._voice.open(ready.voice) as voice:
                tape = _Tape(voice)
                for sentence in _sentences(text):
                    await tape.speak(sentence)
                await tape.finish()
                async for _ in tape.chunks():
                    pass
            spoken = self._keep(ready.voice, text, tape.spoken())
        return spoken

    def _keep(self, voice: VoiceSettings, text: str, spoken: _Spoken) -> _Spoken:
        self._spoken[voice, text] = spoken
        if len(self._spoken) > CACHED_LINES:
            self._spoken.popitem(last=False)
        return spoken

    def _announce(self, request: SpeakLine) -> None:
        if request.opening is not None:
            self._feed.note(call_started(request.call_id, request.opening))
        if request.prepare:
            self._feed.note(phase(request.call_id, Phase.LIVE))


class _Line:
    """One line on its way to the gateway."""

    def __init__(self, sentences: list[str], timings: ReplyTimings) -> None:
        self.sentences = sentences
        self.timings = timings
        self.synthesised = 0  # characters
        self.text = " ".join(sentences)

    async def deliver(self, voice: SpeechStream, playback: ReplyPlayback) -> None:
        delivery = Delivery(voice, playback, self.timings)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(delivery.carry())
            for sentence in self.sentences:
                await delivery.say(sentence)
            await delivery.finish()
        self.timings = delivery.timings


class _Tape:
    """A voice whose audio is kept as it goes by."""

    def __init__(self, voice: SpeechStream) -> None:
        self._voice = voice
        self._sentences: list[str] = []
        self._chunks: list[SpeechChunk] = []

    async def speak(self, sentence: str) -> None:
        self._sentences.append(sentence)
        await self._voice.speak(sentence)

    async def finish(self) -> None:
        await self._voice.finish()

    async def chunks(self) -> AsyncIterator[SpeechChunk]:
        async for chunk in self._voice.chunks():
            self._chunks.append(chunk)
            yield chunk

    def spoken(self) -> _Spoken:
        return _Spoken(tuple(self._sentences), tuple(self._chunks))


class _Recording:
    """A voice that has said it all before."""

    def __init__(self, spoken: _Spoken) -> None:
        self._spoken = spoken

    async def speak(self, sentence: str) -> None:
        pass

    async def finish(self) -> None:
        pass

    async def chunks(self) -> AsyncIterator[SpeechChunk]:
        for chunk in self._spoken.chunks:
            yield chunk


def _sentences(line: str) -> list[str]:
    cutter = SentenceCutter()
    return [*cutter.feed(line), *cutter.finish()]


def _fixed_lines(ready: ReadyPlaybook) -> set[str]:
    playbook = ready.playbook
    lines = (
        f"{playbook.disclosure} {playbook.greeting}".strip(),
        playbook.welcome_back,
        playbook.farewell,
        playbook.apology,
        *playbook.holding_lines,
        *playbook.silence_prompts,
    )
    return {" ".join(_sentences(line)) for line in lines}
