"""A turn's activities: what was said, which step it belongs to, and the answer."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars
from temporalio import activity

from activities.delivery import Delivery, telling_how_far, while_wanted
from activities.dialogue import Place, judged, place_of, step_now
from activities.feed import mood_read, now_ms, problem, step_found, told_from_documents
from activities.fillers import fillers_when_late
from activities.knowledge_shelf import KnowledgeShelf
from activities.note_writing import NoteWriter
from activities.playbook_shelf import PlaybookShelf, ReadyPlaybook
from activities.prompts import reply_prompt, step_prompt
from activities.retries import vendor_failures
from activities.spoken_lines import SpokenLines
from activities.step_check import StepCheck, checking
from core.contracts import names
from core.contracts.call import (
    FinalizeTranscript,
    FindBeside,
    MatchStep,
    ReasonStep,
    Reply,
    ReplyTimings,
    Respond,
    Transcript,
)
from core.conversation import Step, ToolCall, Usage, sum_usage
from core.key_tones import keys_asked
from core.knowledge.citations import CitationFilter, places_cited
from core.knowledge.index import Found
from core.mood import known_mood
from core.playback import Kept
from core.playbook import PRESS_KEYS_TOOL, Playbook
from core.ports.call_log import CallFeed
from core.ports.errors import VendorError
from core.ports.playback import PlaybackLine, ReplyPlayback
from core.ports.reasoner import Beside, Prompt, Reasoner, TextPiece
from core.ports.speech import Recogniser, Voice
from core.ports.speech_cache import Recording
from core.sentences import SentenceCutter

log = structlog.get_logger()

LOAD_S = 0.15  # match_step is a local activity: it must not hold back the call's messages
SHORTEST_WAIT_MS = 300.0  # before a filler
EAGER_MS = 200.0  # an answer made ahead begins so much before the turn's end
SURE = 0.5  # of a step the model names


class ConversationActivities:
    """Hears, finds the step, answers."""

    def __init__(
        self,
        reasoner: Reasoner,
        voice: Voice,
        recogniser: Recogniser,
        lines: SpokenLines,
        playback: PlaybackLine,
        shelf: PlaybookShelf,
        feed: CallFeed,
        notes: NoteWriter,
        knowledge: KnowledgeShelf | None = None,
    ) -> None:
        self._notes = notes
        self._knowledge = knowledge
        self._reasoner = reasoner
        self._voice = voice
        self._recogniser = recogniser
        self._lines = lines
        self._playback = playback
        self._shelf = shelf
        self._feed = feed

    @activity.defn(name=names.FINALIZE_TRANSCRIPT)
    async def finalize_transcript(self, request: FinalizeTranscript) -> Transcript:
        """Transcribe the turn's audio that the gateway kept: the live recogniser was unsure."""
        with bound_contextvars(call_id=request.call_id, turn=request.turn), vendor_failures():
            audio = await self._playback.fetch_turn_audio(request.audio_url, request.turn)
            return await self._recogniser.transcribe(audio, request.language)

    @activity.defn(name=names.MATCH_STEP)
    async def match_step(self, request: MatchStep) -> Step:
        """Find the step by the turn's words. A playbook that is not at hand at once makes it unsure, nothing fails."""
        started = now_ms()
        try:
            async with asyncio.timeout(LOAD_S):
                with vendor_failures():
                    ready = await self._shelf.get(request.playbook)
        except TimeoutError:
            return _timed(Step(name=None, confidence=0.0, method="lexical"), started)
        place = _place(ready.playbook, request)
        matched = ready.match(request.text, place.step, canned=request.canned, reachable=place.reachable)
        found = place.finish(matched)
        if self._knowledge is not None and not found.answer:
            own_threshold = ready.playbook.knowledge_threshold is not None
            self._knowledge.expect(ready.playbook.name, request.text, own_threshold=own_threshold)
        found = _timed(found, started)
        if found.name is not None:
            self._feed.note(step_found(request.call_id, request.turn, found))
        return found

    @activity.defn(name=names.REASON_STEP)
    async def reason_step(self, request: ReasonStep) -> Step:
        """Ask the model for the step; where it fails or is unsure, the call stays where it is."""
        with bound_contextvars(call_id=request.call_id, turn=request.turn), vendor_failures():
            return await self._reason(request)

    async def _reason(self, request: ReasonStep) -> Step:
        started = now_ms()
        playbook = (await self._shelf.get(request.playbook)).playbook
        place = _place(playbook, request)
        kept = Step(place.step, 0.0, "kept")
        try:
            asked = step_prompt(playbook, replace(request, current_step=place.step), place.reachable)
            found = await self._reasoner.find_step(asked)
        except VendorError as error:
            log.warning("step_not_found", vendor=error.vendor, kind=error.kind)
            found = kept
        usage, mood = found.usage, known_mood(found.mood)
        found = kept if found.method == kept.method else judged(found, place, request.text, sure=SURE)
        found = replace(_timed(place.finish(found), started), usage=usage, mood=mood)
        self._feed.note(step_found(request.call_id, request.turn, found))
        if mood:
            self._feed.note(mood_read(request.call_id, request.turn, mood))
        return found

    @activity.defn(name=names.RESPOND)
    async def respond(self, request: Respond) -> Reply:
        """Answer: the model writes, the voice speaks each sentence as soon as it is whole, the gateway plays."""
        timings = ReplyTimings(
            now_ms(), request.step_from_ms, request.step_to_ms, request.asked_ms, before=request.before
        )
        bound = bound_contextvars(call_id=request.call_id, turn=request.key.turn)
        with bound, self._failures(request.call_id):
            ready = await self._shelf.get(request.playbook)
            likely, request = request.step, replace(request, step=step_now(ready.playbook, request))
            listen = ready.listen_in(request.manner, request.step)
            playback_line = self._playback.open(request.call_id, request.gateway, request.key, listen, request.hold)
            async with playback_line as playback, self._voice.open(ready.voice_in(request.manner)) as voice:
                earlier = await playback.kept() if request.key.attempt > 1 else Kept()
                kept = earlier.sentences
                answered = (*ready.answers_in(kept), *([earlier.rest] if earlier.rest else []))
                found = self._found(ready.playbook, request)
                delivery = Delivery(voice, playback, timings)
                said = ready.fillers_in(kept)
                begun = answered or request.heard_before
                fillers = () if begun else self._fillers(ready, request, said)
                async with checking(None if begun else self._finding(request), likely) as check:
                    answer = _Answer(self._reasoner, delivery, CitationFilter() if found else None, check)
                    prompt = reply_prompt(ready.playbook, request, found, answered)
                    work = answer.give(prompt, playback, earlier.rest)
                    how_far = telling_how_far(playback, lambda: _made(kept, delivery))
                    with how_far, fillers_when_late(delivery, fillers, _filler_after_ms(request)):
                        whole = await while_wanted(playback, work, request.within_s)
                if whole and not (begun or answer.came_to_something):
                    raise VendorError("model", "broken", "an answer without words", curable=True)
                is_heard = whole and answer.is_last
                heard, notes = await self._notes.while_heard(playback, request) if is_heard else (None, None)
                so_far = playback.heard_so_far if heard is None else ""
        told_from = answer.places(found or ())
        if told_from:
            self._feed.note(told_from_documents(request.call_id, request.key.turn, told_from))
        return Reply(
            text=_made(kept, delivery),
            closed=not whole,
            timings=delivery.timings,
            tool_calls=tuple(answer.tool_calls) if whole else (),
            usage=answer.total_usage(),
            beside=tuple(answer.beside),
            heard=heard,
            fillers=len(said) + len(delivery.fillers),
            step=request.step,
            told_from=told_from,
            found=check.found if check else None,
            withheld=answer.withheld,
            notes=notes,
            so_far=so_far,
        )

    def _finding(self, request: Respond) -> Coroutine[Any, Any, Step] | None:
        """What finds the step beside the answer, if that is to be done."""
        return self._reason(asked_beside(request)) if request.finding else None

    def _found(self, playbook: Playbook, request: Respond) -> list[Found] | None:
        """What documents tell of the turn; None if there are none."""
        index = self._knowledge.index(playbook.name) if self._knowledge else None
        if index is None:
            return None
        before = request.recent[-1].caller if request.recent else ""
        return index.answers(request.caller_text, before, playbook.knowledge_threshold)

    def _fillers(self, ready: ReadyPlaybook, request: Respond, said: set[str]) -> list[Recording]:
        """Further ones that are at hand: in the voice of this call, else in the playbook's, which beats silence."""
        voices = (ready.voice_in(request.manner), ready.voice)
        found = ([self._lines.at_hand(voice, text) for voice in voices] for text in request.fillers if text not in said)
        return [recording for either in found if (recording := either[0] or either[1]) is not None]

    @contextmanager
    def _failures(self, call_id: str) -> Iterator[None]:
        with vendor_failures():
            try:
                yield
            except VendorError as error:
                self._feed.note(problem(call_id, str(error)))
                raise


