"""One fake a port. Each does its part at once, writes down what was asked of it, and fails on request."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from core.contracts.call import (
    CallRecord,
    CallSummary,
    GatewayAddress,
    Heard,
    ReplyKey,
    ReplyTimings,
    SyncCrm,
    Transcript,
)
from core.conversation import Step, Transcribed, Usage
from core.learnt_steps import Example, LearntSteps
from core.outcome import CarrierState
from core.playback import Kept
from core.playbook import Playbook
from core.ports.call_log import CallEvent, EarlierCall
from core.ports.crm import ToolContext
from core.ports.errors import PlaybackLost, StorageUnavailable, UnknownPlaybook, VendorError
from core.ports.reasoner import FindStep, Prompt, ReplyPiece, SummedUp, TextPiece
from core.ports.speech import Recognition, SpeechChunk, SpokenWord, VoiceSettings
from core.ports.step_fits import StepFits
from core.ports.telephony import CarrierLeg, LegOfTransfer
from core.turns import Listen, TurnTaking


class Faults:
    """Errors to come: each use of a fake takes the next, ``always`` stays."""

    def __init__(self) -> None:
        self.coming: deque[VendorError | StorageUnavailable] = deque()
        self.always: VendorError | StorageUnavailable | None = None

    def meet(self) -> None:
        """Raise what is due."""
        if self.coming:
            raise self.coming.popleft()
        if self.always is not None:
            raise self.always


def broken(kind: str = "overloaded", *, curable: bool = True) -> VendorError:
    """A vendor's failure."""
    return VendorError("vendor", kind, f"is {kind}", curable=curable)


Answer = Sequence[ReplyPiece | asyncio.Event]
"""Pieces of a reply; an event is waited for before what follows it is written."""


class FakeStepFits(StepFits):
    """Teaches every playbook the same, at once; nothing unless a test says so."""

    def __init__(self) -> None:
        self.taught: LearntSteps | None = None

    async def learnt(self, own: Sequence[Example], grown: Sequence[Example] = ()) -> LearntSteps | None:
        """What the test has put there."""
        return self.taught


class FakeReasoner:
    """Answers in the order of ``answers``, then by echo. ``prompts`` keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque()
        self.steps: deque[str | Step] = deque()
        self.step_prompts: list[Prompt] = []
        self.step_gate: asyncio.Event | None = None  # finding a step waits for it
        self._asked = asyncio.Condition()
        self.moods: deque[str] = deque()  # told where they are asked for
        self.extracts: dict[str, Any] = {}
        self.notes: deque[dict[str, Any]] = deque()
        self.prompts: list[Prompt] = []
        self.note_prompts: list[Prompt] = []
        self.note_faults = Faults()
        self.faults = Faults()
        self.step_faults = Faults()
        self.summary_faults = Faults()

    def will_say(self, *answers: str | Answer) -> None:
        """The next replies."""
        self.answers.extend([TextPiece(answer)] if isinstance(answer, str) else answer for answer in answers)

    async def find_step(self, request: FindStep) -> Step:
        """The next of ``steps``, else unsure; and the next of ``moods``."""
        self.step_prompts.append(request.prompt)
        await self._tell()
        self.step_faults.meet()
        if self.step_gate is not None:
            await self.step_gate.wait()
        mood = self.moods.popleft() if request.moods and self.moods else ""
        usage = Usage(model="fake", input_tokens=20, output_tokens=3)
        if self.steps:
            found = self.steps.popleft()
            step = found if isinstance(found, Step) else Step(found, 0.9, "model")
            return replace(step, usage=usage, mood=mood)
        return Step(None, 0.0, "model", usage=usage, mood=mood)

    @asynccontextmanager
    async def reply(self, prompt: Prompt) -> AsyncIterator[AsyncIterator[ReplyPiece]]:
        """The next of ``answers``."""
        self.prompts.append(prompt)
        await self._tell()
        self.faults.meet()
        answer = self.answers.popleft() if self.answers else [TextPiece(f"You said: {_words(prompt)}")]

        async def pieces() -> AsyncIterator[ReplyPiece]:
            yield Usage(model="fake", input_tokens=10)
            for piece in answer:
                if isinstance(piece, asyncio.Event):
                    await piece.wait()
                else:
                    yield piece
            yield Usage(model="fake", output_tokens=5)

        yield pieces()

    async def asked(self, *, step: int, reply: int) -> None:
        """Until so many steps and replies were asked for."""
        async with asyncio.timeout(15.0), self._asked:
            await self._asked.wait_for(lambda: (len(self.step_prompts), len(self.prompts)) == (step, reply))

    async def _tell(self) -> None:
        async with self._asked:
            self._asked.notify_all()

    async def summarize(self, prompt: Prompt) -> SummedUp:
        """Always the same."""
        self.summary_faults.meet()
        summary = CallSummary(summary="They talked.", topic="orders", resolved=True)
        return SummedUp(summary, Usage(model="fake", input_tokens=30, output_tokens=6))

    async def extract(self, prompt: Prompt, schema: Mapping[str, Any]) -> tuple[dict[str, Any], Usage]:
        """The next of ``notes``, else nothing, for notes on a talk; for a finished one what it was told to find."""
        if schema["properties"].keys() <= {"slots", "facts", "confirmed", "mood", "summary"}:
            self.note_prompts.append(prompt)
            self.note_faults.meet()
            return self.notes.popleft() if self.notes else {}, Usage(model="fake", input_tokens=40, output_tokens=8)
        self.summary_faults.meet()
        return dict(self.extracts), Usage(model="fake", input_tokens=40, output_tokens=9)


def _words(prompt: Prompt) -> str:
    """The caller's, without the phone system's notes."""
    return prompt.messages[-1].text.rpartition(") ")[2]


class FakeSpeech:
    """One chunk of 20 ms a word."""

    def __init__(self, faults: Faults, stand_in: str = "") -> None:
        self._faults = faults
        self._stand_in = stand_in
        self._sentences: asyncio.Queue[str | None] = asyncio.Queue()

    async def speak(self, sentence: str) -> None:
        """Queue it."""
        self._faults.meet()
        self._sentences.put_nowait(sentence)

    async def finish(self) -> None:
        """No more."""
        self._sentences.put_nowait(None)

    async def chunks(self) -> AsyncIterator[SpeechChunk]:
        """Each sentence as one chunk."""
        index = 0
        while (sentence := await self._sentences.get()) is not None:
            words = sentence.split()
            times = tuple(SpokenWord(word, 20 * place, 20 * place + 20) for place, word in enumerate(words))
            yield SpeechChunk(index, b"\xff" * 160 * len(words), times, last=True, voice=self._stand_in)
            index += 1


class FakeVoice:
    """A voice."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.opened = 0
        self.settings: list[VoiceSettings] = []  # of each opening
        self.refused: set[str] = set()  # voice ids
        self.stand_in = ""  # who speaks instead

    @asynccontextmanager
    async def open(self, settings: VoiceSettings) -> AsyncIterator[FakeSpeech]:
        """A stream for one reply."""
        self.opened += 1
        self.settings.append(settings)
        if settings.voice_id in self.refused:
            raise broken("refused", curable=False)
        yield FakeSpeech(self.faults, self.stand_in)


