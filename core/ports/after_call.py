"""What happens after a call needs of the outside: what is kept of it, messages to people, customers' webhooks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.contracts.after_call import AfterState, DeadLetter, EndpointPlan
from core.contracts.call import CallRecord


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter as lists show it. ``status``: "dead" | "resending" | "sent" | "dismissed"."""

    letter_id: str
    status: str
    changed_ms: float
    letter: DeadLetter


class AfterCallStore(Protocol):
    """What SQL keeps of what follows calls. All raise StorageUnavailable."""

    async def queue_for_crm(self, record: CallRecord) -> None:
        """Give the call its place among the notes of its person; idempotent."""
        ...

    async def is_crm_turn(self, call_id: str) -> bool:
        """Whether no earlier call of the same person still waits for its note."""
        ...

    async def leave_crm_queue(self, call_id: str) -> None:
        """Later calls of the person need not wait for this one any more; idempotent."""
        ...

    async def keep(self, state: AfterState) -> None:
        """Make SQL equal to the state."""
        ...

    async def state(self, call_id: str) -> AfterState | None:
        """What was kept last."""
        ...

    async def set_aside(self, letter: DeadLetter) -> str:
        """Keep a dead letter, in place of one of the same step; returns its id."""
        ...

    async def letters(
        self, *, call_id: str | None = None, dead: bool | None = None, limit: int = 100
    ) -> Sequence[Letter]:
        """Newest first; ``dead``: only those that wait for an operator."""
        ...

    async def letter(self, letter_id: str) -> Letter | None:
        """One of them."""
        ...

    async def mark_letter(self, letter_id: str, status: str) -> None:
        """Keep what became of a letter."""
        ...


class Messenger(Protocol):
    """Text messages and e-mails to people."""

    async def send_sms(self, to: str, from_: str, text: str, since_ms: float) -> str:
        """Send it unless the same text went to the same number since then; returns its id. Raises VendorError."""
        ...

    async def send_email(self, to: str, subject: str, text: str, key: str) -> str:
        """Send it; mail with the same key has the same Message-ID. Returns that. Raises VendorError."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a customer wants to hear of events."""

    endpoint_id: str
    url: str
    events: tuple[str, ...]
    description: str = ""
    created_ms: float = 0.0
    rotated_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one message to one endpoint."""

    message_id: str
    endpoint_id: str
    event: str
    call_id: str
    delivered: bool
    attempts: int
    status: int | None  # of the last answer
    detail: str
    first_ms: float
    last_ms: float
    took_ms: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a delivery. ``status`` None: no answer."""

    status: int | None
    detail: str
    took_ms: int

    @property
    def delivered(self) -> bool:
        """Whether the endpoint took it."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Tried:
    """A message that was tried once."""

    message_id: str
    event: str
    call_id: str
    attempt: Attempt


class WebhookBook(Protocol):
    """Customers' endpoints, their secrets, and what was delivered to them. All raise StorageUnavailable."""

    async def plans(self) -> Sequence[EndpointPlan]:
        """Whom to tell of what."""
        ...

    async def endpoints(self) -> Sequence[Endpoint]:
        """All, oldest first."""
        ...

    async def endpoint(self, endpoint_id: str) -> tuple[Endpoint, tuple[str, ...]] | None:
        """One, and the secrets that its messages are signed with now: the newest first."""
        ...

    async def add(self, endpoint: Endpoint, secret: str) -> None:
        """A new one."""
        ...

    async def change(self, endpoint: Endpoint) -> None:
        """Its address, events and description."""
        ...

    async def rotate(self, endpoint_id: str, secret: str, now_ms: float, keep_ms: float) -> bool:
        """Sign with a new secret, and with the old one beside it for so long; False: there is no such endpoint."""
        ...

    async def remove(self, endpoint_id: str) -> bool:
        """Tell it nothing more; False: there is none."""
        ...

    async def note(self, endpoint_id: str, tried: Sequence[Tried]) -> None:
        """Write attempts down, each at a message of its own."""
        ...

    async def deliveries(self, endpoint_id: str, limit: int = 100) -> Sequence[Delivery]:
        """Newest first."""
        ...


class WebhookSender(Protocol):
    """HTTP to addresses that customers chose."""

    def fault(self, url: str) -> str:
        """Why an address cannot be one, as far as it can be told without asking for it; "" if it can."""
        ...

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> Attempt:
        """One try; never raises for what the other side does."""
        ...
