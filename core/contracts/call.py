"""What the history of a call remembers: inputs and results of its workflow, messages and activities.

All are frozen dataclasses; times are milliseconds since the epoch unless named otherwise. A field added
later gets a default, so that recorded histories stay readable.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from core.agenda import AgendaNote
from core.contracts.notes import Notes, NotesDue
from core.contracts.playbook import PlaybookBrief
from core.contracts.transfer import TransferRecord
from core.conversation import Exchange, Step, ToolCall, ToolResult, Transcribed, TurnRecord, Usage
from core.keypad import Keyed
from core.manner import Manner
from core.memory import Memory
from core.outcome import CarrierState, Disposition
from core.patience import Patience
from core.turns import TurnTaking


class Direction(StrEnum):
    """Who called whom."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Phase(StrEnum):
    """Where a call stands; the search attribute HoldfastPhase."""

    DIALLING = "dialling"
    RINGING = "ringing"
    CONNECTING = "connecting"  # answered, no media stream yet
    LIVE = "live"
    TRANSFERRING = "transferring"
    ENDED = "ended"


class Machine(StrEnum):
    """Whether we ask the carrier if an answering machine has answered."""

    UNKNOWN = "unknown"  # we do not ask
    DETECT = "detect"  # beside the talk, which begins at once


@dataclass(frozen=True)
class CallTimers:
    """Deadlines of the workflow, in seconds, and how long a run may grow; settings, so that tests can shorten them."""

    ring: float = 60.0  # an outbound call that is not answered by then is over
    attach: float = 20.0  # from answer (or a lost stream) to a media stream
    reply: float = 12.0  # one reply: model, voice and delivery
    lost_status: float = 15.0  # after an unclear dial of a representative: how long a callback may take
    lost_dial: float = 4.0  # after one that the carrier's list does not show: until it is asked for the last time
    max_call: float = 7_200.0
    costs: float = 5.0  # an ended call waits for those still open: so long it takes to know that a worker has died
    after_call: Patience = Patience()  # with what fails once the call has ended
    run_events: int = 0  # then the call goes on in a new run, in its next pause; 0: when Temporal advises it


NEW_CALLS: Final = CallTimers(run_events=400)
"""What calls begin with. A worker that takes a call over reads its run again, 0.4 ms of CPU an event."""


@dataclass(frozen=True)
class CallInput:
    """One call."""

    call_id: str
    direction: Direction
    playbook: PlaybookBrief
    caller_number: str  # E.164: the person we talk to
    our_number: str  # E.164: ours
    carrier_call_id: str | None = None  # inbound: known from the start
    tenant: str = "default"
    campaign: str | None = None
    variables: dict[str, str] = field(default_factory=dict)  # what the caller's record told beforehand
    timers: CallTimers = CallTimers()
    discreet: bool = False  # nothing personal in summaries and details, which the Temporal UI shows
    machine: Machine = Machine.UNKNOWN
    voicemail_line: str = ""  # left on a machine, after its beep; "": we hang up


@dataclass(frozen=True)
class CallResult:
    """The end of a call."""

    call_id: str
    disposition: Disposition
    turns: int
    duration_ms: int


# Gateway -> workflow


@dataclass(frozen=True)
class Attach:
    """A media stream has started and its token was good."""

    attachment: int  # rises with each TwiML answer of a call: its token's time of issue
    stream_id: str
    carrier_call_id: str
    playback_url: str  # ws://.. of the gateway that holds the stream, for workers
    audio_url: str  # http://.. where a turn's kept audio can be fetched: <audio_url>/<turn>/audio
    digits_url: str = ""  # http://.. where sensitive digits can be fetched: <digits_url>/<name>
    desk_url: str = ""  # ws://.. where a supervisor listens and speaks


@dataclass(frozen=True)
class Attached:
    """The answer to ``Attach``. Refused: a newer stream holds the call, or it has ended; close this one."""

    accepted: bool
    next_turn: int = 1  # the number of the caller's next turn
    turn_taking: TurnTaking = TurnTaking()


