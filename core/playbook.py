"""The playbook: what a call is for and how it goes, as a business person writes it in YAML."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Self

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from core.keypad import Key, KeyAction, Keypad
from core.playbook_after import AfterCallChoice, FollowUp, QuietChoice, check_after_call
from core.playbook_checks import talk_faults
from core.playbook_dialogue import Limits, Policies, Slot, StepTalk, Talk, Transition, Variable
from core.playbook_finding import StepFinding
from core.playbook_knowledge import Knowing, check_knowledge
from core.playbook_parts import (
    AnswerKindName,
    Canned,
    DigitsChoice,
    KeyChoice,
    KeyName,
    Language,
    Line,
    Lines,
    Misplaced,
    MoodChoice,
    MoodVoiceChoice,
    Name,
    Part,
    PhoneNumber,
    SeveralMisplaced,
)
from core.playbook_tools import Auth, HttpLookUp, HttpRequest, McpCall, Tool, Undo, check_read_back, tools_fit
from core.playbook_yaml import written_out
from core.queues import Escalation, Hours, Queue, queues_fit
from core.small_words import SMALL_WORDS

END_CALL_TOOL = "end_call"
TRANSFER_TOOL = "transfer_to_human"
PRESS_KEYS_TOOL = "press_keys"  # only in steps that list it
OWN_TOOLS = (END_CALL_TOOL, TRANSFER_TOOL, PRESS_KEYS_TOOL)


class VoiceChoice(Part):
    """Whose voice speaks, and how."""

    id: str = Field("21m00Tcm4TlvDq8ikWAM", min_length=1)
    model: str = "eleven_flash_v2_5"
    stability: float = Field(0.5, ge=0, le=1)
    similarity_boost: float = Field(0.75, ge=0, le=1)
    speed: float = Field(1.0, ge=0.7, le=1.2)


class TurnTakingChoice(Part):
    """How long the assistant waits, and what interrupts it. Field meanings: core.turns.TurnTaking."""

    recogniser: str = Field("flux", pattern="^(flux|nova-3|gladia)$")
    end_of_turn_threshold: float = Field(0.7, ge=0.5, le=1.0)
    end_of_turn_timeout_ms: int = Field(5_000, ge=500, le=60_000)
    eager_end_of_turn_threshold: float | None = Field(
        0.5, ge=0.3, le=0.9, description="how sure a turn's end is for its answer to be made ahead; null: never"
    )
    endpointing_ms: int = Field(300, ge=10, le=5_000)
    interruptible: bool = True
    barge_in_min_words: int = Field(1, ge=1, le=10)
    barge_in_min_ms: int = Field(700, ge=100, le=10_000)
    barge_in_hold_ms: int = Field(120, ge=0, le=2_000)
    protected_opening_ms: int = Field(0, ge=0, le=60_000)
    backchannels: tuple[Line, ...] = ()
    expects: AnswerKindName = "open"
    longest_pause_ms: int = Field(2_500, ge=1_000, le=20_000)
    silence_after_ms: int = Field(10_000, ge=2_000, le=120_000)
    keyterms: tuple[str, ...] = ()


class Translation(Lines):
    """The lines in another language, and perhaps another voice for it."""

    voice: VoiceChoice | None = None
    escalation_line: Line | None = Field(None, description="as in mood, where that hands over")
    helps: dict[Name, Line] = Field(default_factory=dict, description="step -> its help")
    must_say: tuple[Line, ...] = Field((), description="policies.must_say, in the same order")
    read_backs: dict[Name, Line] = Field(default_factory=dict, description="tool -> its read_back")
    unknown: Line | None = Field(None, description="as unknown, where the playbook has knowledge")


class PlaybookStep(StepTalk):
    """One thing to achieve in the call."""

    name: Name
    goal: Line
    examples: tuple[Line, ...] = ()
    canned: tuple[Canned, ...] = ()
    tools: tuple[Name, ...] = ()
    digits: DigitsChoice | None = None
    keys: dict[KeyName, KeyChoice] = Field(default_factory=dict, description="in this step, on top of the playbook's")
    escalates: bool = False
    queue: Name | None = Field(None, description="where it escalates to; default: the first one")
    ends_call: bool = False
    help: Line | None = Field(None, description="said to a caller who is silent in this step for a second time")
    expects: AnswerKindName | None = Field(None, description="the kind of answer that answers in this step ask for")
    expects_digits: int = Field(0, ge=0, le=40, description="how many digits a number has; 0: as `digits`, or unknown")
    interruptible: bool = Field(True, description="whether the caller may cut answers in this step off")

    @property
    def callers_say(self) -> tuple[str, ...]:
        """All examples of what callers say in this step."""
        return (*self.examples, *(example for canned in self.canned for example in canned.examples))


class Playbook(Talk, Knowing):
    """A whole playbook. ``ref`` is its name and the hash of its text."""

    name: Name
    goal: Line
    persona: Line
    language: Language = Field("en", description="the call begins in it")
    languages: tuple[Language, ...] = Field((), description="all the caller may speak, the call's first in front")
    translations: dict[Language, Translation] = Field(default_factory=dict, description="lines in the other languages")
    numbers: tuple[PhoneNumber, ...] = Field((), description="numbers of ours that this playbook answers")
    voice: VoiceChoice = VoiceChoice()
    disclosure: Line = "I am an AI assistant, and this call may be recorded."
    protect_disclosure: bool = Field(True, description="whether the disclosure is said to its end, whatever is heard")
    protected_lines: tuple[Line, ...] = Field((), description="sentences of lines that are said to their end")
    greeting: Line
    welcome_back: Line = "Sorry, we were cut off for a moment. Please go on."
    handed_back: Line = Field("I am back with you.", description="said when a supervisor has handed the caller back")
    holding_lines: tuple[Line, ...] = Field(("One moment, please.", "Just a second, I am still here."), min_length=1)
    fillers: tuple[Line, ...] = ("Let me see.", "One moment, let me check.", "Just a second.")
    filler_after_ms: int = Field(1_200, ge=300, le=10_000, description="of silence where an answer is due")
    silence_prompts: tuple[Line, ...] = ("Are you still there?", "I can't hear you. Please tell me how I can help.")
    take_your_time: Line = "Take your time."
    farewell: Line = "Thank you for calling. Goodbye."
    apology: Line = "I am sorry, something went wrong on our side. Please call again a little later."
    transfer_to: PhoneNumber | None = Field(None, description="connected without a word, where there are no queues")
    queues: tuple[Queue, ...] = Field((), description="who is briefed before a caller is put through to them")
    escalation: Escalation = Escalation()
    turn_taking: TurnTakingChoice = TurnTakingChoice()
    mood: MoodChoice = MoodChoice()
    min_confidence: float = Field(0.5, ge=0, le=1)
    never_say: tuple[Line, ...] = ()
    keys: dict[KeyName, KeyChoice] = Field(
        default_factory=dict, description="what single keys do, all through the call"
    )
    language_keys: dict[KeyName, Language] = Field(default_factory=dict, description="keys that choose a language")
    steps: tuple[PlaybookStep, ...] = Field(min_length=1)
    tools: tuple[Tool, ...] = ()
    tool_hosts: tuple[str, ...] = Field((), description="where tools may send requests to: host or host:port")
    after_call: AfterCallChoice = AfterCallChoice()
    digest: str = Field("", exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _first_language(cls, written: Any) -> Any:
        """The first of ``languages`` need not be written twice."""
        languages = written.get("languages") if isinstance(written, dict) else None
        if isinstance(languages, list | tuple) and languages and "language" not in written:
            return written | {"language": languages[0]}
        return written

    @model_validator(mode="after")
    def _languages_fit(self) -> Self:
        if self.languages and self.languages[0] != self.language:
            raise Misplaced(("languages", 0), f"the first one must be the call's language, {self.language!r}")
        _unique("languages", list(self.languages), "")
        for index, language in enumerate(self.languages[1:], 1):
            if language not in self.translations:
                raise Misplaced(("languages", index), f"translations has no lines in {language!r}")
        others = list(self.languages[1:])
        for language in self.translations:
            if language not in others:
                raise Misplaced(("translations", language), "is not among the other languages", language, others)
        for key, language in self.language_keys.items():
            if language not in self.spoken:
                known = list(self.spoken)
                raise Misplaced(("language_keys", key), f"{language!r} is not among languages", language, known)
            if key in self.keys or any(key in step.keys for step in self.steps):
                raise Misplaced(("language_keys", key), "the key does something else in this playbook")
        return self

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        _unique("steps", [step.name for step in self.steps])
        _unique("tools", [tool.name for tool in self.tools])
        for index, tool in enumerate(self.tools):
            if tool.name in OWN_TOOLS:
                raise Misplaced(("tools", index, "name"), f"{tool.name!r} is the product's; give yours another name")
        tools_fit(self.tools, self.tool_hosts, self.sensitive_fields)
        known = self.tool_names
        _answers_fit(self.steps, self.language)
        _fillers_fit(self.fillers, ())
        for language, lines in self.translations.items():
            _fillers_fit(lines.fillers, ("translations", language))
            for name in lines.helps:
                if name not in (names := [step.name for step in self.steps]):
                    at = ("translations", language, "helps", name)
                    raise Misplaced(at, f"no step is named {name!r}", name, names)
            self._read_backs_fit(language, lines.read_backs)
            if self.mood.escalate_after and lines.escalation_line is None:
                raise Misplaced(("translations", language, "escalation_line"), "is missing: mood hands callers over")
        queues_fit(self.queues, self.escalation, {n: step.queue for n, step in enumerate(self.steps) if step.queue})
        if self.mood.escalate_after and not self.has_people:
            raise Misplaced(("mood", "escalate_after"), "needs transfer_to, a number to hand over to")
        if not self.mood.read and (self.mood.every or self.mood.escalate_after or self.mood.voices):
            raise Misplaced(("mood", "read"), "is off, so nothing else of mood can take effect")
        for index, step in enumerate(self.steps):
            for place, name in enumerate(step.tools):
                if name not in known:
                    raise Misplaced(("steps", index, "tools", place), f"no tool is named {name!r}", name, sorted(known))
            if step.escalates and not self.has_people:
                raise Misplaced(("steps", index, "escalates"), "escalates needs transfer_to, a number to hand over to")
            self._keys_fit(step.keys, ("steps", index, "keys"))
            self._digits_fit(step, ("steps", index, "digits"))
        self._keys_fit(self.keys, ("keys",))
        check_after_call(self.after_call)
        check_knowledge(self)
        if faults := list(talk_faults(self)):
            raise SeveralMisplaced(faults)
        return self

    def _read_backs_fit(self, language: str, lines: dict[Name, Line]) -> None:
        asking = {tool.name: tool for tool in self.tools if tool.asks_first}
        at = ("translations", language, "read_backs")
        for name, line in lines.items():
            if name not in asking:
                raise Misplaced((*at, name), f"no tool that asks first is named {name!r}", name, list(asking))
            check_read_back(line, asking[name], (*at, name), self.sensitive_fields)
        for name in asking.keys() - lines.keys():
            raise Misplaced(at, f"has no line for {name!r}, which the caller confirms")

    def _keys_fit(self, keys: dict[str, KeyChoice], at: tuple[str | int, ...]) -> None:
        for key, does in keys.items():
            if does == "transfer" and not self.has_people:
                raise Misplaced((*at, key), "transfer needs transfer_to, a number to hand over to")

    def _digits_fit(self, step: PlaybookStep, at: tuple[str | int, ...]) -> None:
        digits = step.digits
        if digits is None:
            return
        if digits.min > digits.max:
            raise Misplaced((*at, "min"), f"must not be above max, which is {digits.max}")
        if not digits.sensitive:
            return
        named = {name for tool in self.tools for name in tool.arguments.get("properties", {})}
        if digits.name not in named:
            message = f"no tool has an argument named {digits.name!r}, and only tools are given sensitive digits"
            raise Misplaced((*at, "name"), message, digits.name, sorted(named))

    @cached_property
    def slots(self) -> dict[str, Slot]:
        """All that is collected, by name."""
        return {slot.name: slot for step in self.steps for slot in step.collect}

    @cached_property
    def tool_names(self) -> frozenset[str]:
        """Of every tool there is."""
        return frozenset({tool.name for tool in self.tools} | set(OWN_TOOLS))

    @cached_property
    def anytime_steps(self) -> frozenset[str]:
        """Steps that may come from anywhere."""
        return frozenset(
            step.name
            for step in self.steps
            if (step.anytime if step.anytime is not None else step.escalates or step.ends_call)
        )

    @property
    def keeps_notes(self) -> bool:
        """Whether there is something to find out in what callers say."""
        return bool(self.slots or self.facts)

    def must_say_in(self, language: str) -> tuple[str, ...]:
        """What has to be said before the call ends."""
        translation = self.translations.get(language)
        return translation.must_say if translation else self.policies.must_say

    def queue(self, name: str) -> Queue:
        """The queue of that name. Raises KeyError."""
        return {queue.name: queue for queue in self.queues}[name]

    @property
    def has_people(self) -> bool:
        """Whether there is anybody to hand over to."""
        return bool(self.transfer_to or self.queues)

    @property
    def ref(self) -> str:
        """ "name@hash": what histories and inputs carry."""
        return f"{self.name}@{self.digest}"

    def step(self, name: str) -> PlaybookStep:
        """The step of that name. Raises KeyError."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    def keypad(self, step_name: str) -> Keypad:
        """What the caller may press in this step; "" is no step."""
        step = next((step for step in self.steps if step.name == step_name), None)
        keys = self.keys | step.keys if step else self.keys
        return Keypad(
            digits=step.digits.field if step and step.digits else None,
            keys=(
                *(Key(key, KeyAction(does)) for key, does in keys.items()),
                *(Key(key, KeyAction.LANGUAGE, language) for key, language in self.language_keys.items()),
            ),
        )

    def expects(self, step_name: str) -> tuple[str, int]:
        """The kind of answer that is asked for in this step, and how many digits it has; 0: not known."""
        step = next((step for step in self.steps if step.name == step_name), None)
        if step is None:
            return self.turn_taking.expects, 0
        keyed = step.digits
        kind = step.expects or ("number" if keyed else self.turn_taking.expects)
        return kind, step.expects_digits or (keyed.min if keyed and keyed.min == keyed.max else 0)

    @property
    def spoken(self) -> tuple[str, ...]:
        """Every language of the playbook, the call's first in front."""
        return self.languages or (self.language,)

    def lines_in(self, language: str) -> Lines:
        """The fixed lines in a language; in the first for one that is not spoken."""
        own = {name: getattr(self, name) for name in Lines.model_fields}
        return self.translations.get(language) or Lines(**own)

    @property
    def every_filler(self) -> tuple[str, ...]:
        """In every language."""
        return tuple(filler for language in self.spoken for filler in self.lines_in(language).fillers)

    def helps_in(self, language: str) -> dict[str, str]:
        """What helps a caller who is silent, by step."""
        if (translation := self.translations.get(language)) is not None:
            return dict(translation.helps)
        return {step.name: step.help for step in self.steps if step.help}

    def escalation_line_in(self, language: str) -> str:
        """What a heated caller is told before a person takes over."""
        translation = self.translations.get(language)
        return (translation and translation.escalation_line) or self.mood.escalation_line

    def voice_in(self, language: str) -> VoiceChoice:
        """The voice for a language."""
        translation = self.translations.get(language)
        return (translation and translation.voice) or self.voice

    @cached_property
    def sensitive_fields(self) -> frozenset[str]:
        """The names of digits that no one but a tool may be given."""
        return frozenset(step.digits.name for step in self.steps if step.digits and step.digits.sensitive)

    def tool(self, name: str) -> Tool:
        """The tool of that name. Raises KeyError."""
        for tool in self.tools:
            if tool.name == name:
                return tool
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a playbook's text."""

    file: str
    line: int
    field: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}: {self.field}: {self.message}{hint}"


