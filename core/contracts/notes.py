"""What the history of a call remembers of the notes that are taken beside its answers."""

from dataclasses import dataclass, field

from core.conversation import Exchange, Usage
from core.memory import Memory


@dataclass(frozen=True)
class TakeNotes:
    """Find out what the caller has told, and fold what prompts are about to lose into the summary."""

    call_id: str
    playbook: str
    turn: int
    step: str
    exchanges: tuple[Exchange, ...]  # since notes were taken last, with the one before: what answers answer to
    memory: Memory
    variables: dict[str, str] = field(default_factory=dict)
    older: tuple[Exchange, ...] = ()  # to be summed up
    mood: bool = False  # the caller's mood is to be read as well
    caller_number: str = ""  # whose "tomorrow" and "in an hour" are by their own clock


@dataclass(frozen=True)
class NotesDue:
    """What ``TakeNotes`` tells beyond an answer's own request: notes are taken while the answer is heard."""

    exchanges: tuple[Exchange, ...]
    older: tuple[Exchange, ...] = ()
    mood: bool = False
    caller_number: str = ""


@dataclass(frozen=True)
class Notes:
    """What was found, checked by the playbook."""

    turn: int  # up to which notes were taken
    slots: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    facts: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()  # the caller has agreed to what was read back
    summary: str = ""
    summarized: int = 0  # up to this turn; 0: nothing was summed up
    usage: Usage = Usage()
    mood: str = ""  # core.mood.Mood; "": not asked for, or not known


@dataclass(frozen=True)
class RecallCaller:
    """Tell what this caller's earlier calls were about."""

    call_id: str
    caller_number: str
    tenant: str


@dataclass(frozen=True)
class EarlierCalls:
    """In words; "" if there were none."""

    text: str
