"""What was said, done and found in a call, turn by turn. Frozen parts: histories remember them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from core.agenda import LIKELY, UNCLEAR, Matter


@dataclass(frozen=True)
class ToolCall:
    """A tool the model asked for."""

    id: str  # the model's id, to pair the result
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ToolResult:
    """What became of a tool call, as the model will read it."""

    call: ToolCall
    ok: bool
    content: str  # JSON, or the error in words
    took_ms: int = 0


@dataclass(frozen=True)
class Usage:
    """What a reply cost its vendors."""

    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    characters: int = 0  # spoken
    voice: str = ""  # who spoke, "<vendor> <model>", where it was not the playbook's voice


@dataclass(frozen=True)
class Transcribed:
    """Audio that a recogniser was given at once, beside the live stream."""

    by: str = ""  # "<vendor> <model>"
    seconds: float = 0.0


@dataclass(frozen=True)
class Step:
    """The step a turn belongs to. ``name`` None: not found by this method."""

    name: str | None
    confidence: float
    method: str  # "lexical" | "minilm" | "model" | "keys" | "wish" | "transition" | "policy", or one of core.agenda's
    took_ms: float = 0.0
    at_ms: float | None = None  # when it was found, by the worker's clock
    escalates: bool = False
    ends_call: bool = False
    usage: Usage | None = None  # what the model took, where it was asked
    mood: str = ""  # the caller's (core.mood.Mood), where the model was asked for it
    answer: str = ""  # a canned one of the playbook: no model is needed
    slots: dict[str, str] = field(default_factory=dict)  # what the words plainly tell
    detour: bool = False  # the call comes back to where it was
    fallback: bool = False  # the words alone did not tell: the model found it
    choices: tuple[str, ...] = ()  # unclear: the steps that it may be, the likeliest first
    matters: tuple[Matter, ...] = ()  # what else the turn asks for, in the order in which it is served
    likely: str = ""  # ``name`` is None, and this step is clearly the likeliest

    @property
    def is_guess(self) -> bool:
        """Whether the answer is begun in it while the model is asked."""
        return self.method == LIKELY

    @property
    def gives_up(self) -> bool:
        """Whether it is unclear once too often: a person is to go on."""
        return self.escalates and self.method == UNCLEAR


@dataclass(frozen=True)
class Exchange:
    """One turn as the prompt remembers it: what was said, done and heard."""

    turn: int
    caller: str  # "" before the caller's first words
    assistant: str  # heard text only
    interrupted: bool = False
    tools: tuple[ToolResult, ...] = ()
    supervisor: str = ""  # what a supervisor said to the caller after that


@dataclass(frozen=True)
class TurnRecord:
    """One turn, whole: the row in SQL and the line on a screen."""

    turn: int
    caller: str
    confidence: float
    step: str
    step_method: str
    step_confidence: float
    said: str  # what the assistant sent
    heard: str  # what the caller heard of it
    interrupted: bool
    tools: tuple[ToolResult, ...] = ()
    layers: dict[str, float] = field(default_factory=dict)  # name -> ms, see core.timings
    usage: Usage = Usage()
    started_ms: float = 0.0
    step_usage: Usage = Usage()  # of finding the step
    answer_method: str = ""  # MODEL | CANNED; "": the turn was not answered
    mood: str = ""  # the caller's (core.mood.Mood); "": not known
    played_ms: int = 0  # how long the assistant was heard
    talk_over_ms: int = 0  # of it, while the caller was speaking
    fallback: bool = False  # the words alone did not tell the step: the model found it
    supervisor: str = ""  # what a supervisor said to the caller after that
    told_from: tuple[str, ...] = ()  # where in documents the answer stands: "returns.md, Refunds"
    choices: tuple[str, ...] = ()  # its step was unclear: between these the caller was asked to choose
    matters: tuple[str, ...] = ()  # the steps it asked for, in the order in which they are served; (): one at most


MODEL: Final = "model"
CANNED: Final = "canned"
RECENT_EXCHANGES = 12
"""How many exchanges a prompt remembers."""


@dataclass
class Utterance:
    """One piece of assistant speech: a part of a turn's answer, or a line."""

    attachment: int
    part: int
    attempt: int = 1
    said: str = ""  # what was sent to the gateway; "" while it is still being made
    heard: str | None = None  # None: the gateway has not told yet
    interrupted: bool = False
    played_ms: int = 0
    talk_over_ms: int = 0
    over: bool = False  # all of it was made, and heard, but its maker is gone: nobody else tells
    aside: bool = False  # it only keeps company, or asks whether the caller is there: nobody misses its end
    line: str = ""  # all its words, where they are fixed
    whole: bool = False  # ``said`` is all of it
    made: str = ""  # of a try that failed: what was sent of it, as ``said``
    so_far: str = ""  # heard of it by the last word of its gateway, which may be dead
    lost: bool = False  # its stream has ended before its end was heard, and nothing has taken its place since

    def take_so_far(self, heard: str) -> None:
        """Its worker tells this of its hearing, perhaps when it is lost already and nobody knows better."""
        self.so_far = heard
        if self.heard == "":
            self.lose(lost=self.lost)

    def lose(self, *, lost: bool = True) -> None:
        """Nobody else will tell what was heard of it."""
        self.said, self.heard, self.lost = self.said or self.made, self.so_far, lost


