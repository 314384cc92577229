"""Fixed lines: the greeting, prompts, apologies, what an operator has the assistant say."""

import asyncio

import structlog
from structlog.contextvars import bound_contextvars
from temporalio import activity

from activities.delivery import Delivery, heard_of, telling_how_far, while_wanted
from activities.feed import call_started, now_ms, phase
from activities.playbook_shelf import PlaybookShelf, ReadyPlaybook
from activities.retries import vendor_failures
from activities.spoken_lines import Replay, SpokenLines, Tape, as_spoken
from core.contracts import names
from core.contracts.call import Phase, Reply, ReplyTimings, SpeakLine
from core.conversation import Usage
from core.playback import Kept
from core.ports.call_log import CallFeed
from core.ports.errors import VendorError
from core.ports.playback import PlaybackLine, ReplyPlayback
from core.ports.speech import SpeechStream, Voice, VoiceSettings
from core.sentences import parted, sentences_of

log = structlog.get_logger()

HOLDING_LINES_S = 8.0


class SpeechActivities:
    """Speaks lines. Those of the playbook come from the cache, or are kept there once they were spoken.

    So a worker that has once prepared a call of a playbook can apologise with the voice vendor down.
    """

    def __init__(
        self, voice: Voice, lines: SpokenLines, playback: PlaybackLine, shelf: PlaybookShelf, feed: CallFeed
    ) -> None:
        self._voice = voice
        self._lines = lines
        self._playback = playback
        self._shelf = shelf
        self._feed = feed

    @activity.defn(name=names.SPEAK_LINE)
    async def speak_line(self, request: SpeakLine) -> Reply:
        """Speak one line; with ``prepare``, then give the gateway the holding lines and keep the apology ready."""
        if request.key.attempt == 1:
            self._announce(request)
        timings = ReplyTimings(now_ms(), request.step_from_ms, request.step_to_ms, before=request.before)
        with (
            bound_contextvars(call_id=request.call_id, turn=request.key.turn),
            vendor_failures(),
        ):
            ready = await self._shelf.get(request.playbook)
            listen = ready.listen_in(request.manner, request.step, request.line)
            async with self._playback.open(
                request.call_id, request.gateway, request.key, listen, request.hold
            ) as playback:
                earlier = await playback.kept() if request.key.attempt > 1 else Kept()
                line = _Line(request.line, earlier, timings)
                voice = ready.line_voice_in(request.manner, request.line)
                with telling_how_far(playback, lambda: request.line):
                    whole = await while_wanted(playback, self._speak(line, ready, voice, playback), request.within_s)
                if request.prepare:
                    await self._prepare(request, ready)
                heard = await heard_of(playback) if whole else None
                so_far = playback.heard_so_far if heard is None else ""
        return Reply(request.line, not whole, line.timings, usage=line.usage, heard=heard, so_far=so_far)

    async def _speak(
        self, line: "_Line", ready: ReadyPlaybook, settings: VoiceSettings, playback: ReplyPlayback
    ) -> None:
        if not line.sentences:
            playback.finish(hear=True)
            return
        recording = self._lines.at_hand(settings, line.text)
        fixed = recording is not None or as_spoken(line.text) in ready.fixed_lines
        if recording is None and fixed:
            recording = await self._lines.find(settings, line.text)
        if recording is not None and not line.broken:
            await line.deliver(Replay(recording.after(line.kept)), playback)
            playback.finish(hear=True)
        else:
            async with self._voice.open(settings) as voice:
                tape = Tape(voice)
                await line.deliver(tape, playback)
            playback.finish(hear=True)
            line.usage = Usage(characters=sum(map(len, line.sentences)), voice=line.stand_in)
            if fixed and not (line.kept or line.broken):
                await self._lines.keep(settings, line.text, tape.recording())

    async def _prepare(self, request: SpeakLine, ready: ReadyPlaybook) -> None:
        """Not worth failing a line that was spoken well."""
        try:
            async with asyncio.timeout(HOLDING_LINES_S):
                for language, voice in ready.voices.items():
                    fixed = ready.playbook.lines_in(language)
                    lines = [(text, (await self._lines.get(voice, text)).audio) for text in fixed.holding_lines]
                    await self._playback.keep_holding_lines(request.call_id, request.gateway, lines, language)
                    for text in (*fixed.fillers, fixed.apology, fixed.farewell):
                        await self._lines.get(voice, text)
        except (VendorError, TimeoutError) as error:
            log.warning("lines_not_prepared", reason=str(error))

    def _announce(self, request: SpeakLine) -> None:
        if request.opening is not None:
            self._feed.note(call_started(request.call_id, request.opening))
        if request.prepare:
            self._feed.note(phase(request.call_id, Phase.LIVE))


class _Line:
    """One line on its way to the gateway."""

    def __init__(self, text: str, earlier: Kept, timings: ReplyTimings) -> None:
        self.text = text
        whole, self.sentences, self.broken = parted(sentences_of(text), " ".join(earlier.sentences))
        self.kept = len(whole)  # sentences of an earlier attempt
        if self.broken:
            self.sentences[0] = self.sentences[0].removeprefix(self.broken).lstrip()
        self.timings = timings
        self.usage = Usage()
        self.stand_in = ""  # the voice that had to take over, if one had to

    async def deliver(self, voice: SpeechStream, playback: ReplyPlayback) -> None:
        delivery = Delivery(voice, playback, self.timings)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(delivery.carry())
            for sentence in self.sentences:
                await delivery.say(sentence)
            await delivery.finish()
        self.timings, self.stand_in = delivery.timings, delivery.stand_in