class PlaybookFaults(ValueError):
    """A playbook cannot be used; ``faults`` says why, one line each."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def digest(text: str) -> str:
    """The hash in a playbook's reference: 12 hex digits of SHA-256 of its text."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def parse_playbook(text: str, file: str = "playbook.yaml") -> Playbook:
    """Read a playbook. Raises PlaybookFaults, which names file, line, field and a hint for each fault."""
    root, written = _read(text, file)
    if twice := list(_written_twice(root, (), file)):
        raise PlaybookFaults(twice)
    if not isinstance(written, dict):
        raise PlaybookFaults([Fault(file, 1, "(text)", "must be a mapping with name, goal, steps and more")])
    try:
        return Playbook.model_validate(written | {"digest": digest(text)})
    except ValidationError as error:
        raise PlaybookFaults(list(_faults(error, root, file))) from error


def fault_at(
    text: str, file: str, at: tuple[str | int, ...], message: str, wrote: str = "", known: Iterable[str] = ()
) -> Fault:
    """A fault that something else than the model has found in a text that it takes."""
    return Fault(
        file, _line(_read(text, file)[0], at), ".".join(map(str, at)), message, _did_you_mean(wrote, list(known))
    )


def _read(text: str, file: str) -> tuple[yaml.Node | None, Any]:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if written_out(root, _MOST_VALUES) > _MOST_VALUES:
            raise PlaybookFaults(
                [Fault(file, 1, "(text)", f"says more than {_MOST_VALUES} things, aliases written out")]
            )
        return root, yaml.safe_load(text)
    except PlaybookFaults:
        raise
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PlaybookFaults([Fault(file, line, "(text)", f"is no YAML: {error.problem}")]) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise PlaybookFaults([Fault(file, line, "(text)", f"is no YAML: {error.reason}")]) from error
    except (ValueError, RecursionError) as error:  # a date that is none, or nesting without end
        raise PlaybookFaults([Fault(file, 1, "(text)", f"cannot be read: {error}")]) from error


