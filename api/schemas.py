"""What /v1 takes and gives, as clients see it. Times are ISO 8601 in UTC, lengths of time milliseconds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from api import examples
from api.moments import moment, moment_or_none
from core.contracts.call import CallState, Direction
from core.contracts.transfer import Cause, TransferOutcome, TransferRecord
from core.conversation import ToolResult, TurnRecord
from core.outcome import Disposition
from core.playbook import Playbook
from core.ports.call_log import CallRow, StoredEvent


def _phone_number(text: str) -> str:
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException as error:
        raise ValueError("is no phone number in international form, such as +15550100") from error
    if not phonenumbers.is_possible_number(number):
        raise ValueError("has too few or too many digits for its country")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


PhoneNumber = Annotated[
    str,
    Field(max_length=32, description="International form; answered as E.164", examples=["+15550100"]),
    AfterValidator(_phone_number),
]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)]
Variable = Annotated[str, Field(max_length=500)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewCall(_Body):
    """A call to place."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.NEW_CALL]})

    to: PhoneNumber
    playbook: Name = Field(description="Name of a playbook; its newest version is used", examples=["order_support"])
    from_: PhoneNumber | None = Field(
        None, alias="from", description="One of our numbers; default: the installation's", examples=["+15550199"]
    )
    variables: dict[Name, Variable] = Field(
        default_factory=dict, max_length=50, description="What is known of the person beforehand"
    )


class SayLine(_Body):
    """A line for the assistant to say."""

    text: Line = Field(examples=["A colleague will call you back within the hour."])


class TransferCall(_Body):
    """Hand the call to a number."""

    to: PhoneNumber
    reason: str = Field("", max_length=200, examples=["asks for billing"])
    warm: bool = Field(
        False, description="They are briefed and asked first, while the assistant keeps the caller company"
    )


class TakeOverCall(_Body):
    """Take the call on a phone."""

    to: PhoneNumber
    by: str = Field("", max_length=100, description="Who takes it", examples=["Grace"])
    warm: bool = Field(True, description="The caller stays with the assistant until this phone has accepted the call")
    hands_back: bool = Field(False, description="When they hang up the assistant has the caller again; if `warm`")


class EndCall(_Body):
    """End the call."""

    reason: str = Field("", max_length=200, examples=["wrong number"])
    line: Line | None = Field(None, description="Said first", examples=["Thank you, goodbye."])


class StartedCall(BaseModel):
    """A call that is being placed."""

    id: str = Field(examples=["out-5f0c7d2a9b6e4c1f8a3d"])
    to: str = Field(examples=["+15550100"])
    from_: str = Field(serialization_alias="from", examples=["+15550199"])
    playbook: str = Field(description="name@hash", examples=["order_support@bf4709f9af05"])
    url: str = Field(examples=["https://calls.example/v1/calls/out-5f0c7d2a9b6e4c1f8a3d"])
    events_url: str = Field(examples=["https://calls.example/v1/calls/out-5f0c7d2a9b6e4c1f8a3d/events"])
    temporal_url: str = Field(examples=["http://127.0.0.1:8233/namespaces/default/workflows/call-out-5f0c"])


class Summary(BaseModel):
    """What a representative reads first."""

    summary: str
    topic: str
    resolved: bool
    follow_up: str
    sentiment: str = Field("", description="How the caller left; empty: not known", examples=["neutral"])


class Call(BaseModel):
    """A call as lists show it."""

    id: str = Field(examples=["CA5ef8732a3c49700934481addd5ce1659"])
    direction: Direction
    playbook: str = Field(examples=["order_support@bf4709f9af05"])
    caller_number: str = Field(description="The person we talk to", examples=["+15550100"])
    our_number: str = Field(examples=["+15550199"])
    phase: str = Field(examples=["live"])
    live: bool
    step: str = Field(examples=["confirm_details"])
    disposition: Disposition | None = Field(description="None while the call is live")
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    turns: int = Field(description="How many turns it has had")
    cost_usd: float
    talk_over_rate: float | None = Field(
        description="Share of the assistant's speech, 0 to 1, that the caller spoke over; null while the call is live"
    )
    summary: Summary | None
    crm_note: str | None
    temporal_url: str

    @classmethod
    def of(cls, row: CallRow, temporal_url: str) -> Self:
        """The row as clients see it."""
        return cls(**_call_fields(row), temporal_url=temporal_url)


