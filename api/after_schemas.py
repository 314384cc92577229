"""What /v1 gives and takes of what follows calls. Times are ISO 8601 in UTC."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from api.moments import moment
from core.contracts.after_call import AfterState, AfterStep, StepStatus
from core.ports.after_call import Attempt, Delivery, Endpoint, Letter
from core.webhooks import CALL_ANALYZED, CALL_ENDED

Moment = Annotated[datetime, Field(examples=["2026-11-26T09:00:00Z"])]
Event = Literal["call.ended", "call.analyzed"]
EventList = Annotated[list[Event], Field(min_length=1, max_length=10, examples=[[CALL_ENDED, CALL_ANALYZED]])]
Url = Annotated[
    str,
    Field(
        min_length=9,
        max_length=1_000,
        pattern=r"^https?://",
        description="A public https address; it gets a POST for each event",
        examples=["https://customer.example/holdfast"],
    ),
]
Description = Annotated[str, Field(max_length=200, examples=["the shop's own server"])]
LetterStatus = Literal["dead", "resending", "sent", "dismissed"]


class Step(BaseModel):
    """One step of what follows a call."""

    name: str = Field(examples=["crm"])
    title: str = Field(examples=["Put it into the CRM"])
    status: StepStatus
    attempts: int = Field(examples=[3])
    detail: str = Field(description="What came of it, or why it has not", examples=["crm: answered 503"])
    changed_at: Moment
    next_at: Moment | None = Field(description="When it goes on by itself")
    dead_letter: str | None = Field(description="The dead letter it became", examples=[None])
    letter_status: LetterStatus | None = Field(description="What became of that", examples=[None])

    @classmethod
    def of(cls, step: AfterStep, letter: Letter | None) -> Self:
        """From the step, and its dead letter if it has one."""
        return cls(
            name=step.name,
            title=step.title,
            status=step.status,
            attempts=step.attempts,
            detail=step.detail,
            changed_at=moment(step.changed_ms),
            next_at=moment(step.next_ms) if step.next_ms is not None else None,
            dead_letter=letter.letter_id if letter else None,
            letter_status=_status(letter) if letter else None,
        )


class AfterCall(BaseModel):
    """What follows a call: its steps, and the playbook's fields."""

    call_id: str = Field(examples=["out-5f0c7d2a9b6e4c1f8a3d"])
    steps: list[Step]
    fields: dict[str, Any] = Field(
        description="By the playbook's after_call.extract", examples=[{"order_number": "48213", "sms_ok": True}]
    )
    faults: list[str] = Field(
        description="Fields that the model could not tell, or told wrongly", examples=[["email (unknown)"]]
    )

    @classmethod
    def of(cls, state: AfterState, letters: Iterable[Letter]) -> Self:
        """From the workflow's state, or what was kept of it."""
        by_step = {letter.letter.errand.step: letter for letter in letters}
        steps = [Step.of(step, by_step.get(step.name)) for step in state.steps]
        return cls(call_id=state.call_id, steps=steps, fields=state.fields, faults=list(state.faults))


class DeadLetter(BaseModel):
    """A step that was refused for good, or failed for days."""

    id: str = Field(examples=["dl_3f9ab51e07d2c4a6b8e01234"])
    call_id: str | None = Field(
        description="null: of a campaign, and of none of its calls", examples=["out-5f0c7d2a9b6e4c1f8a3d"]
    )
    step: str = Field(examples=["crm"])
    title: str = Field(examples=["Put it into the CRM"])
    failure: str = Field(examples=["crm: answered 503"])
    attempts: int = Field(examples=[157])
    status: LetterStatus
    changed_at: Moment

    @classmethod
    def of(cls, letter: Letter) -> Self:
        """Without what it would send: that is the call's own page's matter."""
        errand = letter.letter.errand
        return cls(
            id=letter.letter_id,
            call_id=letter.letter.call_id or None,
            step=errand.step,
            title=errand.title,
            failure=letter.letter.failure,
            attempts=letter.letter.attempts,
            status=_status(letter),
            changed_at=moment(letter.changed_ms),
        )