def _written_twice(node: yaml.Node | None, at: tuple[str | int, ...], file: str, depth: int = 0) -> Iterator[Fault]:
    """Fields that stand in the text twice: YAML would silently take the last."""
    if depth > _DEEPEST:
        return
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _written_twice(item, (*at, index), file, depth + 1)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            where = (*at, str(name.value))
            if name.value in seen:
                yield Fault(file, name.start_mark.line + 1, ".".join(map(str, where)), "is written twice")
            seen.add(str(name.value))
            yield from _written_twice(value, where, file, depth + 1)


def _faults(error: ValidationError, root: yaml.Node | None, file: str) -> Iterator[Fault]:
    for problem in error.errors():
        at: tuple[str | int, ...] = problem["loc"]
        message, hint = problem["msg"], ""
        cause = problem.get("ctx", {}).get("error")
        if isinstance(cause, SeveralMisplaced):
            for one in cause.faults:
                yield Fault(file, _line(root, one.at), _field(one.at), str(one), _did_you_mean(one.wrote, one.known))
            continue
        if isinstance(cause, Misplaced):
            at, message = cause.at, str(cause)
            hint = _did_you_mean(cause.wrote, cause.known)
        elif isinstance(cause, ValueError):
            message = str(cause)
        elif problem["type"] == "extra_forbidden":
            message = "no such field"
            hint = _did_you_mean(str(at[-1]), _fields_beside(at))
        elif problem["type"] in _IN_PLAIN_WORDS:
            message, hint = _IN_PLAIN_WORDS[problem["type"]]
        yield Fault(file, _line(root, at), _field(at), message, hint)