class CallPage(BaseModel):
    """Newest calls first."""

    calls: list[Call]
    next: str | None = Field(description="Give it as `cursor` for the next page; null on the last", examples=[None])


class ToolUse(BaseModel):
    """A tool call and what came of it."""

    name: str
    arguments: dict[str, Any]
    ok: bool
    content: str
    took_ms: int

    @classmethod
    def of(cls, result: ToolResult) -> Self:
        """The result as clients see it."""
        return cls(
            name=result.call.name,
            arguments=result.call.arguments,
            ok=result.ok,
            content=result.content,
            took_ms=result.took_ms,
        )


class Turn(BaseModel):
    """One turn: what the caller said, what was done, and what the caller heard."""

    turn: int
    caller: str
    confidence: float
    step: str
    step_method: str
    step_confidence: float
    matters: list[str] = Field(description="Steps it asked for in one breath, in the order served; empty: one at most")
    choices: list[str] = Field(description="Its step was unclear: the caller was asked to choose between these")
    answer_method: str = Field(description="Who answered: model, canned (fixed words of the playbook), or empty")
    mood: str = Field(description="The caller's: calm, pleased, confused, upset, angry, or empty if not known")
    said: str
    heard: str
    interrupted: bool
    played_ms: int = Field(description="How long the assistant was heard")
    talk_over_ms: int = Field(description="How much of that while the caller was speaking")
    supervisor: str = Field(description="What a supervisor then said to the caller, who had taken the call over")
    told_from: list[str] = Field(description="Where in documents the answer stands")
    tools: list[ToolUse]
    layers_ms: dict[str, float] = Field(description="Where the time went from the caller's last word to our first")
    latency_ms: float | None = Field(description="Their sum")
    started_at: datetime | None

    @classmethod
    def of(cls, record: TurnRecord) -> Self:
        """The record as clients see it."""
        return cls(
            turn=record.turn,
            caller=record.caller,
            confidence=record.confidence,
            step=record.step,
            step_method=record.step_method,
            step_confidence=record.step_confidence,
            matters=list(record.matters),
            choices=list(record.choices),
            answer_method=record.answer_method,
            mood=record.mood,
            said=record.said,
            heard=record.heard,
            interrupted=record.interrupted,
            played_ms=record.played_ms,
            talk_over_ms=record.talk_over_ms,
            supervisor=record.supervisor,
            told_from=list(record.told_from),
            tools=[ToolUse.of(result) for result in record.tools],
            layers_ms=record.layers,
            latency_ms=sum(record.layers.values()) if record.layers else None,
            started_at=moment_or_none(record.started_ms or None),
        )


class State(BaseModel):
    """A live call in its own words."""

    phase: str
    step: str
    believes: dict[str, str]
    confirmed: dict[str, str]
    done: list[str]
    next: str
    last_caller: str
    last_assistant: str
    mood: str = Field(description="The caller's, as far as it is known")
    missing: list[str] = Field(description="What the step has still to find out")
    sources: dict[str, str] = Field(description="Where a value is known from: caller, keyed, tool, system")
    summary: str = Field(description="Of what was said long ago")
    earlier: str = Field(description="What this caller's earlier calls were about, where the playbook remembers them")
    taken_over_by: str = Field(description="The supervisor who talks with the caller from the browser, or empty")
    told_from: list[str] = Field(description="Where in documents the last answers stand")
    wants: list[str] = Field(description="Steps that come after the present one, in this order: asked for, or left")
    choices: list[str] = Field(description="Steps that an unclear caller was just asked to choose between")

    @classmethod
    def of(cls, state: CallState) -> Self:
        """The query's answer as clients see it."""
        return cls(
            phase=state.phase,
            step=state.step,
            believes=state.believes,
            confirmed=state.confirmed,
            done=list(state.done),
            next=state.next,
            last_caller=state.last_caller,
            last_assistant=state.last_assistant,
            mood=state.mood,
            missing=list(state.missing),
            sources=state.sources,
            summary=state.summary,
            earlier=state.earlier,
            taken_over_by=state.taken_over_by,
            told_from=list(state.told_from),
            wants=list(state.wants),
            choices=list(state.choices),
        )