@dataclass(frozen=True)
class TurnTimings:
    """When things happened at the gateway, by its clock."""

    speech_ended_ms: float  # the last voiced frame arrived
    decided_ms: float  # the recogniser's end of turn arrived
    sent_ms: float  # the update was sent


@dataclass(frozen=True)
class CallerTurn:
    """The caller has held and left the floor."""

    attachment: int
    seq: int  # rises by one with each gateway event of an attachment
    turn: int
    text: str
    confidence: float
    timings: TurnTimings
    words: int = 0
    eager: bool = False  # probably over: an answer may be made, and counts for nothing until the turn comes again
    keyed: Keyed | None = None  # it was keyed in, not spoken; ``text`` tells it in words
    languages: tuple[str, ...] = ()  # that were heard, the most spoken first; () if the recogniser cannot tell
    withdrawn_seq: int | None = None  # of the last ``TurnWithdrawn`` before it, which it may overtake


@dataclass(frozen=True)
class Consent:
    """The caller has consented, or refused, by a key."""

    given: bool
    turn: int
    at_ms: float


@dataclass(frozen=True)
class TurnWithdrawn:
    """The caller goes on: the eager turn was none."""

    attachment: int
    seq: int


@dataclass(frozen=True)
class TurnAccepted:
    """The workflow has the turn. ``known`` if an earlier message had brought it."""

    turn: int
    known: bool = False


@dataclass(frozen=True)
class ReplyKey:
    """Which piece of assistant speech: the newest (attachment, turn, part, attempt) wins at the gateway.

    Part 0 answers the turn, each round of tool calls adds one. Turn 0 is before the caller's first.
    """

    attachment: int
    turn: int
    part: int
    attempt: int


@dataclass(frozen=True)
class PlaybackReport:
    """What the caller heard of one reply, told once: when it has been played out or was cut.

    Only where no activity waits to hear of it (``Reply.heard``): the reply was cut while it was being made, asked for
    tools, or its worker is gone.

    The report of a later attempt of the same (turn, part) tells all that was heard of the part, the earlier
    attempts' share included: it takes the place of theirs. An attempt that a later one relieved while its audio
    was still playing has no report of its own.
    """

    key: ReplyKey
    seq: int
    heard: str
    complete: bool
    interrupted: bool
    layers: dict[str, float] = field(default_factory=dict)  # core.timings.turn_layers; the turn's first audio only
    played_ms: int = 0  # audio the caller heard
    talk_over_ms: int = 0  # of it, while they were speaking
    last: bool = False  # it was whole, and its maker, who only waited for this, can't tell it any more

    @classmethod
    def of(cls, key: ReplyKey, seq: int, heard: "Heard", *, last: bool) -> Self:
        """What no activity brings."""
        return cls(
            key=key,
            seq=seq,
            heard=heard.text,
            complete=heard.complete,
            interrupted=heard.interrupted,
            layers=heard.layers,
            played_ms=heard.played_ms,
            talk_over_ms=heard.talk_over_ms,
            last=last,
        )


@dataclass(frozen=True)
class ReplyLost:
    """The worker's playback socket broke before the reply was whole; what had arrived keeps playing."""

    key: ReplyKey
    seq: int


@dataclass(frozen=True)
class StreamEnded:
    """The media stream is over: the carrier said stop, or the socket broke."""

    attachment: int
    seq: int
    stopped: bool  # False: lost without a stop
    reason: str = ""
    handed_over: bool = (
        False  # we have closed it for another gateway to go on, and nothing the caller said went with it
    )


@dataclass(frozen=True)
class CallerSilent:
    """Nobody has spoken for ``TurnTaking.silence_after_ms``."""

    attachment: int
    seq: int


@dataclass(frozen=True)
class AnswerOverdue:
    """The caller has waited for the assistant for long, and heard nothing but holding lines."""

    attachment: int
    seq: int
    stage: str  # how far the answer had come, see core.dead_air
    waited_ms: int


@dataclass(frozen=True)
class RecogniserFailed:
    """The caller cannot be understood any more: the recogniser refuses us, or stayed away too long."""

    attachment: int
    seq: int
    reason: str  # a VendorError's kind


# API -> workflow