@dataclass
class Turn:
    """A turn while it is going on. Its frozen forms: ``record``, ``exchange``."""

    number: int
    step: str
    caller: str = ""
    confidence: float = 1.0
    step_method: str = "kept"
    step_confidence: float = 0.0
    step_from_ms: float | None = None  # finding it began, and ended, by the workers' clocks
    step_to_ms: float | None = None
    asked_ms: float | None = None  # the first activity of a turn with tool calls started
    tried_ms: float | None = None  # the first attempt at the answer was scheduled
    before: dict[str, float] = field(default_factory=dict)  # what else took time before the answer: core.timings
    utterances: list[Utterance] = field(default_factory=list)
    tools: list[ToolResult] = field(default_factory=list)
    layers: dict[str, float] = field(default_factory=dict)
    usage: Usage = Usage()
    started_ms: float = 0.0
    step_usage: Usage = Usage()
    slots: dict[str, str] = field(default_factory=dict)  # what it plainly tells
    canned: str = ""  # the answer found for it
    answer_method: str = ""
    mood: str = ""
    told_from: tuple[str, ...] = ()
    fillers: int = 0  # so many were said in it
    tools_told: int = 0  # how many of ``tools`` had answered when we spoke last
    eager: int | None = None  # the event that brought it: it may be no turn at all, and counts for nothing yet
    dropped: bool = False  # it was none
    fallback: bool = False  # only the model could tell its step
    first_part: int = 0  # parts before were made for eager turns of the same number
    supervisor: str = ""  # what a supervisor said to the caller in it
    choices: tuple[str, ...] = ()
    matters: tuple[str, ...] = ()
    found_from: str = ""  # the step in which the caller said it, where the answer is begun in a likely one
    asked: str = ""  # the step its words belong to, once it has gone on with another one
    part: str = ""  # the step that it has gone on with
    part_words: str = ""
    part_from: tuple[int, int] = (0, 0)  # the first of ``utterances`` and of ``tools`` that are that step's
    resumed: bool = False  # that step was left half done before
    heard_before: tuple[str, ...] = ()  # sentences of an answer that a lost stream has cut off: it goes on after them
    heard_up_to: int = -1  # the part in which they end

    def go_on(self, matter: Matter, *, resumed: bool) -> None:
        """What its words belong to is answered: the next step is taken up without another turn of the caller's."""
        self.asked = self.asked or self.step
        self.step = self.part = matter.step
        self.part_words = "" if resumed else matter.words or self.caller
        self.part_from = len(self.utterances), len(self.tools)
        self.resumed, self.canned, self.tried_ms = resumed, "", None

    def before_part(self) -> tuple[Exchange, ...]:
        """What was said and done in it before it went on with another step."""
        if not self.part:
            return ()
        said, done = self.part_from
        heard = _spoken(self.utterances[:said])
        return (Exchange(self.number, self.caller, heard, tools=tuple(self.tools[:done])),)

    @property
    def said_of_part(self) -> str:
        """What was said since."""
        return _spoken(self.utterances[self.part_from[0] :])

    @property
    def words_of_part(self) -> str:
        """The caller's words that are answered now."""
        return self.part_words if self.part else self.caller

    @property
    def said(self) -> str:
        """What the assistant sent."""
        return _joined(utterance.said for utterance in self.utterances)

    @property
    def heard(self) -> str:
        """What the caller is known to have heard."""
        return _joined(utterance.heard or "" for utterance in self.utterances)

    @property
    def interrupted(self) -> bool:
        """Whether the caller cut in."""
        return any(said.interrupted and (bool(said.heard) or not said.aside) for said in self.utterances)

    @property
    def outstanding(self) -> bool:
        """Whether the gateway has still to tell what was heard."""
        return any(utterance.heard is None for utterance in self.utterances)

    @property
    def making(self) -> bool:
        """Whether speech is being made of which the caller has not heard the end."""
        return any(not utterance.said and utterance.heard is None for utterance in self.utterances)

    @property
    def owes_results(self) -> bool:
        """Whether tools have answered and the caller has not heard of it, or not all."""
        return len(self.tools) > self.tools_told or (bool(self.tools) and self.interrupted)

    def fixed_answer(self) -> str:
        """The canned answer; "" if there is none, or tools have told something since. Writes down who answers."""
        line = "" if self.tools else self.canned
        self.answer_method = CANNED if line else MODEL
        return line

    def exchange(self) -> Exchange:
        """As the prompt remembers it. Speech that is still playing counts as heard."""
        heard = _spoken(self.utterances)
        return Exchange(self.number, self.caller, heard, self.interrupted, tuple(self.tools), self.supervisor)

    def record(self) -> TurnRecord:
        """The whole turn."""
        return TurnRecord(
            turn=self.number,
            caller=self.caller,
            confidence=self.confidence,
            step=self.asked or self.step,
            step_method=self.step_method,
            step_confidence=self.step_confidence,
            said=self.said,
            heard=self.heard,
            interrupted=self.interrupted,
            tools=tuple(self.tools),
            layers=self.layers,
            usage=self.usage,
            started_ms=self.started_ms,
            step_usage=self.step_usage,
            answer_method=self.answer_method,
            mood=self.mood,
            played_ms=sum(utterance.played_ms for utterance in self.utterances),
            talk_over_ms=sum(utterance.talk_over_ms for utterance in self.utterances),
            fallback=self.fallback,
            supervisor=self.supervisor,
            told_from=self.told_from,
            choices=self.choices,
            matters=self.matters,
        )