class FakeRecogniser:
    """Transcribes kept audio to ``text``."""

    def __init__(self) -> None:
        self.text = "Where is my order?"
        self.languages: list[str] = []
        self.faults = Faults()

    async def open(self, turn_taking: TurnTaking, instead_of: Recognition | None = None) -> Recognition:
        """Workers never listen live."""
        raise NotImplementedError

    async def transcribe(self, audio: bytes, language: str) -> Transcript:
        """What it was told to hear."""
        self.languages.append(language)
        self.faults.meet()
        return Transcript(self.text, 0.95, Transcribed("deepgram nova-3", len(audio) / 8_000))


class FakePlayback:
    """One reply at the gateway."""

    def __init__(self, line: "FakePlaybackLine", call_id: str, key: ReplyKey, hold: str = "") -> None:
        self.call_id = call_id
        self.key = key
        self.hold = hold
        self.sentences: list[str] = []
        self.numbers: list[int] = []  # theirs
        self.audio: list[bytes] = []  # the last piece of each
        self.timings: ReplyTimings | None = None
        self.finished = False
        self._text = ""  # of the sentence that comes
        self._line = line
        self._no_more = asyncio.Event()
        self._lost = False

    @property
    def text(self) -> str:
        """What was pushed so far, whole sentences."""
        return " ".join(self.sentences)

    async def kept(self) -> Kept:
        """What the gateway kept of earlier attempts."""
        key = self.key
        return self._line.kept.get((self.call_id, key.attachment, key.turn, key.part), Kept())

    def began(self, timings: ReplyTimings) -> None:
        """Keep the stamps."""
        self.timings = timings

    def push(self, sentence: int, audio: bytes, words: Sequence[SpokenWord], *, last: bool, text: str = "") -> None:
        """Take it; a closed reply takes no more."""
        if self._lost:
            raise PlaybackLost("the socket is gone")
        self._text = text or self._text
        if not self.closed and last:
            self.audio.append(audio)
            self.numbers.append(sentence)
            self.sentences.append(self._text)
            self._line.told("pushed", self)

    def finish(self, *, hear: bool) -> None:
        """The whole reply is here."""
        self.finished = True
        self._line.told("finished", self)

    async def heard(self) -> Heard | None:
        """What the caller heard, where the line tells it here; else the scripted caller reports it to the workflow."""
        if not self._line.tells_what_was_heard:
            return None
        return Heard(self.text, complete=True, interrupted=False, played_ms=1_000, talk_over_ms=40)

    @property
    def heard_so_far(self) -> str:
        """What the line says."""
        return self._line.heard_so_far

    def close(self) -> None:
        """The gateway wants no more."""
        self._no_more.set()

    def lose(self) -> None:
        """The socket breaks."""
        self._lost = True
        self._no_more.set()

    @property
    def closed(self) -> bool:
        """Whether the gateway wants no more."""
        return self._no_more.is_set() and not self._lost

    async def wait_closed(self) -> None:
        """Until the gateway wants no more."""
        await self._no_more.wait()
        if self._lost:
            raise PlaybackLost("the socket is gone")


