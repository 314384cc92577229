"""What is known of a call before it begins: what the product asked for, and how the person will behave."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.twilio.person import ScriptLine
from sandbox.twilio.room import Room

Direction = Literal["inbound", "outbound-api", "outbound-dial"]
ALL_EVENTS = ("initiated", "ringing", "answered", "completed")


@dataclass(frozen=True)
class Fetch:
    """TwiML to ask the product for."""

    url: str
    method: str = "POST"
    params: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Inline:
    """TwiML that is here already."""

    twiml: str


@dataclass(frozen=True)
class Bridge:
    """No TwiML: the leg talks in a room until someone ends it. ``whisper`` is followed before that."""

    room: Room
    whisper: Fetch | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)  # the whisper is over


Source = Fetch | Inline | Bridge
"""Where a leg gets told what to do."""

HANG_UP = Inline("<Response/>")


@dataclass(frozen=True, slots=True)
class Note:
    """A verb that was run, or something wrong; as the control routes show it."""

    what: str
    at_ms: float
    detail: str = ""


@dataclass(frozen=True)
class CallPlan:
    """What a leg is to be."""

    to: str
    from_: str
    direction: Direction
    first: Source
    status_url: str | None = None
    status_events: tuple[str, ...] = ("completed",)
    fallback_url: str | None = None
    ring_seconds: float = 60.0
    parent_sid: str | None = None
    machine_detection: str | None = None  # "Enable" | "DetectMessageEnd"
    async_amd_url: str | None = None


class PersonPlan(BaseModel):
    """How a person behaves who is called, or who calls."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answer: Literal["human", "machine", "busy", "no-answer", "failed"] = "human"
    script: list[ScriptLine] | None = None
    voice: str = "caller"
    ring_seconds: float | None = Field(None, ge=0, le=600, description="before answering; default: the ring latency")
    lost_stream: Literal["redirect", "error"] = "redirect"
    callbacks: Literal["doubled", "reordered", "late"] | None = None

    @property
    def lines(self) -> list[ScriptLine]:
        """The script, or what people and machines say who were given none."""
        if self.script is not None:
            return self.script
        if self.answer == "machine":
            return [
                ScriptLine(say="Hello, nobody can take your call. Please leave a message after the tone.", after=0.5)
            ]
        return [ScriptLine(say="Hello?", after=0.3)]
