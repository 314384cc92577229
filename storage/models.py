"""The tables.

Times are double precision milliseconds since the epoch, in columns that end in ``_ms``; money is US dollars in
``usd`` columns. A column with ``info={"pii": True}`` may hold personal data: ``personal_columns`` lists them all.
"""

import math
from typing import Any, ClassVar, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

PII: Final = {"pii": True}


class CleanText(TypeDecorator[str]):
    """Text that PostgreSQL takes too: without NUL and lone surrogates, which speech and models may bring."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Clean on the way in."""
        return None if value is None else _clean(value)


class CleanJson(TypeDecorator[Any]):
    """JSON (JSONB on PostgreSQL) whose texts are clean and whose numbers are finite; NaN becomes null."""

    impl = JSON().with_variant(JSONB(), "postgresql")
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Clean on the way in."""
        return _clean_json(value)


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map: ClassVar = {str: CleanText, float: Double}


class Call(Base):
    """One call: what the feed tells of it as a whole while it is live, what its workflow knows once it has ended."""

    __tablename__ = "calls"
    __table_args__ = (
        Index("ix_calls_newest", "started_ms", "call_id"),
        Index(
            "ix_calls_live",
            "started_ms",
            "call_id",
            sqlite_where=text("phase <> 'ended'"),
            postgresql_where=text("phase <> 'ended'"),
        ),
        Index("ix_calls_tenant", "tenant", "started_ms", "call_id"),
        Index("ix_calls_caller_number", "caller_number"),
    )

    call_id: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(default="default", server_default="default")
    campaign: Mapped[str | None]
    direction: Mapped[str] = mapped_column(default="inbound")
    playbook: Mapped[str] = mapped_column(default="")
    caller_number: Mapped[str] = mapped_column(default="", info=PII)
    our_number: Mapped[str] = mapped_column(default="")
    carrier_call_id: Mapped[str | None]
    phase: Mapped[str] = mapped_column(default="connecting")
    phase_ms: Mapped[float] = mapped_column(default=0.0)  # since when, so that a late line changes nothing
    step: Mapped[str] = mapped_column(default="")
    disposition: Mapped[str | None]
    started_ms: Mapped[float]
    answered_ms: Mapped[float | None]
    ended_ms: Mapped[float | None]
    turns: Mapped[int] = mapped_column(default=0)  # the number of the caller's last turn
    variables: Mapped[dict[str, str]] = mapped_column(CleanJson, default=dict, info=PII)
    summary: Mapped[str | None] = mapped_column(info=PII)
    topic: Mapped[str | None] = mapped_column(info=PII)
    resolved: Mapped[bool | None]
    follow_up: Mapped[str | None] = mapped_column(info=PII)
    sentiment: Mapped[str | None]
    crm_note: Mapped[str | None]
    cost_usd: Mapped[float] = mapped_column(default=0.0)
    played_ms: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # the sums of its turns'
    talk_over_ms: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    recorded: Mapped[bool] = mapped_column(default=False, server_default=false())  # the feed changes it no more


class Turn(Base):
    """One turn of a recorded call, with the assistant's answer; 0 is before the caller's first words."""

    __tablename__ = "turns"

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.call_id", ondelete="CASCADE"), primary_key=True)
    turn: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    caller: Mapped[str] = mapped_column(default="", info=PII)
    confidence: Mapped[float] = mapped_column(default=0.0)
    step: Mapped[str] = mapped_column(default="")
    step_method: Mapped[str] = mapped_column(default="")
    step_confidence: Mapped[float] = mapped_column(default=0.0)
    said: Mapped[str] = mapped_column(default="", info=PII)
    heard: Mapped[str] = mapped_column(default="", info=PII)
    interrupted: Mapped[bool] = mapped_column(default=False)
    layers: Mapped[dict[str, float]] = mapped_column(CleanJson, default=dict)  # name -> ms, see core.timings
    model: Mapped[str] = mapped_column(default="")
    input_tokens: Mapped[int] = mapped_column(default=0)
    output_tokens: Mapped[int] = mapped_column(default=0)
    characters: Mapped[int] = mapped_column(default=0)
    voice: Mapped[str] = mapped_column(default="", server_default=text("''"))  # see core.conversation.Usage
    started_ms: Mapped[float] = mapped_column(default=0.0)
    answer_method: Mapped[str] = mapped_column(default="", server_default=text("''"))  # core.conversation.MODEL, CANNED
    mood: Mapped[str] = mapped_column(default="", server_default=text("''"))  # the caller's: core.mood.Mood
    played_ms: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # how long the assistant was heard,
    talk_over_ms: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # and that over the caller
    supervisor: Mapped[str] = mapped_column(default="", server_default=text("''"), info=PII)  # a supervisor's words
    told_from: Mapped[list[str] | None] = mapped_column(CleanJson)  # where in documents the answer stands
    matters: Mapped[list[str] | None] = mapped_column(CleanJson)  # the steps it asked for, in the order of their turn
    choices: Mapped[list[str] | None] = mapped_column(CleanJson)  # unclear: between these the caller was to choose


class ToolRun(Base):
    """One tool call of a turn."""

    __tablename__ = "tool_calls"
    __table_args__ = (
        ForeignKeyConstraint(["call_id", "turn"], ["turns.call_id", "turns.turn"], ondelete="CASCADE"),
        Index("ix_tool_calls_name", "name"),
    )

    call_id: Mapped[str] = mapped_column(primary_key=True)
    turn: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tool_id: Mapped[str] = mapped_column(default="")
    name: Mapped[str]
    arguments: Mapped[dict[str, Any]] = mapped_column(CleanJson, default=dict, info=PII)
    ok: Mapped[bool]
    content: Mapped[str] = mapped_column(default="", info=PII)
    took_ms: Mapped[int] = mapped_column(default=0)


class Cost(Base):
    """One line of what a call cost, by ``core.costs``."""

    __tablename__ = "costs"

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.call_id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    vendor: Mapped[str]
    item: Mapped[str]
    unit: Mapped[str]
    quantity: Mapped[float]
    unit_usd: Mapped[float | None]  # null: no price is known
    usd: Mapped[float]
    priced_on: Mapped[str] = mapped_column(default="")  # the price list's date, ISO


class AfterCall(Base):
    """What follows a call: its place among the notes of its person, and how far its steps have come."""

    __tablename__ = "after_calls"
    __table_args__ = (Index("ix_after_calls_person", "tenant", "caller_number", "ended_ms"),)

    call_id: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(default="default", server_default="default")
    caller_number: Mapped[str] = mapped_column(default="", server_default=text("''"), info=PII)
    ended_ms: Mapped[float] = mapped_column(default=0.0, server_default=text("0"))
    awaits_crm: Mapped[bool] = mapped_column(default=False, server_default=false())  # later notes wait for this one
    state: Mapped[dict[str, Any] | None] = mapped_column(CleanJson, info=PII)


class LetterRow(Base):
    """A dead letter: an errand that was given up, and what became of it since."""

    __tablename__ = "dead_letters"
    __table_args__ = (
        Index("ix_dead_letters_status", "status", "changed_ms"),
        Index("ix_dead_letters_call", "call_id"),
    )

    letter_id: Mapped[str] = mapped_column(primary_key=True)
    call_id: Mapped[str]
    status: Mapped[str]
    changed_ms: Mapped[float]
    letter: Mapped[dict[str, Any]] = mapped_column(CleanJson, info=PII)


class WebhookEndpoint(Base):
    """Where a customer wants to hear of events."""

    __tablename__ = "webhook_endpoints"

    endpoint_id: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    events: Mapped[list[str]] = mapped_column(CleanJson)
    description: Mapped[str] = mapped_column(default="", server_default=text("''"))
    secret: Mapped[str]
    old_secret: Mapped[str | None]
    old_until_ms: Mapped[float | None]
    created_ms: Mapped[float]
    rotated_ms: Mapped[float | None]


class WebhookDelivery(Base):
    """What became of one message to one endpoint."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (Index("ix_webhook_deliveries_newest", "endpoint_id", "last_ms"),)

    endpoint_id: Mapped[str] = mapped_column(
        ForeignKey("webhook_endpoints.endpoint_id", ondelete="CASCADE"), primary_key=True
    )
    message_id: Mapped[str] = mapped_column(primary_key=True)
    event: Mapped[str]
    call_id: Mapped[str] = mapped_column(default="", server_default=text("''"))
    delivered: Mapped[bool]
    attempts: Mapped[int]
    status: Mapped[int | None]
    detail: Mapped[str] = mapped_column(default="", server_default=text("''"))
    first_ms: Mapped[float]
    last_ms: Mapped[float]
    took_ms: Mapped[int]


