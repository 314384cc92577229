"""What the history of an after-call workflow remembers: its steps, what they are to do, and what came of them.

Times are milliseconds since the epoch. A field added later gets a default, so that recorded histories stay readable.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.contracts.call import CallRecord, CallSummary, SyncCrm
from core.outcome import Disposition


class StepStatus(StrEnum):
    """Where one step of what follows a call stands."""

    WAITING = "waiting"  # for a step before it, an earlier call's note, or an hour at which people may be written to
    RUNNING = "running"
    RETRYING = "retrying"  # it failed and is tried again later
    DONE = "done"
    SKIPPED = "skipped"  # there is nothing to do, or nobody has consented
    GAVE_UP = "gave_up"  # refused for good, or failed for days: a dead letter, which an operator can send again


@dataclass(frozen=True)
class AfterStep:
    """One step, as an operator sees it."""

    name: str  # of this step in its call: "crm", "follow_up:NAME", "webhook:EVENT:ENDPOINT"
    title: str
    status: StepStatus = StepStatus.WAITING
    attempts: int = 0
    detail: str = ""  # what came of it, or why it has not; no personal data
    changed_ms: float = 0.0
    next_ms: float | None = None  # when it goes on by itself

    @property
    def over(self) -> bool:
        """Whether it will do nothing more by itself."""
        return self.status in (StepStatus.DONE, StepStatus.SKIPPED, StepStatus.GAVE_UP)


@dataclass(frozen=True)
class AfterState:
    """All that follows a call; the query ``state`` of its workflow, and what SQL keeps of it."""

    call_id: str
    steps: tuple[AfterStep, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)  # by the playbook's after_call.extract
    faults: tuple[str, ...] = ()  # what the model told that did not fit it, and was left out


@dataclass(frozen=True)
class RetryStep:
    """An operator wants a step that waits for its next attempt to make it now."""

    step: str


# What steps do


class Means(StrEnum):
    """How a follow-up reaches a person."""

    SMS = "sms"
    EMAIL = "email"


@dataclass(frozen=True)
class FollowUpPlan:
    """A follow-up that the playbook knows; its text is made when the fields are known."""

    name: str
    means: Means


@dataclass(frozen=True)
class EndpointPlan:
    """A customer's webhook endpoint, and what it wants to hear of."""

    endpoint_id: str
    events: tuple[str, ...]
    host: str = ""


@dataclass(frozen=True)
class AfterPlan:
    """What the playbook and the customer want done after a call."""

    extracts: bool = False
    crm: bool = True
    follow_ups: tuple[FollowUpPlan, ...] = ()
    endpoints: tuple[EndpointPlan, ...] = ()
    audits: bool = False  # the model judges steps that were found without it
    crm_turn: bool = False  # no earlier call of the person waits for its note; false: that is to be found out


@dataclass(frozen=True)
class Extracted:
    """What the model told of the call by the playbook's schema, checked."""

    fields: dict[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class SendFollowUp:
    """Write to the person after the call, once."""

    call_id: str
    playbook: str
    name: str
    disposition: Disposition | None
    caller_number: str
    our_number: str
    fields: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    consent: bool | None = None  # given or refused by a key; None: not asked that way
    since_ms: float = 0.0  # the first attempt is no older


@dataclass(frozen=True)
class DeliverWebhook:
    """Tell a customer's endpoint of an event, at least once; ``message_id`` is the same each time."""

    endpoint_id: str
    message_id: str
    event: str
    at_ms: float
    data: dict[str, Any] = field(default_factory=dict)
    call_id: str = ""


@dataclass(frozen=True)
class AwaitCrmTurn:
    """Wait until every earlier call of the same person is in the CRM, or was given up."""

    call_id: str


@dataclass(frozen=True)
class Errand:
    """What a step has to do, whole, so that it can be done again later. One field is set."""

    step: str
    title: str
    summarize: CallRecord | None = None
    extract: CallRecord | None = None
    crm: SyncCrm | None = None
    follow_up: SendFollowUp | None = None
    webhook: DeliverWebhook | None = None
    audit: CallRecord | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of an errand."""

    detail: str = ""
    skipped: bool = False
    not_before_ms: float | None = None  # nothing was done: it is too early or too late in the person's day
    summary: CallSummary | None = None
    extracted: Extracted | None = None


@dataclass(frozen=True)
class DeadLetter:
    """An errand that was refused for good, or failed for days."""

    call_id: str
    tenant: str
    errand: Errand
    failure: str
    attempts: int
    at_ms: float


@dataclass(frozen=True)
class Resend:
    """Do a dead letter's errand again."""

    letter_id: str
