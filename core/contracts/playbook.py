"""What a call's history keeps of its playbook."""

from dataclasses import dataclass, field, replace

from core.call_back import CallbackSlots
from core.contracts.agenda import AgendaRules
from core.mood import MoodRules
from core.paths import told_in_conditions
from core.playbook import OWN_TOOLS, Playbook
from core.protected import Protected, protected_in
from core.queues import Queue
from core.turns import TurnTaking


@dataclass(frozen=True)
class BriefLines:
    """The fixed lines of ``PlaybookBrief`` in another language, and whose voice says them."""

    greeting: str
    welcome_back: str
    silence_prompts: tuple[str, ...]
    farewell: str
    apology: str
    holding_line: str
    fillers: tuple[str, ...]
    take_your_time: str
    helps: dict[str, str]
    voice_model: str
    mood: MoodRules
    must_say: tuple[str, ...] = ()
    handed_back: str = ""
    picking_up: str = ""
    screening: str = ""


@dataclass(frozen=True)
class QueueBrief:
    """A queue's name and what the caller hears while it is called."""

    name: str
    line: str
    company: str
    back: str = ""
    steps: tuple[str, ...] = ()  # that escalate to it


@dataclass(frozen=True)
class EscalationRules:
    """When a call goes to a queue by itself; meanings: core.queues.Escalation."""

    after_tool_failures: int = 0
    after_unsure_turns: int = 0
    unsure_below: float = 0.5
    queue: str = ""
    line: str = ""


@dataclass(frozen=True)
class PlaybookBrief:
    """What workflow and gateway need of a playbook; the rest is loaded in activities by its reference."""

    ref: str  # "name@hash"
    start_step: str
    greeting: str  # disclosure and greeting, spoken first
    welcome_back: str  # spoken when a lost media stream has come back
    silence_prompts: tuple[str, ...]  # one for each silence in a row; after the last the call ends
    farewell: str
    apology: str  # spoken when a turn cannot be answered
    holding_line: str = "One moment, please."  # while a tool takes its time
    transfer_to: str | None = None  # where a caller goes who wants or needs a person
    turn_taking: TurnTaking = TurnTaking()
    min_confidence: float = 0.5  # below it a turn's audio is transcribed again
    fillers: tuple[str, ...] = ()  # said in rotation; none: ``holding_line`` for tools only
    filler_after_ms: int = 1_200
    mood: MoodRules = MoodRules()
    voice_model: str = "eleven_flash_v2_5"  # for the bill
    take_your_time: str = ""  # to a caller who has to find something first; "": the model answers
    helps: dict[str, str] = field(default_factory=dict)  # step -> what helps a silent caller
    languages: tuple[str, ...] = ()  # all that may be spoken, the call's first in front
    translations: dict[str, BriefLines] = field(default_factory=dict)
    protected: Protected = Protected()
    queues: tuple[QueueBrief, ...] = ()  # none: callers go to ``transfer_to``, unannounced
    escalation: EscalationRules = EscalationRules()

    @property
    def has_people(self) -> bool:
        """Whether there is anybody to hand over to."""
        return bool(self.queues or self.transfer_to)

    def queue(self, name: str) -> QueueBrief | None:
        """The queue of that name; the first one for a name that is none."""
        return next((queue for queue in self.queues if queue.name == name), next(iter(self.queues), None))

    def queue_of(self, step: str) -> str:
        """The queue to which a step escalates; "": the first one."""
        return next((queue.name for queue in self.queues if step in queue.steps), "")

    must_say: tuple[str, ...] = ()  # before the call ends
    handed_back: str = ""  # spoken when a supervisor has handed the caller back
    picking_up: str = ""  # spoken when a lost stream has come back and an answer follows; "": welcome_back
    screening: str = ""  # on calls we place, to whoever asks who is calling before they put it through
    max_call_s: int = 0  # 0: as the call's timers say
    takes_notes: bool = False  # there are slots or facts to find out
    notes_with_answers: bool = False  # while they are heard; False: each by an activity of its own
    sums_up: bool = False  # what prompts do not show any more is kept in short
    remembers: bool = False  # the caller's earlier calls
    collects: dict[str, tuple[str, ...]] = field(default_factory=dict)  # step -> its slots
    optional: frozenset[str] = frozenset()  # slots that are not asked for
    confirms: dict[str, str] = field(default_factory=dict)  # slots that are read back -> their type
    told: frozenset[str] = frozenset()  # "tool.field": what conditions ask for of tools' answers
    learns: str = "never"  # from its calls: core.playbook_finding.StepFinding.learn_from_calls
    agenda: AgendaRules = AgendaRules()
    callback: CallbackSlots = CallbackSlots()  # where callers name a time at which they want to be called

    def spoken_in(self, language: str) -> "PlaybookBrief":
        """The same with its lines in another language; unchanged for the first and for one it does not have."""
        lines = self.translations.get(language)
        return replace(self, **vars(lines)) if lines else self


