"""What the API is built from; put together in one place, the process's main."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from temporalio.converter import PayloadCodec

from api.gateway_room import GatewayRoom
from api.temporal import Temporal
from core.contracts.call import NEW_CALLS, CallTimers
from core.contracts.names import NAMESPACE, call_workflow_id
from core.knowledge.passages import Passage
from core.ports.after_call import AfterCallStore, WebhookBook, WebhookSender
from core.ports.call_log import CallReader
from core.ports.callbacks import Callbacks
from core.ports.campaign import Campaigns
from core.ports.contact_lists import ContactLists
from core.ports.knowledge import Documents
from core.ports.playbooks import Playbooks, PlaybookVersions
from core.ports.step_examples import StepExamples


@dataclass(frozen=True)
class SpokenLines:
    """What a caller hears from the carrier's own voice, when the assistant cannot speak."""

    hold: str = "One moment, please. I am connecting your call."
    resume: str = "One moment, please. I will be right back with you."
    overflow: str = "Thank you for waiting. I am putting you through to a colleague."
    apology: str = "I am sorry, we cannot take your call right now. Please call again a little later."
    unknown_number: str = "This number is not in service. Goodbye."


@dataclass(frozen=True)
class ApiSettings:
    """Everything the API needs to know; nothing in it reads the environment."""

    public_url: str  # what the carrier and browsers see, without a slash at the end
    media_url: str  # public WebSocket origin of the gateways: ws:// or wss://
    twilio_auth_token: str
    stream_secret: str
    api_key: str
    internal_secret: str = ""  # opens gateways' internal servers
    our_number: str | None = None  # E.164: the caller id of outbound calls that name none
    overflow_number: str | None = None  # E.164: who takes inbound calls while Temporal is away or gateways are full
    tenant: str = "default"
    temporal_ui_url: str = "http://127.0.0.1:8233"
    temporal_namespace: str = NAMESPACE
    calls_per_second: float = 1.0  # of the carrier's account
    discreet: bool = False  # nothing personal on its pages
    version: str = "0"
    timers: CallTimers = NEW_CALLS
    lines: SpokenLines = field(default_factory=SpokenLines)

    def temporal_url(self, call_id: str) -> str:
        """The page of a call's workflow in the Temporal UI."""
        return self.workflow_url(call_workflow_id(call_id))

    def workflow_url(self, workflow_id: str) -> str:
        """The page of a workflow in the Temporal UI."""
        base = f"{self.temporal_ui_url.rstrip('/')}/namespaces/{self.temporal_namespace}"
        return f"{base}/workflows/{quote(workflow_id, safe='')}"


@dataclass(frozen=True)
class ApiDeps:
    """The parts; each may be away when the API starts and come back later."""

    temporal: Temporal
    reader: CallReader
    playbooks: Playbooks
    versions: PlaybookVersions
    callbacks: Callbacks
    step_examples: StepExamples
    settings: ApiSettings
    after_calls: AfterCallStore
    webhooks: WebhookBook
    webhook_sender: WebhookSender
    campaigns: Campaigns
    contact_lists: ContactLists
    documents: Documents
    read_document: Callable[[str, bytes], Sequence[Passage]]  # by path and content; raises BadDocument, and takes time
    history: PayloadCodec  # opens what is sealed or packed at Temporal
    clock: Callable[[], float] = lambda: time.time() * 1_000  # ms since the epoch, for tokens of streams
    room: GatewayRoom | None = None  # None: gateways are not asked before a caller is let in