class Transfer(Base):
    """One attempt to have a representative take a call."""

    __tablename__ = "transfers"

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.call_id", ondelete="CASCADE"), primary_key=True)
    transfer: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    queue: Mapped[str]
    cause: Mapped[str]  # core.contracts.transfer.Cause
    reason: Mapped[str] = mapped_column(info=PII)
    number: Mapped[str]  # of the representative called last
    summary: Mapped[str] = mapped_column(info=PII)
    whisper: Mapped[str] = mapped_column(info=PII)
    taken_by: Mapped[str]
    outcome: Mapped[str | None]  # core.contracts.transfer.TransferOutcome
    tried: Mapped[list[str]] = mapped_column(CleanJson, default=list)
    callback: Mapped[bool]
    started_ms: Mapped[float]
    accepted_ms: Mapped[float | None]
    bridged_ms: Mapped[float | None]
    ended_ms: Mapped[float | None]


class CallbackTask(Base):
    """A caller whom a person is to call back."""

    __tablename__ = "callbacks"
    __table_args__ = (Index("ix_callbacks_newest", "created_ms", "callback_id"),)

    callback_id: Mapped[str] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.call_id", ondelete="CASCADE"))
    queue: Mapped[str]
    caller_number: Mapped[str] = mapped_column(info=PII)
    reason: Mapped[str] = mapped_column(info=PII)
    summary: Mapped[str] = mapped_column(info=PII)
    created_ms: Mapped[float]
    completed_ms: Mapped[float | None]
    completed_by: Mapped[str] = mapped_column(default="", server_default=text("''"))
    note: Mapped[str] = mapped_column(default="", server_default=text("''"), info=PII)