@dataclass
class Conversation:
    """All turns of a call, the running one last. Turn 0 is before the caller's first words."""

    turns: list[Turn]
    withdrawn: list[Usage] = field(default_factory=list)  # of answers that were made ahead and never let go
    beside: list[Usage] = field(default_factory=list)  # of models that were asked beside those that answered
    heard_again: list[Transcribed] = field(default_factory=list)  # turns of which the live recogniser was unsure
    dropped: tuple[int, int] = (0, 0)  # the eager turn last dropped, and how many parts its number has used up

    @classmethod
    def begin(cls, step: str, now_ms: float) -> "Conversation":
        """A call in which nothing was said yet."""
        return cls([Turn(0, step, started_ms=now_ms)])

    @property
    def now(self) -> Turn:
        """The running turn."""
        return self.turns[-1]

    @property
    def owes_results(self) -> bool:
        """Whether only the model can answer now: it has to tell what tools have found."""
        return any(turn.owes_results for turn in self.turns[-2:])

    @property
    def settled(self) -> Turn:
        """The last turn that is no mere guess."""
        return self.now if self.now.eager is None else self.turns[-2]

    def hear(self, number: int, text: str, confidence: float, now_ms: float) -> Turn:
        """The caller has spoken. A number that was used already goes on with that turn."""
        if number <= self.now.number:
            self.now.caller = _joined((self.now.caller, text))
            self.now.confidence = min(self.now.confidence, confidence)
        else:
            first = self.dropped[1] if self.dropped[0] == number else 0
            turn = Turn(number, self.now.step, text, confidence, started_ms=now_ms, first_part=first)
            self.turns.append(turn)
        return self.now

    def foresee(self, number: int, text: str, confidence: float, now_ms: float, seq: int) -> Turn:
        """The caller has probably spoken: the running turn, until it is committed or dropped."""
        turn = self.hear(number, text, confidence, now_ms)
        turn.eager = seq
        return turn

    def commit(self, turn: Turn, confidence: float, now_ms: float) -> None:
        """It was a turn."""
        turn.eager, turn.confidence, turn.started_ms = None, confidence, now_ms

    def drop(self) -> None:
        """The running turn was none. What it took is counted apart; its number goes on with parts of its own."""
        turn = self.turns.pop()
        turn.dropped = True
        self.dropped = turn.number, turn.first_part + len(turn.utterances)
        self.spend(turn, Usage())

    def spend(self, turn: Turn, usage: Usage) -> None:
        """Put on a turn what an answer to it took, also when it comes to light later."""
        turn.usage = sum_usage((turn.usage, usage))
        if turn.dropped:
            self.withdrawn += [used for used in (turn.usage, turn.step_usage) if used != Usage()]
            turn.usage = turn.step_usage = Usage()

    def find(self, step: Step) -> None:
        """The running turn belongs to this step."""
        self.now.step = step.name or self.now.step
        self.now.step_method = step.method
        self.now.step_confidence = step.confidence
        self.now.fallback = step.fallback
        if step.usage is not None:
            self.now.step_usage = sum_usage((self.now.step_usage, step.usage))
        self.now.canned = step.answer
        self.now.choices = step.choices
        self.now.matters = (self.now.step, *(matter.step for matter in step.matters)) if step.matters else ()
        self.now.slots = dict(step.slots)
        self.now.mood = step.mood or self.now.mood

    def speak(self, attachment: int, line: str = "", *, aside: bool = False) -> Utterance:
        """Begin the running turn's next piece of speech. Unless it is said aside, what was lost before is made up for.

        ``line``: its words, where they are fixed.
        """
        utterance = Utterance(attachment, self.now.first_part + len(self.now.utterances), line=line, aside=aside)
        if not aside:
            for before in self.now.utterances:
                before.lost = False
        self.now.utterances.append(utterance)
        self.now.tools_told = len(self.now.tools)
        return utterance

    def heard(
        self,
        turn: int,
        utterance: tuple[int, int, int],
        text: str,
        *,
        interrupted: bool,
        played_ms: int = 0,
        talk_over_ms: int = 0,
        last: bool = False,
        lost: bool = False,
    ) -> Turn | None:
        """What was heard of (attachment, part, attempt); the turn, or None if there is no such speech.

        ``last``: its maker is gone, and had nothing left to do. ``lost``: its end was not heard, and nobody cut in.
        """
        attachment, part, attempt = utterance
        for candidate in reversed(self.turns):
            if candidate.number != turn:
                continue
            for spoken in candidate.utterances:
                if (spoken.attachment, spoken.part) == (attachment, part) and attempt >= spoken.attempt:
                    spoken.lost = lost and (spoken.heard is None or spoken.lost)
                    spoken.heard, spoken.interrupted = text, interrupted
                    spoken.played_ms, spoken.talk_over_ms = played_ms, talk_over_ms
                    spoken.over, spoken.said = last, spoken.said or (text if last else "")
                    return candidate
        return None

    def overhear(self, turn: int, text: str) -> None:
        """A supervisor has said this to the caller, after they had said their turn of that number."""
        said = next((known for known in reversed(self.turns) if known.number <= turn), self.now)
        said.supervisor = _joined((said.supervisor, text))

    def lose_unheard(self) -> bool:
        """The gateway is gone: what it has not told, only its workers know. Whether anything was lost."""
        lost = [(turn, said) for turn in self.turns for said in turn.utterances if said.heard is None]
        for _, utterance in lost:
            utterance.lose()
        return any(turn.eager is None for turn, _ in lost)

    def recent(self) -> tuple[Exchange, ...]:
        """The exchanges before the running turn that a prompt remembers."""
        return tuple(turn.exchange() for turn in self.turns[-RECENT_EXCHANGES - 1 : -1])

    def since(self, turn: int) -> tuple[Exchange, ...]:
        """The exchanges from a turn on, the running one too; no more than a prompt remembers."""
        return tuple(known.exchange() for known in self.turns[-RECENT_EXCHANGES:] if known.number >= turn)

    def between(self, turn: int, newest: int) -> tuple[Exchange, ...]:
        """The exchanges after a turn and before the ``newest``."""
        return tuple(known.exchange() for known in self.turns[:-newest] if known.number > turn)

    def records(self) -> list[TurnRecord]:
        """All turns that are no mere guess."""
        return [turn.record() for turn in self.turns if turn.eager is None]


def sum_usage(usages: Iterable[Usage]) -> Usage:
    """Together; the model and the voice last named count."""
    total = Usage()
    for usage in usages:
        total = Usage(
            usage.model or total.model,
            total.input_tokens + usage.input_tokens,
            total.output_tokens + usage.output_tokens,
            total.characters + usage.characters,
            usage.voice or total.voice,
        )
    return total


def _spoken(utterances: Iterable[Utterance]) -> str:
    return _joined(said.said if said.heard is None else said.heard for said in utterances)


def _joined(texts: Iterable[str]) -> str:
    return " ".join(text for text in texts if text)