class _Answer:
    """The model's side of one answer."""

    def __init__(
        self, reasoner: Reasoner, delivery: Delivery, citations: CitationFilter | None, check: StepCheck | None
    ) -> None:
        self.tool_calls: list[ToolCall] = []
        self.beside: list[Usage] = []  # of models whose words nobody hears
        self.keys = ""  # to be pressed after what is said
        self.withheld = False  # it was made in the wrong step: nothing of it is said or done
        self._check = check
        self._citations = citations
        self._usages: list[Usage] = []
        self._reasoner = reasoner
        self._delivery = delivery

    async def give(self, prompt: Prompt, playback: ReplyPlayback, rest: str) -> None:
        """Speak the rest of a sentence that broke off, then write and speak the whole answer."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._delivery.carry())
            if rest:
                await self._delivery.say(rest)
            await self._write(prompt)
            await self._delivery.finish()
        if self.keys:
            self._delivery.press(self.keys)
        playback.finish(hear=self.is_last)  # tools are not to wait until the words before them were heard

    async def _write(self, prompt: Prompt) -> None:
        cutter = SentenceCutter()
        async with self._reasoner.reply(prompt) as pieces:
            async for piece in pieces:
                if isinstance(piece, TextPiece | ToolCall) and not await self._may_speak():
                    return
                if isinstance(piece, TextPiece):
                    self._delivery.mark_first_token()
                    text = self._citations.feed(piece.text) if self._citations else piece.text
                    for sentence in cutter.feed(text):
                        await self._delivery.say(sentence)
                elif isinstance(piece, ToolCall):
                    self._take_call(piece, prompt)
                elif isinstance(piece, Beside):
                    self.beside.append(piece.usage)
                else:
                    self._usages.append(piece)
        rest = cutter.feed(self._citations.finish()) if self._citations else []
        for sentence in [*rest, *cutter.finish()]:
            await self._delivery.say(sentence)

    def _take_call(self, call: ToolCall, prompt: Prompt) -> None:
        """Pressing keys is done here, as a part of the answer; all else is the workflow's to see to."""
        if call.name != PRESS_KEYS_TOOL:
            self.tool_calls.append(call)
        elif call.name in [tool.name for tool in prompt.tools]:
            self.keys += keys_asked(call.arguments)

    async def _may_speak(self) -> bool:
        """Waits for the model's word on the step where it is asked beside."""
        self.withheld = self._check is not None and not await self._check.agrees()
        return not self.withheld

    @property
    def came_to_something(self) -> bool:
        """Whether anything was said or done, or held back on purpose."""
        return bool(self._delivery.sentences or self.keys or self.tool_calls or self.withheld)

    @property
    def is_last(self) -> bool:
        """Whether nothing of this turn's answer follows."""
        return not (self.tool_calls or self.withheld)

    def places(self, found: Sequence[Found]) -> tuple[str, ...]:
        """Where what it told stands in the documents."""
        cited = self._citations.cited if self._citations else ()
        return places_cited(cited, [one.passage.place for one in found])

    def total_usage(self) -> Usage:
        """What it cost so far."""
        characters = sum(len(sentence) for sentence in self._delivery.sentences)
        return sum_usage([*self._usages, Usage(characters=characters, voice=self._delivery.stand_in)])


