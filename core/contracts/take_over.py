"""What a call's history remembers of a supervisor who talks to the caller from the browser. See docs/takeover.md."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FloorTaken:
    """Gateway: a supervisor speaks to the caller from now on; the assistant is silent already."""

    attachment: int
    seq: int
    by: str  # their name; "" if they gave none
    at_ms: float


@dataclass(frozen=True)
class SupervisorSaid:
    """Gateway: what a supervisor has said to the caller."""

    attachment: int
    seq: int
    turn: int  # the caller's last turn before it; 0: they had said nothing yet
    text: str
    at_ms: float


@dataclass(frozen=True)
class FloorGivenBack:
    """Gateway: the call is the assistant's again."""

    attachment: int
    seq: int
    lost: bool  # nothing came from the supervisor any more: they have not handed it back themselves
    at_ms: float


@dataclass(frozen=True)
class Desk:
    """Where a supervisor listens to a call, and whether they may take it over; the query ``desk``."""

    url: str = ""  # ws://.. of the gateway that holds the call; "": there is no media stream now
    refusal: str = ""  # why nobody may take it over just now, in words; "": they may