class Transfer(BaseModel):
    """An attempt to have a representative take the call."""

    transfer: int = Field(description="Of the call, from 1")
    queue: str = Field(description="Empty where a number was named")
    cause: Cause
    reason: str
    number: str = Field(description="Of the representative called last; empty where none was, as in the browser")
    by: str = Field(description="The supervisor who takes the call over")
    summary: str = Field(description="What the representative reads")
    outcome: TransferOutcome | None = Field(description="None while it goes on")
    tried: list[str] = Field(description="The outcomes of those called before")
    callback: bool = Field(description="The caller is to be called back")
    started_at: datetime
    accepted_at: datetime | None
    bridged_at: datetime | None = Field(description="When the caller was put through")
    ended_at: datetime | None

    @classmethod
    def of(cls, record: TransferRecord) -> Self:
        """The transfer as clients see it."""
        return cls(
            transfer=record.transfer,
            queue=record.queue,
            cause=record.cause,
            reason=record.reason,
            number=record.number,
            by=record.by,
            summary=record.summary,
            outcome=record.outcome,
            tried=list(record.tried),
            callback=record.callback,
            started_at=moment(record.started_ms),
            accepted_at=moment_or_none(record.accepted_ms),
            bridged_at=moment_or_none(record.bridged_ms),
            ended_at=moment_or_none(record.ended_ms),
        )


class CallDetail(Call):
    """A call with its turns."""

    transcript: list[Turn]
    transfers: list[Transfer] = Field(description="To representatives, in order")
    state: State | None = Field(description="Only while the call is live and its worker answers at once")

    @classmethod
    def whole(cls, row: CallRow, turns: Sequence[TurnRecord], temporal_url: str, state: CallState | None) -> Self:
        """Everything that is known of a call."""
        return cls(
            **_call_fields(row),
            temporal_url=temporal_url,
            transcript=[Turn.of(turn) for turn in turns],
            transfers=[Transfer.of(record) for record in row.transfers],
            state=State.of(state) if state else None,
        )


class FeedLine(BaseModel):
    """One line of the live feed, the data of a server-sent event."""

    id: int
    call_id: str
    kind: str
    at_ms: float = Field(description="Milliseconds since the epoch")
    data: dict[str, Any]

    @classmethod
    def of(cls, stored: StoredEvent) -> Self:
        """The event as clients see it."""
        event = stored.event
        return cls(id=stored.id, call_id=event.call_id, kind=event.kind, at_ms=event.at_ms, data=dict(event.data))


class PlaybookNames(BaseModel):
    """All playbooks."""

    playbooks: list[str] = Field(examples=[["appointment_reminder", "order_support"]])


class PlaybookDetail(BaseModel):
    """The newest version of a playbook."""

    ref: str = Field(description="name@hash", examples=["order_support@bf4709f9af05"])
    playbook: Playbook


def _call_fields(row: CallRow) -> dict[str, Any]:
    return {
        "id": row.call_id,
        "direction": row.direction,
        "playbook": row.playbook,
        "caller_number": row.caller_number,
        "our_number": row.our_number,
        "phase": row.phase,
        "live": row.ended_ms is None,
        "step": row.step,
        "disposition": row.disposition,
        "started_at": moment_or_none(row.started_ms),
        "answered_at": moment_or_none(row.answered_ms),
        "ended_at": moment_or_none(row.ended_ms),
        "turns": row.turns,
        "cost_usd": row.cost_usd,
        "talk_over_rate": row.talk_over_rate,
        "summary": _summary(row),
        "crm_note": row.crm_note,
    }


def _summary(row: CallRow) -> Summary | None:
    if row.summary is None:
        return None
    kept = row.summary
    return Summary(
        summary=kept.summary,
        topic=kept.topic,
        resolved=kept.resolved,
        follow_up=kept.follow_up,
        sentiment=kept.sentiment,
    )