class StepExampleRow(Base):
    """What a caller said in a step, or in none, for its playbook to learn from; gone with its call."""

    __tablename__ = "step_examples"
    __table_args__ = (
        Index("ix_step_examples_newest", "created_ms", "example_id"),
        Index("ix_step_examples_playbook", "playbook", "review", "created_ms"),
    )

    example_id: Mapped[str] = mapped_column(primary_key=True)
    playbook: Mapped[str]
    step: Mapped[str]
    text: Mapped[str] = mapped_column(info=PII)
    review: Mapped[str]  # core.growth.Review
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.call_id", ondelete="CASCADE"))
    turn: Mapped[int]
    confidence: Mapped[float]
    created_ms: Mapped[float]
    decided_ms: Mapped[float | None]
    decided_by: Mapped[str]


class StepFitRow(Base):
    """One state of what a playbook has learnt: core.ports.step_examples.StepFit."""

    __tablename__ = "step_fits"

    playbook: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    method: Mapped[str] = mapped_column(primary_key=True)
    ref: Mapped[str]
    examples: Mapped[int]
    grown: Mapped[int]
    threshold: Mapped[float]
    learnt_ms: Mapped[float]


class StepAuditRow(Base):
    """What the model says of a step that was found without it: core.ports.step_examples.StepAudit."""

    __tablename__ = "step_audits"
    __table_args__ = (Index("ix_step_audits_newest", "playbook", "at_ms"),)

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.call_id", ondelete="CASCADE"), primary_key=True)
    turn: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    playbook: Mapped[str]
    method: Mapped[str]
    found: Mapped[str]
    confidence: Mapped[float]
    judged: Mapped[str]
    at_ms: Mapped[float]