@dataclass(frozen=True)
class CarrierStatus:
    """One status callback of the carrier."""

    carrier_call_id: str
    state: CarrierState
    sequence: int
    answered_by: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class StreamStatus:
    """What the carrier says became of a media stream, on its own way, not the gateway's."""

    stream_id: str
    event: str  # "stream-started" | "stream-stopped" | "stream-error"
    error: str = ""  # the carrier's words or code; stream-error only


@dataclass(frozen=True)
class DialEnded:
    """The leg that a NextVerb of DIAL made is over."""

    status: str  # the carrier's word: completed, busy, no-answer, failed, canceled
    reached: bool  # the number answered, so the caller has talked to someone


class Verb(StrEnum):
    """What the carrier shall do next with the leg."""

    CONNECT = "connect"
    DIAL = "dial"
    HANG_UP = "hang_up"
    CONFERENCE = "conference"


@dataclass(frozen=True)
class NextVerb:
    """The answer to a carrier that asks how the call goes on."""

    verb: Verb
    number: str | None = None  # DIAL: whom
    line: str | None = None  # the carrier says this first, in its own voice: ours has failed
    conference: str = ""  # CONFERENCE: which
    after: int = -1  # CONNECT: the newest stream's attachment; the next one's is higher, whatever a clock says


@dataclass(frozen=True)
class Say:
    """An operator has the assistant say a line."""

    text: str


@dataclass(frozen=True)
class Transfer:
    """An operator hands the call to a number."""

    to: str
    reason: str = ""
    warm: bool = False  # they are briefed, and asked whether they take the call, before the caller hears them


@dataclass(frozen=True)
class TakeOver:
    """A supervisor takes the call on the phone given."""

    to: str
    by: str = ""
    warm: bool = False  # as in Transfer
    hands_back: bool = False  # when they hang up the caller is the assistant's again; warm only


@dataclass(frozen=True)
class End:
    """An operator ends the call, after a closing line if one is given."""

    reason: str = ""
    line: str | None = None


# Workflow <-> activities


@dataclass(frozen=True)
class CallOpening:
    """What the live feed tells first of a call."""

    direction: Direction
    playbook: str
    caller_number: str
    our_number: str


@dataclass(frozen=True)
class GatewayAddress:
    """Where a call's audio is now."""

    attachment: int
    playback_url: str
    audio_url: str
    digits_url: str = ""
    desk_url: str = ""


@dataclass(frozen=True)
class MatchStep:
    """Find the playbook's step for a turn without a model."""

    call_id: str
    playbook: str
    current_step: str
    text: str
    turn: int = 0
    canned: bool = False  # a canned answer may be given
    memory: Memory | None = None
    variables: dict[str, str] = field(default_factory=dict)
    language: str = "en"


@dataclass(frozen=True)
class ReasonStep:
    """Ask the model for the step."""

    call_id: str
    playbook: str
    current_step: str
    turn: int
    text: str
    recent: tuple[Exchange, ...] = ()
    mood: bool = False  # tell how the caller sounds, too
    memory: Memory | None = None
    variables: dict[str, str] = field(default_factory=dict)
    language: str = "en"


@dataclass(frozen=True)
class ReadMood:
    """Ask the model how the caller of a turn sounds."""

    call_id: str
    playbook: str
    step: str
    turn: int
    text: str
    recent: tuple[Exchange, ...] = ()


@dataclass(frozen=True)
class MoodRead:
    """A core.mood.Mood, "" if the model did not tell."""

    mood: str
    usage: Usage = Usage()


@dataclass(frozen=True)
class FinalizeTranscript:
    """Transcribe a turn's kept audio again."""

    call_id: str
    turn: int
    audio_url: str
    language: str


@dataclass(frozen=True)
class Transcript:
    """Text with the recogniser's confidence, 0 to 1."""

    text: str
    confidence: float
    took: Transcribed = Transcribed()


@dataclass(frozen=True)
class FindBeside:
    """``step`` is only likely: ask the model meanwhile, as in ReasonStep, and speak only if it names the same."""

    current_step: str
    mood: bool = False
    language: str = "en"