def brief_of(playbook: Playbook) -> PlaybookBrief:
    """What workflow and gateway need of it."""
    return PlaybookBrief(
        ref=playbook.ref,
        start_step=playbook.steps[0].name,
        **vars(_lines(playbook, playbook.language)),
        filler_after_ms=playbook.filler_after_ms,
        transfer_to=playbook.transfer_to,
        turn_taking=TurnTaking(
            language=playbook.language, languages=playbook.languages, **playbook.turn_taking.model_dump()
        ),
        min_confidence=playbook.min_confidence,
        languages=playbook.spoken,
        queues=tuple(_queue(playbook, queue) for queue in playbook.queues),
        escalation=_escalation(playbook),
        translations={language: _lines(playbook, language) for language in playbook.translations},
        max_call_s=playbook.limits.max_call_seconds or 0,
        takes_notes=playbook.keeps_notes,
        notes_with_answers=True,
        sums_up=True,
        remembers=playbook.remember_callers,
        collects={step.name: tuple(slot.name for slot in step.collect) for step in playbook.steps if step.collect},
        optional=frozenset(slot.name for slot in playbook.slots.values() if slot.optional),
        confirms={slot.name: slot.type for slot in playbook.slots.values() if slot.confirm},
        told=told_in_conditions(playbook),
        protected=protected_in(playbook),
        learns=playbook.step_finding.learn_from_calls,
        agenda=_agenda(playbook),
        callback=CallbackSlots(playbook.callback.date or "", playbook.callback.time or ""),
    )


def _agenda(playbook: Playbook) -> AgendaRules:
    talk = set(OWN_TOOLS)
    works = {step.name: tuple(name for name in step.tools if name not in talk) for step in playbook.steps}
    return AgendaRules(
        keeps=True,
        comes_back=playbook.policies.come_back,
        most_unclear=playbook.limits.max_unclear_turns or 0,
        tools={step: tools for step, tools in works.items() if tools},
    )


def _queue(playbook: Playbook, queue: Queue) -> QueueBrief:
    steps = tuple(step.name for step in playbook.steps if step.queue == queue.name)
    return QueueBrief(queue.name, queue.line, queue.company, queue.back, steps)


def _escalation(playbook: Playbook) -> EscalationRules:
    written = playbook.escalation
    return EscalationRules(
        written.after_tool_failures, written.after_unsure_turns, written.unsure_below, written.queue or "", written.line
    )


def _lines(playbook: Playbook, language: str) -> BriefLines:
    lines = playbook.lines_in(language)
    return BriefLines(
        greeting=lines.opening,
        welcome_back=lines.welcome_back,
        silence_prompts=lines.silence_prompts,
        farewell=lines.farewell,
        apology=lines.apology,
        holding_line=lines.holding_lines[0],
        fillers=lines.fillers,
        take_your_time=lines.take_your_time,
        helps=playbook.helps_in(language),
        mood=replace(playbook.mood.rules, escalation_line=playbook.escalation_line_in(language)),
        voice_model=playbook.voice_in(language).model,
        must_say=playbook.must_say_in(language),
        handed_back=lines.handed_back or lines.welcome_back,
        picking_up=lines.picking_up,
        screening=lines.screening_line,
    )