class ContactUploadRow(Base):
    """How far a list has been read into its campaign: core.ports.contact_lists.ListUpload."""

    __tablename__ = "contact_uploads"

    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaigns.campaign_id", ondelete="CASCADE"), primary_key=True)
    upload_id: Mapped[str] = mapped_column(primary_key=True)
    lines: Mapped[int]
    added: Mapped[int]
    faults: Mapped[dict[str, int]] = mapped_column(CleanJson)  # core.list_records.FaultKind -> lines
    first_faults: Mapped[list[Any]] = mapped_column(CleanJson, info=PII)  # [line, kind, detail]
    complete: Mapped[bool]
    changed_ms: Mapped[float]


class EventLine(Base):
    """One line of the live feed, append-only. Ids rise in the order of commit."""

    __tablename__ = "call_events"
    __table_args__ = (
        UniqueConstraint("source", "source_seq", name="uq_call_events_source"),
        Index("ix_call_events_call", "call_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    source: Mapped[str]  # the feed that wrote it, and its own count:
    source_seq: Mapped[int] = mapped_column(BigInteger)  # a line sent twice is kept once
    call_id: Mapped[str]
    kind: Mapped[str]
    at_ms: Mapped[float]
    data: Mapped[dict[str, Any]] = mapped_column(CleanJson, info=PII)


class PlaybookVersion(Base):
    """One text of a playbook. The newest ``published_ms`` of a name is the latest."""

    __tablename__ = "playbook_versions"
    __table_args__ = (Index("ix_playbook_versions_latest", "name", "published_ms"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
    created_ms: Mapped[float]
    published_ms: Mapped[float]


class CampaignRow(Base):
    """A campaign: core.ports.campaign.ListedCampaign."""

    __tablename__ = "campaigns"
    __table_args__ = (Index("ix_campaigns_newest", "created_ms", "campaign_id"),)

    campaign_id: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str]
    phase: Mapped[str]  # core.contracts.campaign.CampaignPhase
    settings: Mapped[dict[str, Any]] = mapped_column(CleanJson)
    created_ms: Mapped[float]
    started_ms: Mapped[float | None]
    ended_ms: Mapped[float | None]
    told_ms: Mapped[float | None]  # its customer knows of its end


class ContactRow(Base):
    """Somebody a campaign is to call: core.contracts.campaign.Contact."""

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("campaign_id", "number", name="uq_contacts_number"),
        Index("ix_contacts_due", "campaign_id", "state", "due_ms"),
        Index(
            "ix_contacts_untold",
            "campaign_id",
            "state",
            "contact_id",
            sqlite_where=text("told_ms IS NULL"),
            postgresql_where=text("told_ms IS NULL"),
        ),
    )

    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaigns.campaign_id", ondelete="CASCADE"), primary_key=True)
    contact_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(info=PII)
    stated_zone: Mapped[str] = mapped_column(default="")
    variables: Mapped[dict[str, str]] = mapped_column(CleanJson, info=PII)
    state: Mapped[str]  # core.contracts.campaign.ContactState
    due_ms: Mapped[float] = mapped_column(default=0.0)
    outcomes: Mapped[list[str]] = mapped_column(CleanJson, default=list)
    hindrance: Mapped[str | None]
    done_ms: Mapped[float | None]
    told_ms: Mapped[float | None]  # its campaign's customer knows of it


class AttemptRow(Base):
    """One dial of a contact, written before it: core.contracts.campaign.Attempt."""

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("campaign_id", "contact_id", "attempt", name="uq_attempts_contact"),
        Index(
            "uq_attempts_open_number",
            "number",
            unique=True,
            sqlite_where=text("ended_ms IS NULL"),
            postgresql_where=text("ended_ms IS NULL"),
        ),
        Index("ix_attempts_number", "number", "opened_ms"),
        Index("ix_attempts_ended", "campaign_id", "ended_ms"),
    )

    call_id: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[str]
    contact_id: Mapped[str]
    attempt: Mapped[int]
    number: Mapped[str] = mapped_column(info=PII)
    opened_ms: Mapped[float]
    begun: Mapped[bool] = mapped_column(default=False)  # its call's workflow was started
    dialled_ms: Mapped[float | None]  # it passed the gate
    missed_ms: Mapped[float | None]  # its call had ended then, and its record had not come
    zones: Mapped[list[str]] = mapped_column(CleanJson)
    consent: Mapped[dict[str, Any] | None] = mapped_column(CleanJson)
    carrier_call_id: Mapped[str | None]
    ended_ms: Mapped[float | None]
    outcome: Mapped[str | None]  # core.attempts.AttemptOutcome
    why_now: Mapped[str] = mapped_column(default="", server_default=text("''"))  # core.attempts.WhyNow


class DncRow(Base):
    """A number that must not be called: core.ports.campaign.DncEntry."""

    __tablename__ = "dnc"
    __table_args__ = (Index("ix_dnc_newest", "added_ms", "number"),)

    number: Mapped[str] = mapped_column(primary_key=True, info=PII)
    scope: Mapped[str] = mapped_column(primary_key=True)
    of: Mapped[str] = mapped_column(primary_key=True)  # tenant or campaign; "" for everybody
    reason: Mapped[str] = mapped_column(default="")
    added_ms: Mapped[float]
    removed_ms: Mapped[float | None]


class PermissionChangeRow(Base):
    """A change of whether a number may be called: core.ports.campaign.PermissionChange. None is ever changed."""

    __tablename__ = "permission_changes"
    __table_args__ = (Index("ix_permission_changes_number", "number", "change_id"),)

    change_id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    number: Mapped[str] = mapped_column(info=PII)
    change: Mapped[str]  # core.ports.campaign.Permission
    scope: Mapped[str]
    of: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    at_ms: Mapped[float]


class ConsentRow(Base):
    """What the holder of a number has agreed to: core.may_call.ConsentOnRecord."""

    __tablename__ = "consents"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(primary_key=True, info=PII)
    given_ms: Mapped[float]
    revoked_ms: Mapped[float | None]
    expires_ms: Mapped[float | None]
    source: Mapped[str] = mapped_column(default="")


class DialRate(Base):
    """The next free moment of the carrier account, which all campaigns share."""

    __tablename__ = "dial_rate"

    account: Mapped[str] = mapped_column(primary_key=True)
    free_ms: Mapped[float]


class Document(Base):
    """A document of a playbook, of all its versions, and the passages it was read into."""

    __tablename__ = "documents"

    playbook: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]  # SHA-256 of the content, hex
    uploaded: Mapped[bool]  # else published with the playbook's files
    content: Mapped[bytes] = mapped_column(LargeBinary)
    passages: Mapped[list[dict[str, Any]]] = mapped_column(
        CleanJson
    )  # core.knowledge.passages.Passage, but its document
    changed_ms: Mapped[float]


def personal_columns() -> list[Column[Any]]:
    """Every column that may hold personal data, so that erasure finds them."""
    return [column for table in Base.metadata.sorted_tables for column in table.columns if column.info.get("pii")]


def _clean(value: str) -> str:
    return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _clean_json(value: Any) -> Any:
    match value:
        case str():
            return _clean(value)
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {_clean(str(key)): _clean_json(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_clean_json(inner) for inner in value]
    return value
