"""The playbooks of the calls a worker has had, ready for use: no turn reads SQL."""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import jsonschema_rs

from activities.ready_tools import with_ready_tools
from activities.spoken_lines import as_spoken, fixed_lines
from activities.step_learning import StepLearning
from core.canned import CannedFinder
from core.conversation import Step
from core.manner import Manner
from core.playbook import Playbook
from core.ports.playbooks import Playbooks
from core.ports.speech import VoiceSettings
from core.ports.tools import ToolKind
from core.protected import Protected, protected_in
from core.sentences import sentences_of
from core.steps import StepFinder
from core.turns import Listen

ROOM = 64
SLOWEST, FASTEST = 0.7, 1.2  # of any voice, times its own speed
CLEAR_STABILITY = 0.8
QUIET_MS = 30_000  # a caller who was told to take their time may take so much more before we ask


@dataclass(frozen=True, slots=True)
class ReadyPlaybook:
    """A playbook and what is made of it once."""

    playbook: Playbook
    finder: StepFinder
    canned: CannedFinder
    arguments: dict[str, jsonschema_rs.Validator]  # tool name -> its JSON Schema
    voice: VoiceSettings
    voices: dict[str, VoiceSettings]  # by language
    fixed_lines: frozenset[str]  # as they are spoken, in every language
    fillers: dict[str, tuple[str, ...]]  # line -> its sentences
    protected: Protected

    def match(self, text: str, current_step: str, *, canned: bool, reachable: Collection[str] | None = None) -> Step:
        """The step of a turn by its words, ``name`` None if unsure; with its canned answer if one may be given."""
        found = self.finder.find(text, current_step, reachable)
        answer = self.canned.find(text, found.name) if canned else None
        if answer is None:
            return found
        step = self.playbook.step(answer.step)
        return Step(
            step.name,
            max(found.confidence, round(answer.confidence, 3)),
            answer.method,
            escalates=step.escalates,
            ends_call=step.ends_call,
            answer=answer.answer,
        )

    def answers_in(self, kept: tuple[str, ...]) -> tuple[str, ...]:
        """What of the sentences that an earlier attempt left behind is part of the answer: not its filler."""
        no_answer = {sentence for sentences in self.fillers.values() for sentence in sentences}
        return tuple(sentence for sentence in kept if sentence not in no_answer)

    def fillers_in(self, kept: tuple[str, ...]) -> set[str]:
        """The fillers among such sentences."""
        return {line for line, sentences in self.fillers.items() if set(sentences) <= set(kept)}

    def voice_in(self, manner: Manner) -> VoiceSettings:
        """The voice as this caller is to hear it."""
        voice = self.voices.get(manner.language, self.voice)
        stability = voice.stability if manner.stability is None else manner.stability
        stability = max(stability, CLEAR_STABILITY) if manner.clear else stability
        speed = min(FASTEST, max(SLOWEST, voice.speed * manner.speed * manner.mood_speed))
        return replace(voice, stability=stability, speed=speed)

    def line_voice_in(self, manner: Manner, line: str) -> VoiceSettings:
        """The voice of a line: what is fixed sounds alike in every mood, so that it is there already."""
        fixed = as_spoken(line) in self.fixed_lines
        return self.voice_in(replace(manner, stability=None, mood_speed=1.0) if fixed else manner)

    def listen_in(self, manner: Manner, step: str, line: str = "") -> Listen:
        """How to listen to this caller's answer to a reply in this step, or to a line."""
        interruptible = bool(line) or all(known.interruptible for known in self.playbook.steps if known.name == step)
        expects, digits = self.playbook.expects(step)
        fixed = self.playbook.lines_in(manner.language)
        return Listen(
            answer=expects,
            digits=digits,
            pause_ms=manner.pause_ms,
            language=manner.language,
            keypad=self.playbook.keypad(step),
            quiet_ms=QUIET_MS if line and line == fixed.take_your_time else 0,
            more=line in (*fixed.fillers, *fixed.holding_lines),
            interruptible=interruptible,
            protected=self.protected.sentences_in(line),
        )


class PlaybookShelf:
    """Keeps the playbooks last used. A reference names content, so what is kept never gets old."""

    def __init__(
        self,
        playbooks: Playbooks,
        kinds: Mapping[str, ToolKind] | None = None,
        learning: StepLearning | None = None,
    ) -> None:
        self._playbooks = playbooks
        self._kinds = kinds or {}
        self._learning = learning
        self._ready: OrderedDict[str, ReadyPlaybook] = OrderedDict()

    async def get(self, ref: str) -> ReadyPlaybook:
        """The playbook with this reference, from storage the first time. Raises UnknownPlaybook."""
        ready = self._ready.get(ref)
        if ready is None:
            ready = _prepare(await self._playbooks.load(ref), self._kinds)
            self._ready[ref] = ready
            if self._learning is not None:
                self._learning.teach(ready.canned)
            if len(self._ready) > ROOM:
                self._ready.popitem(last=False)
        self._ready.move_to_end(ref)
        if self._learning is not None:
            self._learning.heed(ready.playbook, ready.finder)
        return ready


def _prepare(playbook: Playbook, kinds: Mapping[str, ToolKind]) -> ReadyPlaybook:
    playbook, arguments = with_ready_tools(playbook, kinds)
    return ReadyPlaybook(
        playbook=playbook,
        finder=StepFinder(playbook),
        canned=CannedFinder(playbook),
        arguments=arguments,
        voice=voice_of(playbook),
        voices={language: voice_of(playbook, language) for language in playbook.spoken},
        fixed_lines=frozenset(
            as_spoken(line) for language in playbook.spoken for line in fixed_lines(playbook, language)
        ),
        fillers={line: tuple(sentences_of(line)) for line in playbook.every_filler},
        protected=protected_in(playbook),
    )


def voice_of(playbook: Playbook, language: str = "") -> VoiceSettings:
    """The playbook's voice for a language ("": the first), as long as nothing else is known of the caller."""
    voice = playbook.voice_in(language)
    return VoiceSettings(
        voice.id, voice.model, voice.stability, voice.similarity_boost, voice.speed, language or playbook.language
    )