Told = Callable[[str, FakePlayback], None]


class FakePlaybackLine:
    """The way to gateways, which are played by the scripted callers in ``listeners``."""

    def __init__(self) -> None:
        self.listeners: dict[str, Told] = {}
        self.kept: dict[tuple[str, int, int, int], Kept] = {}
        self.holding_lines: dict[str, list[tuple[str, bytes]]] = {}
        self.dead: set[str] = set()  # gateways that cannot be reached, by playback_url
        self.opened: list[ReplyKey] = []
        self.listens: list[Listen] = []
        self.tells_what_was_heard = False
        self.heard_so_far = ""
        self.digits: dict[tuple[str, str], str] = {}  # (digits_url, name) -> what was keyed in

    def told(self, what: str, playback: FakePlayback) -> None:
        """Pass on what happened to a reply."""
        if listener := self.listeners.get(playback.call_id):
            listener(what, playback)

    @asynccontextmanager
    async def open(
        self, call_id: str, gateway: GatewayAddress, key: ReplyKey, listen: Listen, hold: str = ""
    ) -> AsyncIterator[FakePlayback]:
        """A reply begins."""
        self.opened.append(key)
        self.listens.append(listen)
        if gateway.playback_url in self.dead:
            raise PlaybackLost("no such gateway")
        playback = FakePlayback(self, call_id, key, hold)
        self.told("opened", playback)
        yield playback

    async def keep_holding_lines(
        self, call_id: str, gateway: GatewayAddress, lines: Sequence[tuple[str, bytes]], language: str = ""
    ) -> None:
        """Keep them."""
        self.holding_lines[call_id] = list(lines)

    async def fetch_digits(self, digits_url: str, name: str) -> str | None:
        """What a caller has keyed in."""
        return self.digits.get((digits_url, name))

    async def fetch_turn_audio(self, audio_url: str, turn: int) -> bytes:
        """A second of silence."""
        return b"\xff" * 8_000


class FakePlaybooks:
    """Playbooks in memory."""

    def __init__(self, *playbooks: Playbook) -> None:
        self.by_ref = {playbook.ref: playbook for playbook in playbooks}

    def put(self, playbook: Playbook) -> Playbook:
        """Keep one more."""
        self.by_ref[playbook.ref] = playbook
        return playbook

    async def load(self, ref: str) -> Playbook:
        """Exactly this one."""
        if ref not in self.by_ref:
            raise UnknownPlaybook(ref)
        return self.by_ref[ref]

    async def latest(self, name: str) -> Playbook:
        """The only one of that name."""
        return next(playbook for playbook in self.by_ref.values() if playbook.name == name)

    async def for_number(self, number: str) -> Playbook:
        """Any."""
        return next(iter(self.by_ref.values()))

    async def names(self) -> list[str]:
        """All."""
        return sorted(playbook.name for playbook in self.by_ref.values())