@dataclass(frozen=True)
class Respond:
    """Answer a turn: model to voice to gateway, sentence by sentence."""

    call_id: str
    playbook: str
    gateway: GatewayAddress
    key: ReplyKey
    step: str
    caller_text: str
    caller_number: str
    recent: tuple[Exchange, ...] = ()
    tools: tuple[ToolResult, ...] = ()  # of this turn, in order
    variables: dict[str, str] = field(default_factory=dict)
    step_from_ms: float | None = None  # for the timings, as in ReplyTimings
    step_to_ms: float | None = None
    asked_ms: float | None = None
    said: str = ""  # what earlier parts of this turn's answer said, before ``tools`` were asked for
    manner: Manner = Manner()
    hold: str = ""  # core.speculation.words_key: the gateway keeps it back until the turn ends with these words
    within_s: float = 12.0  # for making it: model, voice and delivery, which runs ahead of the playing
    fillers: tuple[str, ...] = ()  # said one after the other while the answer's first audio is late
    filler_after_ms: int = 0
    memory: Memory | None = None
    slots: dict[str, str] = field(default_factory=dict)  # what the turn plainly tells
    before: dict[str, float] = field(default_factory=dict)  # as in ReplyTimings
    agenda: AgendaNote | None = None
    finding: FindBeside | None = None
    notes: NotesDue | None = None  # to be taken while it is heard
    heard_before: tuple[str, ...] = ()  # sentences of this answer that the caller heard before their stream was lost


@dataclass(frozen=True)
class SpeakLine:
    """Speak one fixed line; with ``prepare`` the gateway also gets the holding lines as audio.

    An empty line only prepares, and tells the gateway how to listen.
    """

    call_id: str
    playbook: str
    gateway: GatewayAddress
    key: ReplyKey
    line: str
    prepare: bool = False
    opening: CallOpening | None = None  # the call has just begun: the live feed is to hear of it
    manner: Manner = Manner()
    step: str = ""  # where the call is: what the caller may answer with
    hold: str = ""  # as in Respond
    within_s: float = 12.0  # for making it
    step_from_ms: float | None = None  # for the timings, as in ReplyTimings
    step_to_ms: float | None = None
    before: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ReplyTimings:
    """When things happened in the activity, by the worker's clock. None: did not happen."""

    started_ms: float
    step_from_ms: float | None = None  # before that: finding the step began ..
    step_to_ms: float | None = None  # .. and ended
    asked_ms: float | None = None  # the turn's first activity started, before its rounds of tool calls; None: no rounds
    model_first_token_ms: float | None = None
    first_sentence_ms: float | None = None
    voice_first_byte_ms: float | None = None
    first_pushed_ms: float | None = None  # first audio written to the gateway
    before: dict[str, float] = field(default_factory=dict)  # layer of core.timings -> ms that were no hop


@dataclass(frozen=True)
class Heard:
    """What the caller heard of a reply: the same as a PlaybackReport, where the reply's own activity brings it."""

    text: str
    complete: bool
    interrupted: bool
    layers: dict[str, float] = field(default_factory=dict)
    played_ms: int = 0
    talk_over_ms: int = 0


@dataclass(frozen=True)
class SoFar:
    """What is known of speech whose gateway is gone: what of it was made, and what the gateway had told was heard.

    The detail of a failure of type "PlaybackLost".
    """

    made: str
    heard: str


@dataclass(frozen=True)
class Reply:
    """What a ``respond`` or ``speak_line`` brought to the gateway. ``closed``: the gateway wanted no more.

    ``heard`` is None where the gateway tells it by a PlaybackReport.
    """

    text: str
    closed: bool
    timings: ReplyTimings
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    heard: Heard | None = None
    fillers: int = 0  # so many lines of ``text`` were only to show that we are there; earlier attempts' share included
    step: str = ""  # the one it was made in, where a transition has become due in the turn
    told_from: tuple[str, ...] = ()  # where in documents it stands: core.knowledge.passages.Passage.place
    beside: tuple[Usage, ...] = ()  # of models that were asked beside the one that answered
    found: Step | None = None  # by the model, where it was asked beside
    withheld: bool = False  # it was made in the wrong step: no word of it was said
    notes: Notes | None = None  # None: none were due, or none came of it
    so_far: str = ""  # where ``heard`` is None: what the gateway had told of it, which may be gone