def _made(kept: tuple[str, ...], delivery: Delivery) -> str:
    return " ".join(filter(None, [*kept, delivery.made]))


def asked_beside(request: Respond) -> ReasonStep:
    """What is asked of the model beside an answer in a step that is only likely."""
    asked = request.finding or FindBeside(request.step)
    return ReasonStep(
        request.call_id,
        request.playbook,
        asked.current_step,
        request.key.turn,
        request.caller_text,
        request.recent,
        mood=asked.mood,
        memory=request.memory,
        variables=request.variables,
        language=asked.language,
    )


def _place(playbook: Playbook, request: MatchStep | ReasonStep) -> Place:
    where = (request.memory, request.current_step, request.turn, request.text, request.variables, request.language)
    return place_of(playbook, *where)


def _filler_after_ms(request: Respond) -> float:
    """The caller waits from the end of the turn on: what finding the step took is part of it."""
    waited = (request.step_to_ms or 0.0) - (request.step_from_ms or 0.0) if not request.tools else 0.0
    ahead = EAGER_MS if request.hold else 0.0
    after = request.filler_after_ms
    return max(min(SHORTEST_WAIT_MS, after), after - waited) + ahead


def _timed(step: Step, started_ms: float) -> Step:
    at_ms = now_ms()
    return replace(step, took_ms=round(at_ms - started_ms, 3), at_ms=at_ms)