class FakeTelephony:
    """A carrier that does as told and lets tests tell the rest."""

    def __init__(self) -> None:
        self.dialled: list[tuple[str, str, str]] = []
        self.detects: list[bool] = []  # of these, whether the carrier was to look out for machines
        self.hung_up: list[str] = []
        self.asked_again: list[str] = []
        self.dial_faults = Faults()
        self.hang_up_faults = Faults()
        self.redirect_faults = Faults()
        self.representative_faults = Faults()
        self.representatives: asyncio.Queue[tuple[LegOfTransfer, str]] = asyncio.Queue()
        self.on_record: CarrierLeg | None = None  # what a look-up finds
        self.looked_up = 0
        self.redirected = asyncio.Event()
        self.dialling = asyncio.Event()
        self.dials: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue()

    async def dial(
        self, call_id: str, to: str, from_: str, ring_seconds: int, *, detect_machine: bool = False
    ) -> CarrierLeg:
        """Ring."""
        self.dialled.append((call_id, to, from_))
        self.detects.append(detect_machine)
        self.dialling.set()
        self.dials.put_nowait((call_id, to, from_))
        self.dial_faults.meet()
        return CarrierLeg(f"CA{call_id}", CarrierState.QUEUED)

    async def dial_representative(self, leg: LegOfTransfer, to: str, from_: str, ring_seconds: int) -> CarrierLeg:
        """Ring a colleague."""
        self.representatives.put_nowait((leg, to))
        self.representative_faults.meet()
        return CarrierLeg(f"CAR{leg.transfer}{leg.leg}", CarrierState.QUEUED)

    async def find_dialled(self, call_id: str, to: str, from_: str, since_ms: float) -> CarrierLeg | None:
        """What is on record."""
        self.looked_up += 1
        return self.on_record

    async def hang_up(self, carrier_call_id: str) -> None:
        """Put it down."""
        self.hang_up_faults.meet()
        self.hung_up.append(carrier_call_id)

    async def ask_again(self, call_id: str, carrier_call_id: str) -> None:
        """The test asks next_verb then."""
        self.asked_again.append(carrier_call_id)
        self.redirected.set()
        self.redirect_faults.meet()


class FakeCrm:
    """Runs operations once per key and keeps notes."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, dict[str, Any], ToolContext]] = []
        self.notes: dict[str, SyncCrm] = {}
        self.note_faults = Faults()
        self.faults = Faults()
        self.refused: set[str] = set()  # operations
        self.says: dict[str, Any] = {}  # beside what it always says
        self.gate: asyncio.Event | None = None  # operations wait for it
        self.running = asyncio.Event()
        self.noted = asyncio.Event()

    async def run(self, operation: str, arguments: dict[str, Any], context: ToolContext) -> dict[str, Any]:
        """Every order is on its way."""
        self.runs.append((operation, arguments, context))
        self.running.set()
        self.faults.meet()
        if operation in self.refused:
            raise broken("refused", curable=False)
        if self.gate is not None:
            await self.gate.wait()
        return {"status": "on its way"} | arguments | self.says

    async def log_call(self, note: SyncCrm) -> str:
        """Keep the note."""
        self.note_faults.meet()
        self.notes[note.idempotency_key] = note
        self.noted.set()
        return f"note-{note.call_id}"


class FakeStore:
    """SQL as dictionaries."""

    def __init__(self) -> None:
        self.records: dict[str, CallRecord] = {}
        self.summaries: dict[str, CallSummary] = {}
        self.summary_usages: dict[str, Usage] = {}
        self.extraction_usages: dict[str, Usage] = {}
        self.audit_usages: dict[str, Usage] = {}
        self.crm_notes: dict[str, str] = {}
        self.faults = Faults()

    async def save(self, record: CallRecord) -> None:
        """Replace it."""
        self.faults.meet()
        self.records[record.call.call_id] = record

    async def save_summary(self, call_id: str, summary: CallSummary, usage: Usage) -> None:
        """Replace it."""
        self.summaries[call_id] = summary
        self.summary_usages[call_id] = usage

    async def save_extraction(self, call_id: str, usage: Usage) -> None:
        """Replace it."""
        self.extraction_usages[call_id] = usage

    async def save_audit(self, call_id: str, usage: Usage) -> None:
        """Replace it."""
        self.audit_usages[call_id] = usage

    async def earlier_calls(self, caller_number: str, *, tenant: str, but: str, limit: int) -> list[EarlierCall]:
        """Of ``records`` and ``summaries``, newest first."""
        self.faults.meet()
        records = [record for record in self.records.values() if record.call.caller_number == caller_number]
        found = [record for record in records if record.call.call_id in self.summaries and record.call.call_id != but]
        found = [record for record in reversed(found) if record.call.tenant == tenant][:limit]
        return [EarlierCall(record.ended_ms or 0.0, self.summaries[record.call.call_id]) for record in found]

    async def save_crm_note(self, call_id: str, note_id: str) -> None:
        """Replace it."""
        self.crm_notes[call_id] = note_id


class FakeFeed:
    """Lines by call."""

    def __init__(self) -> None:
        self.lines: defaultdict[str, list[CallEvent]] = defaultdict(list)
        self.breaks_at = ""  # the next line of this kind breaks the activity that tells it

    def note(self, event: CallEvent) -> None:
        """Keep it."""
        if event.kind == self.breaks_at:
            self.breaks_at = ""
            raise RuntimeError("broken")
        self.lines[event.call_id].append(event)

    def kinds(self, call_id: str) -> list[str]:
        """What was told of a call, in order."""
        return [line.kind for line in self.lines[call_id]]