class WhichLetters(BaseModel):
    """Query parameters; others are refused."""

    model_config = ConfigDict(extra="forbid")

    dead: bool = Field(True, description="Those that wait for somebody, or those that are settled")
    limit: int = Field(100, ge=1, le=500)


class HowMany(BaseModel):
    """Query parameters; others are refused."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=500)


class DeadLetters(BaseModel):
    """Dead letters, newest first."""

    dead_letters: list[DeadLetter]


class NewWebhook(BaseModel):
    """Where to tell of what."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    events: EventList
    description: Description = ""


class ChangedWebhook(BaseModel):
    """What is to be another; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    events: EventList | None = None
    description: Description | None = None


class Webhook(BaseModel):
    """An endpoint."""

    id: str = Field(examples=["we_9c0d1e2f3a4b5c6d7e8f"])
    url: str = Field(examples=["https://customer.example/holdfast"])
    events: list[str] = Field(
        description="None: it only hears of campaigns that name it", examples=[[CALL_ENDED, CALL_ANALYZED]]
    )
    description: str = Field(examples=["the shop's own server"])
    created_at: Moment
    rotated_at: Moment | None = Field(description="When its secret was last exchanged")

    @classmethod
    def of(cls, endpoint: Endpoint) -> Self:
        """Without its secret."""
        return cls(**_told(endpoint))


class WebhookWithSecret(Webhook):
    """An endpoint with its secret, which is shown this once."""

    secret: str = Field(description="Signs by Standard Webhooks", examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"])

    @classmethod
    def with_secret(cls, endpoint: Endpoint, secret: str) -> Self:
        """With its secret."""
        return cls(**_told(endpoint), secret=secret)


class Webhooks(BaseModel):
    """All endpoints, oldest first."""

    webhooks: list[Webhook]


class TestResult(BaseModel):
    """What came of a test message."""

    delivered: bool
    status: int | None = Field(description="Of its answer; null: none came", examples=[204])
    detail: str = Field(examples=["answered 204"])
    took_ms: int = Field(examples=[85])

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """From the attempt."""
        return cls(delivered=attempt.delivered, status=attempt.status, detail=attempt.detail, took_ms=attempt.took_ms)


class WebhookDelivery(BaseModel):
    """What became of one message to an endpoint."""

    message_id: str = Field(examples=["msg_out-5f0c7d2a9b6e4c1f8a3d_call_ended"])
    event: str = Field(examples=[CALL_ENDED])
    call_id: str | None = Field(examples=["out-5f0c7d2a9b6e4c1f8a3d"])
    delivered: bool
    attempts: int = Field(examples=[2])
    status: int | None = Field(description="Of the last answer", examples=[204])
    detail: str = Field(examples=["answered 204"])
    first_at: Moment
    last_at: Moment
    took_ms: int = Field(examples=[85])

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """From the row."""
        return cls(
            message_id=delivery.message_id,
            event=delivery.event,
            call_id=delivery.call_id or None,
            delivered=delivery.delivered,
            attempts=delivery.attempts,
            status=delivery.status,
            detail=delivery.detail,
            first_at=moment(delivery.first_ms),
            last_at=moment(delivery.last_ms),
            took_ms=delivery.took_ms,
        )


class Deliveries(BaseModel):
    """The newest deliveries to an endpoint."""

    deliveries: list[WebhookDelivery]

    @classmethod
    def of(cls, deliveries: Sequence[Delivery]) -> Self:
        """From the rows."""
        return cls(deliveries=[WebhookDelivery.of(delivery) for delivery in deliveries])


def _told(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.endpoint_id,
        "url": endpoint.url,
        "events": list(endpoint.events),
        "description": endpoint.description,
        "created_at": moment(endpoint.created_ms),
        "rotated_at": moment(endpoint.rotated_ms) if endpoint.rotated_ms is not None else None,
    }


def _status(letter: Letter) -> LetterStatus:
    known: dict[str, LetterStatus] = {"resending": "resending", "sent": "sent", "dismissed": "dismissed"}
    return known.get(letter.status, "dead")