@dataclass(frozen=True)
class Dial:
    """Place the call; the carrier fetches what to do from the voice webhook."""

    call_id: str
    to: str
    from_: str
    ring_seconds: int
    opening: CallOpening | None = None  # for the live feed
    tenant: str = "default"  # who calls: some must not
    campaign: str | None = None
    machine: Machine = Machine.UNKNOWN


@dataclass(frozen=True)
class ForbidCalls:
    """The caller does not want to be called again."""

    call_id: str
    number: str
    tenant: str
    campaign: str | None = None


@dataclass(frozen=True)
class Dialled:
    """The carrier's id of the call, None if there is none."""

    carrier_call_id: str | None


@dataclass(frozen=True)
class LookUpDial:
    """Find out whether an unclear dial went through."""

    call_id: str
    to: str
    from_: str
    since_ms: float


@dataclass(frozen=True)
class CarrierCall:
    """Act on one live leg: hang it up, or have it ask again what to do."""

    call_id: str
    carrier_call_id: str
    phase: Phase | None = None  # the phase this brings, for the live feed


# What a call leaves behind


@dataclass(frozen=True)
class CallState:
    """A live call in words people use; the query ``state``."""

    call_id: str
    phase: Phase
    playbook: str
    step: str
    believes: dict[str, str]
    confirmed: dict[str, str]
    done: tuple[str, ...]
    next: str
    last_caller: str = ""
    last_assistant: str = ""
    turns: int = 0
    disposition: Disposition | None = None
    consent: bool | None = None  # given or refused by a key; the last word counts
    mood: str = ""  # the caller's, as far as it is known (core.mood.Mood)
    language: str = ""
    missing: tuple[str, ...] = ()  # slots that the step has still to find out
    sources: dict[str, str] = field(default_factory=dict)  # slot -> where it is known from (core.memory.Source)
    summary: str = ""  # of what was said long ago
    earlier: str = ""  # what this caller's earlier calls were about
    taken_over_by: str = ""  # the supervisor who talks with the caller from the browser
    told_from: tuple[str, ...] = ()  # where in documents the last answers stand
    wants: tuple[str, ...] = ()  # steps that come after the present one, in this order
    choices: tuple[str, ...] = ()  # steps that the caller was just asked to choose between


@dataclass(frozen=True)
class CallRecord:
    """The whole call, as the workflow knows it; SQL is made equal to this."""

    call: CallInput
    disposition: Disposition | None
    phase: Phase
    started_ms: float
    answered_ms: float | None
    ended_ms: float | None
    carrier_call_id: str | None
    turns: tuple[TurnRecord, ...]
    consents: tuple[Consent, ...] = ()
    withdrawn: tuple[Usage, ...] = ()  # what answers took that were made ahead and never let go
    heard_again: tuple[Transcribed, ...] = ()  # turns that were transcribed a second time
    beside: tuple[Usage, ...] = ()  # what models took that were asked beside those that answered
    transfers: tuple[TransferRecord, ...] = ()
    carrier_error: str = ""  # why the carrier could not, by its code or the far carrier's SIP answer
    no_more_calls: bool = False  # they asked not to be called again
    callback: str = ""  # when they want to be called (back), by their clock: core.call_back.wished_callback
    in_place: bool = False  # what follows writes SQL within its own tasks; older calls ask their history, by patches


@dataclass(frozen=True)
class CallSummary:
    """What a representative reads first."""

    summary: str
    topic: str
    resolved: bool
    follow_up: str = ""
    sentiment: str = ""  # how the caller left: one of core.mood.SENTIMENTS; "": not known


@dataclass(frozen=True)
class SyncCrm:
    """Put the call into the CRM, once: ``idempotency_key`` names the note."""

    call_id: str
    caller_number: str
    disposition: Disposition
    summary: CallSummary
    duration_ms: int
    idempotency_key: str
    direction: Direction = Direction.INBOUND
    ended_ms: float = 0.0  # since the epoch; 0: not told
    fields: dict[str, Any] = field(default_factory=dict)  # by the playbook's after_call.extract
