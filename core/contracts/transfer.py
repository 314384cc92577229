"""What a call's history remembers of handing the caller over to a representative. See docs/transfer.md."""

from dataclasses import dataclass
from enum import StrEnum

from core.conversation import Exchange, ToolResult


class Cause(StrEnum):
    """Why a representative is needed."""

    REQUEST = "request"  # the caller has asked for one
    POLICY = "policy"  # the playbook says so: a step, or the model by its rules
    LOW_CONFIDENCE = "low_confidence"
    MOOD = "mood"
    TOOL_FAILURE = "tool_failure"
    KEY = "key"  # DTMF
    FAILURE = "failure"  # of ours: the assistant cannot go on
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"  # takes the call over


class TransferOutcome(StrEnum):
    """What became of an attempt to have one representative take the call."""

    CLOSED = "closed"  # the queue's hours: nobody was called
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    VOICEMAIL = "voicemail"
    FAILED = "failed"  # no such number, or the carrier would not
    REPRESENTATIVE_HUNG_UP = "representative_hung_up"  # before or while they talked: the caller was still there
    CALLER_HUNG_UP = "caller_hung_up"  # before they were connected
    WITHDRAWN = "withdrawn"  # the call has ended otherwise
    TALKED = "talked"  # connected, and the caller ended it
    HANDED_BACK = "handed_back"  # a supervisor gave the caller back to the assistant
    SUPERVISOR_LOST = "supervisor_lost"  # nothing came from their browser any more
    CONNECTION_LOST = "connection_lost"  # the caller's media stream broke while they talked


@dataclass(frozen=True)
class Wanted:
    """Somebody is to take the call: a queue, or one number."""

    cause: Cause
    queue: str = ""
    number: str = ""  # "": the queue's
    reason: str = ""
    context: str = ""  # what the model thinks the representative should know
    by: str = ""  # the supervisor who takes over
    hands_back: bool = False  # and gives the caller back to the assistant by hanging up


@dataclass(frozen=True)
class OpenQueue:
    """Ask a queue who is there now."""

    call_id: str
    playbook: str
    queue: str
    transfer: int  # of the call, from 1
    cause: Cause


@dataclass(frozen=True)
class QueueOpened:
    """Who is to be called, in this order; nobody while it is closed."""

    numbers: tuple[str, ...]
    ring_seconds: int = 20
    language: str = ""  # of the carrier's voice, which briefs them; "": the carrier's own
    keys_line: str = "Press 1 to take the call, or 2 to decline."
    callback: bool = False  # when nobody takes the call, note that it is to be called back
    comes_back: bool = True  # a caller whom the representative has left is ours again


@dataclass(frozen=True)
class WriteBriefing:
    """Write what a representative has to know before the caller is put through."""

    call_id: str
    playbook: str
    wanted: Wanted
    step: str
    caller_number: str
    recent: tuple[Exchange, ...]
    variables: dict[str, str]
    done: tuple[ToolResult, ...] = ()


@dataclass(frozen=True)
class Briefing:
    """``whisper`` is spoken to the representative, ``summary`` is for reading."""

    whisper: str
    summary: str


@dataclass(frozen=True)
class DialRepresentative:
    """Call one representative; the carrier asks our webhook what to tell them."""

    call_id: str
    transfer: int
    leg: int
    to: str
    from_: str
    ring_seconds: int


@dataclass(frozen=True)
class RepresentativeLeg:
    """The carrier's word on a representative's leg."""

    transfer: int
    leg: int
    carrier_call_id: str
    state: str = ""  # a core.outcome.CarrierState
    answered_by: str = ""  # AMD: "human", "machine_start", ..


@dataclass(frozen=True)
class RepresentativeAsks:
    """A representative's leg asks what to do: it has answered, keyed something in, or left the conference."""

    transfer: int
    leg: int
    carrier_call_id: str
    keys: str | None = None  # None: it has just answered


class RepresentativeVerb(StrEnum):
    """What a representative's leg does next."""

    BRIEF = "brief"  # tell them, and take a key
    JOIN = "join"  # the conference
    HANG_UP = "hang_up"


@dataclass(frozen=True)
class NextForRepresentative:
    """``line`` is spoken to the representative first, ``conference`` is where they go."""

    verb: RepresentativeVerb
    line: str = ""
    language: str = ""
    conference: str = ""


@dataclass(frozen=True)
class TransferRecord:
    """One transfer, whole: the row in SQL and what a console shows. ``outcome`` None: under way."""

    transfer: int
    queue: str
    cause: Cause
    reason: str
    number: str  # of the representative called last; "": none, a supervisor took the call over in the browser
    summary: str
    whisper: str
    started_ms: float
    outcome: TransferOutcome | None = None
    accepted_ms: float | None = None
    bridged_ms: float | None = None
    ended_ms: float | None = None
    callback: bool = False  # it is to be called back
    by: str = ""  # the supervisor who takes over
    tried: tuple[str, ...] = ()  # the outcomes of those called before


@dataclass(frozen=True)
class NoteTransfer:
    """Put a line about a transfer into the live feed."""

    call_id: str
    record: TransferRecord
    stage: str  # a core.transfer.Stage
