"""What every emulated vendor shares: how slow it is, what is broken just now, and when things happened."""

import asyncio
import random
import time
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Latency:
    """How long the emulated vendors take, in ms. The defaults are what the real ones were seen to take."""

    end_of_turn_ms: float = 371.0  # Deepgram: end of speech -> EndOfTurn
    unfinished_turn_ms: float = 1_500.0  # the same where the text does not end like a sentence
    eager_end_of_turn_ms: float = 210.0  # end of speech -> EagerEndOfTurn, where asked for
    start_of_turn_ms: float = 0.0  # Deepgram: begin of speech -> StartOfTurn, and the first word
    resumed_share: float = 0.1  # eager turns that are resumed
    prerecorded_ms: float = 300.0
    recogniser_idle_ms: float = 10_000.0  # Deepgram closes a stream without audio and KeepAlive after that
    voice_idle_ms: float = 20_000.0  # ElevenLabs closes a socket without text after that, unless asked otherwise
    model_first_token_ms: float = 320.0
    model_token_ms: float = 12.0
    model_structured_ms: float = 350.0  # a whole structured answer
    voice_first_byte_ms: float = 130.0
    voice_speed: float = 8.0  # how much faster than real time audio is made after that
    carrier_rest_ms: float = 60.0
    ring_ms: float = 400.0
    crm_ms: float = 80.0  # Salesforce, HubSpot, Calendly and Cal.com too
    search_lag_ms: float = 2_000.0  # HubSpot: so long after a write its search does not know of it


@dataclass
class Fault:
    """What a vendor does wrong for its next ``times`` requests (or sockets, or texts).

    kind: "status" (answer with ``status``), "connect" (refuse or close at once), "stall" (no byte at all),
    "stall_after" (no byte after the first), "drip" (``delay_ms`` before each piece), "drop" (close in mid-stream),
    "mute" (stay open and say nothing), "garbage" (answer with something that is no answer), "unsure" (Deepgram: the
    words come with a low confidence), "endless" (Deepgram's Flux: a turn's end is not told).
    """

    vendor: str  # one of sandbox.control.VENDORS
    kind: str
    status: int = 503
    delay_ms: float = 1_000.0
    times: int = 1
    retry_after: float | None = None
    match: str = ""  # only requests whose text holds this
    after: int = 0  # "stall_after", "drop", "error_event": so many tokens or pieces of audio come first; 0: a few


@dataclass
class Stamp:
    """Something that happened in the sandbox, by its clock (ms since the epoch)."""

    at_ms: float
    vendor: str
    what: str
    data: dict[str, Any] = field(default_factory=dict)


class SandboxState:
    """Shared by all routers of one sandbox process; changed by its control routes while it runs."""

    def __init__(self, latency: Latency | None = None, seed: int = 1) -> None:
        self.latency = latency or Latency()
        self.faults: list[Fault] = []
        self.stamps: list[Stamp] = []
        self.emails: list[dict[str, Any]] = []
        self.hooks: list[dict[str, Any]] = []
        self.random = random.Random(seed)

    def stamp(self, vendor: str, what: str, /, **data: Any) -> float:
        """Write down that something happened now; returns the time."""
        at_ms = now_ms()
        self.stamps.append(Stamp(at_ms, vendor, what, data))
        return at_ms

    def take_fault(self, vendor: str, text: str = "", kinds: tuple[str, ...] = ()) -> Fault | None:
        """The fault that this request meets, if any; uses one of its times up."""
        for fault in self.faults:
            if fault.vendor == vendor and fault.match in text and (not kinds or fault.kind in kinds):
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                self.stamp(vendor, "fault", kind=fault.kind)
                return fault
        return None

    def timeline(self, since: int = 0) -> list[dict[str, Any]]:
        """All stamps from index ``since`` on."""
        return [asdict(stamp) for stamp in self.stamps[since:]]


def now_ms() -> float:
    """Wall clock, ms since the epoch: comparable with the stamps of the product on the same machine."""
    return time.time() * 1_000


async def pause(ms: float) -> None:
    """Be as slow as the vendor would be."""
    if ms > 0:
        await asyncio.sleep(ms / 1_000)
