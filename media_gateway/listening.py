"""One stream's ear: the recogniser, opened, fed, doubted, and opened again when it is lost."""

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog

from core.contracts.call import Transcript
from core.playback import BYTES_PER_MS
from core.ports.errors import VendorError
from core.ports.speech import Recogniser, Recognition
from core.recogniser_watch import OVER_MS, Doubt, RecogniserWatch
from core.turns import EndOfTurn, RecogniserEvent, RecogniserLost, TurnTaking

log = structlog.get_logger()

FIRST_PAUSE = 0.2  # seconds between tries, after a first one at once; doubled up to the longest
LONGEST_PAUSE = 2.0
STEADY_AFTER = 2.0  # a stream that held so long was a good one
UNSURE = 0.5  # of words that no recogniser has confirmed
MISSING = 2  # words: fewer may be a matter of spelling
SECOND_LOOK_BYTES = 30_000 * 8  # of kept audio, the newest


class Listening:
    """Keeps a recogniser listening to one stream.

    ``hear`` never waits. ``heard`` gets every event, ``failed`` the kind of the VendorError once the recogniser has
    refused us or stayed away for ``patience`` seconds. ``backlog`` is the utterance under way: what a newly opened
    recogniser hears first, and what is transcribed at once where the open one is in doubt, or there is none: then
    silence alone ends a turn.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        *,
        heard: Callable[[RecogniserEvent], None],
        failed: Callable[[str], None],
        backlog: Callable[[], Iterable[bytes]],
        patience: float,
    ) -> None:
        self._recogniser = recogniser
        self._heard = heard
        self._failed = failed
        self._backlog = backlog
        self._patience = patience
        self._rules: TurnTaking | None = None
        self._rules_changed = asyncio.Event()
        self._tuned: TurnTaking | None = None  # by the answer that is expected
        self._recognition: Recognition | None = None  # the open one
        self._packet = b""  # frames on their way to it
        self._lost = asyncio.Event()
        self._watch = RecogniserWatch()
        self._instead_of: Recognition | None = None  # whose vendor is not to be asked again just now
        self._looking: asyncio.Task[None] | None = None  # once more at what was said
        self._closing: set[asyncio.Future[None]] = set()
        self._found: Transcript | None = None  # by the last second look at the utterance under way
        self._understood_at = 0.0  # when a second look last worked

    def listen(self, rules: TurnTaking) -> None:
        """Open the recogniser by these rules; again if it is open by others that it would heed."""
        before, self._rules = self._rules, rules
        self._tuned = rules
        self._watch.follow(rules)
        if before is None or _heeded(before) != _heeded(rules):
            self._rules_changed.set()

    def retune(self, rules: TurnTaking) -> None:
        """End turns by these rules, which differ in nothing else, from now on."""
        if self._rules is None or rules == self._tuned:
            return
        self._tuned = rules
        self._watch.follow(rules)
        if self._recognition is not None:
            self._recognition.retune(rules)

    def hear(self, frame: bytes, voiced: bool, now_ms: float) -> None:
        """The next frame, whether it sounds like a voice, and the time on the stream's clock. The hot path."""
        doubt = self._watch.hear_frame(voiced, now_ms)
        if self._recognition is not None:
            self._packet += frame
            if len(self._packet) >= BYTES_PER_MS * self._watch.may_wait_ms:  # sending is a third of a gateway's CPU
                packet, self._packet = self._packet, b""
                self._feed(self._recognition, packet)
        if doubt is not None:
            self._look_again(doubt)

    async def run(self) -> None:
        """Listen until cancelled, or until the recogniser has failed for good."""
        await self._rules_changed.wait()
        try:
            await self._keep_listening()
        finally:
            if self._looking is not None:
                self._looking.cancel()
            await asyncio.gather(*self._closing, return_exceptions=True)

    async def _keep_listening(self) -> None:
        failing_since = time.monotonic()
        pause = 0.0
        while True:
            kind = "unavailable"
            try:
                opened_at = await self._listen_once()
            except VendorError as error:
                kind = error.kind
                log.warning("recogniser_unavailable", kind=kind, vendor=error.vendor)
                if not error.curable:
                    failing_since = 0.0
            else:
                if time.monotonic() - opened_at >= STEADY_AFTER:
                    failing_since, pause = time.monotonic(), 0.0
                if self._rules_changed.is_set():
                    continue
            failing_since = max(failing_since, self._understood_at)
            if time.monotonic() - failing_since >= self._patience and not await self._understands():
                log.error("recogniser_failed", kind=kind)
                self._failed(kind)
                return
            await asyncio.sleep(pause)
            pause = min(max(2 * pause, FIRST_PAUSE), LONGEST_PAUSE)

    async def _listen_once(self) -> float:
        """Open one stream and use it until it is lost or the rules change; returns when it was up."""
        assert self._rules is not None
        self._rules_changed.clear()
        recognition = await self._recogniser.open(self._tuned or self._rules, self._instead_of)
        opened_at = time.monotonic()
        self._instead_of = None
        self._lost.clear()
        self._recognition, self._packet = recognition, b""
        self._watch.opened()
        for frame in self._backlog():
            self._feed(recognition, frame)
        tasks = [
            asyncio.ensure_future(work)
            for work in (self._read(recognition), self._lost.wait(), self._rules_changed.wait())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._recognition = None
            self._watch.lost()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._close(recognition)
        if not self._rules_changed.is_set() and time.monotonic() - opened_at < STEADY_AFTER:
            self._instead_of = recognition
        return opened_at

    def _close(self, recognition: Recognition) -> None:
        """Beside the opening of the next one: a vendor that says nothing does not answer to this either."""
        closing = asyncio.ensure_future(recognition.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def _read(self, recognition: Recognition) -> None:
        async for event in recognition.events():
            if self._recognition is not recognition:
                return
            if isinstance(event, RecogniserLost):
                log.warning("recogniser_lost", reason=event.reason)
                break
            self._watch.hear_event(event)
            self._found = None
            self._heard(event)
        self._heard(RecogniserLost("the stream has ended"))

    def _feed(self, recognition: Recognition, frame: bytes) -> None:
        if self._recognition is None:
            return
        try:
            recognition.hear(frame)
        except VendorError as error:
            self._lose(error.kind)

    def _lose(self, reason: str) -> None:
        log.warning("recogniser_lost", reason=reason)
        self._recognition = None
        self._watch.lost()
        self._heard(RecogniserLost(reason))
        self._lost.set()

    # Doubts

    def _look_again(self, doubt: Doubt) -> None:
        """Rare, and beside everything else."""
        if doubt is Doubt.ENDLESS:
            told, found = self._watch.text, self._found
            self._replace("its turn did not end")
            self._end_turn(found if found and _words(found.text) > _words(told) else Transcript(told, UNSURE))
        elif self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._second_look(doubt, self._recognition, self._watch.utterance))

    async def _second_look(self, doubt: Doubt, suspect: Recognition | None, utterance: int) -> None:
        """Have what was said transcribed at once, and see whether the recogniser has told as much."""
        watch = self._watch
        try:
            found = await self._transcribed()
        except VendorError as error:
            log.warning("no_second_look", kind=error.kind, doubt=doubt)
            watch.postpone()
            if doubt is Doubt.MUTE and suspect is self._recognition and utterance == watch.utterance:
                self._replace("it says nothing")
            return
        if suspect is not self._recognition or utterance != watch.utterance:
            return  # what has happened since knows better
        missing = _words(found.text) - _words(watch.text)
        if doubt is Doubt.UNHEARD:
            if watch.quiet_ms >= OVER_MS:  # nobody has gone on speaking
                self._end_turn(found)
        elif missing >= (MISSING if watch.text else 1):
            self._replace("it missed words")
            if watch.quiet_ms >= OVER_MS:
                self._end_turn(found)
        else:
            self._found = found
            watch.dismiss()

    async def _transcribed(self) -> Transcript:
        assert self._rules is not None
        audio = b"".join(self._backlog())[-SECOND_LOOK_BYTES:]
        found = await self._recogniser.transcribe(audio, self._rules.language)
        self._understood_at = time.monotonic()
        return found

    async def _understands(self) -> bool:
        """Whether kept audio can be transcribed where no stream is to be had: the call can go on with that."""
        try:
            await self._transcribed()
        except VendorError:
            return False
        log.warning("listening_without_a_stream")
        return True

    def _replace(self, reason: str) -> None:
        """Have another stream, and rather another vendor's."""
        self._instead_of = self._recognition or self._instead_of
        self._lose(reason)

    def _end_turn(self, found: Transcript) -> None:
        """End the utterance ourselves; whoever listens next does not hear it again."""
        self._found = None
        self._watch.end_utterance()
        self._heard(EndOfTurn(found.text, found.confidence))


def _words(text: str) -> int:
    return len(text.split())


def _heeded(rules: TurnTaking) -> tuple[object, ...]:
    """What a recogniser goes by; the rest is the gateway's own matter."""
    return (
        rules.recogniser,
        rules.language,
        rules.languages,
        rules.end_of_turn_threshold,
        rules.end_of_turn_timeout_ms,
        rules.eager_end_of_turn_threshold,
        rules.endpointing_ms,
        rules.keyterms,
    )