def _field(at: tuple[str | int, ...]) -> str:
    return ".".join(map(str, at)) or "(playbook)"


_DEEPEST = 50
_MOST_VALUES = 200_000
_IN_PLAIN_WORDS = {
    "missing": ("is missing", ""),
    "string_type": ("must be text", "numbers, dates, yes and no need quotes to be text"),
    "tuple_type": ("must be a list", ""),
    "model_type": ("must be a mapping", ""),
    "dict_type": ("must be a mapping", ""),
    "bool_parsing": ("must be true or false", ""),
    "bool_type": ("must be true or false", ""),
}


def _line(node: yaml.Node | None, at: tuple[str | int, ...]) -> int:
    """The line of the field, or of what should hold it."""
    line = node.start_mark.line + 1 if node else 1
    for key in at:
        if isinstance(node, yaml.MappingNode):
            for name, value in node.value:
                if name.value == str(key):
                    line, node = name.start_mark.line + 1, value
                    break
            else:
                return line
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            return line
    return line


def _fields_beside(at: tuple[str | int, ...]) -> list[str]:
    owners: dict[str | int, type[BaseModel]] = {
        "after_call": AfterCallChoice,
        "canned": Canned,
        "collect": Slot,
        "digits": DigitsChoice,
        "follow_ups": FollowUp,
        "limits": Limits,
        "mood": MoodChoice,
        "policies": Policies,
        "queues": Queue,
        "hours": Hours,
        "escalation": Escalation,
        "voices": MoodVoiceChoice,
        "quiet_hours": QuietChoice,
        "step_finding": StepFinding,
        "steps": PlaybookStep,
        "translations": Translation,
        "auth": Auth,
        "http": HttpRequest,
        "look_up": HttpLookUp,
        "mcp": McpCall,
        "tools": Tool,
        "transitions": Transition,
        "variables": Variable,
        "undo": Undo,
        "voice": VoiceChoice,
        "turn_taking": TurnTakingChoice,
    }
    owner = next((owners[name] for name in reversed(at[:-1]) if name in owners), Playbook)
    return [name for name in owner.model_fields if name != "digest"]


