"""What the gateway is given by the process that starts it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from temporalio.client import Client

from core.ports.call_log import CallFeed
from core.ports.speech import Recogniser
from media_gateway.clock import EarlierClock

STREAM_PATH = "/twilio/media"


@dataclass(frozen=True)
class GatewaySettings:
    """Addresses, secrets and deadlines; all times in seconds."""

    media_url: str  # ws(s)://..: the public origin of the gateways, as the carrier was told
    internal_url: str  # http://..: where workers reach this gateway's internal server
    twilio_auth_token: str  # signs the carrier's handshakes
    stream_secret: str  # signs stream tokens
    internal_secret: str  # opens the internal server
    capacity: int = 300  # streams at once; further ones are sent to another gateway
    start: float = 5.0  # from the handshake to the stream's start message
    attach: float = 1.0  # for the workflow to accept the stream; then the recogniser opens with default rules
    turn: float = 1.0  # for the workflow to accept a turn; then a holding line and the signal
    recogniser: float = 8.0  # for a lost recogniser to come back; then the call is told that it is deaf
    dead_air: float = 2.5  # of silence where the assistant is due to speak; then a holding line
    answer: float = 12.0  # that a caller waits for an answer; then the workflow is told
    delivery: float = 600.0  # after a stream's end, for what the workflow has not heard yet
    digits: float = 60.0  # after a stream's end, for sensitive digits: the call may come back, a tool may be running
    take_over_grace: float = 4.0  # without a sound of a supervisor's microphone; then the call is handed back
    drain: float = 120.0  # told to stop, for live streams to end by themselves
    rest: float = 15.0  # after that, for a moment in which nobody speaks and no answer is due

    @property
    def stream_url(self) -> str:
        """The url of the media socket exactly as TwiML gives it: the carrier signs it."""
        return self.media_url + STREAM_PATH


@dataclass(frozen=True)
class GatewayDeps:
    """The gateway's outside world."""

    settings: GatewaySettings
    temporal: Client
    recogniser: Recogniser
    feed: CallFeed
    clock: Callable[[], float] = field(default_factory=EarlierClock)  # ms since the epoch, for the age of tokens