def _did_you_mean(wrote: str, known: list[str]) -> str:
    close = get_close_matches(wrote, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known here: {', '.join(known)}" if known else ""


def _answers_fit(steps: tuple[PlaybookStep, ...], language: str) -> None:
    """A canned answer is said as it stands, and each question has one answer."""
    asked: dict[str, str] = {_plain(example): step.name for step in steps for example in step.examples}
    for index, step in enumerate(steps):
        for place, canned in enumerate(step.canned):
            at = ("steps", index, "canned", place)
            if language[:2] not in SMALL_WORDS:
                raise Misplaced(
                    at, f"there are canned answers in {', '.join(sorted(SMALL_WORDS))} only, not {language}"
                )
            if "{" in canned.answer or "}" in canned.answer:
                raise Misplaced((*at, "answer"), "is said as it stands: it can hold no {placeholder}")
            if not any(char.isalnum() for char in canned.answer):
                raise Misplaced((*at, "answer"), "holds nothing to say")
            for number, example in enumerate(canned.examples):
                if (other := asked.get(_plain(example))) is not None:
                    where = f"the step {other!r} has this example already, so nobody can tell which is meant"
                    raise Misplaced((*at, "examples", number), where)
            asked |= {_plain(example): step.name for example in canned.examples}


def _fillers_fit(fillers: tuple[str, ...], at: tuple[str, ...]) -> None:
    """None of them may come twice in a row."""
    if len(fillers) == 1:
        raise Misplaced((*at, "fillers"), "must be several, so that none is heard twice in a row, or none at all: []")
    for index, filler in enumerate(fillers):
        if _plain(filler) in map(_plain, fillers[:index]):
            raise Misplaced((*at, "fillers", index), "is there twice")


def _plain(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _unique(where: str, names: list[str], field: str = "name") -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise Misplaced((where, index, field) if field else (where, index), f"{name!r} is used twice")
