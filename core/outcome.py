"""How a call can end, and what a carrier's status callbacks, in whatever order they come, say about it."""

from dataclasses import dataclass
from enum import StrEnum


class Disposition(StrEnum):
    """The one final outcome of a call."""

    COMPLETED = "completed"  # the assistant brought it to its end
    CALLER_HUNG_UP = "caller_hung_up"
    TRANSFERRED = "transferred"
    TAKEN_OVER = "taken_over"
    ENDED_BY_OPERATOR = "ended_by_operator"
    CALLER_SILENT = "caller_silent"
    VENDOR_FAILURE = "vendor_failure"  # apologised and ended, or handed over where the playbook says to whom
    CONNECTION_LOST = "connection_lost"  # the media stream went and did not come back
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    CANCELED = "canceled"
    VOICEMAIL = "voicemail"  # a machine had answered
    NOT_ALLOWED = "not_allowed"  # refused at the moment of dialling; nothing rang


class CarrierState(StrEnum):
    """A leg's state in the carrier's own words."""

    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def final(self) -> bool:
        """Whether the leg is over."""
        return self in _FINAL

    @property
    def rank(self) -> int:
        """How far along a leg in this state is: a state never goes back to a lower rank."""
        return _RANK[self]


_FINAL = {
    CarrierState.COMPLETED,
    CarrierState.BUSY,
    CarrierState.NO_ANSWER,
    CarrierState.FAILED,
    CarrierState.CANCELED,
}
_RANK = {
    CarrierState.QUEUED: 0,
    CarrierState.INITIATED: 1,
    CarrierState.RINGING: 2,
    CarrierState.IN_PROGRESS: 3,
} | dict.fromkeys(_FINAL, 4)

NOT_REACHED: dict[CarrierState, Disposition] = {
    CarrierState.BUSY: Disposition.BUSY,
    CarrierState.NO_ANSWER: Disposition.NO_ANSWER,
    CarrierState.FAILED: Disposition.FAILED,
    CarrierState.CANCELED: Disposition.CANCELED,
}
"""Final states of a leg that was never answered."""


@dataclass
class LegState:
    """What is known of one leg from callbacks that may repeat, be late or out of order."""

    state: CarrierState | None = None
    sequence: int = -1

    def hear(self, state: CarrierState, sequence: int) -> bool:
        """Take one callback in; returns whether it told something new.

        The first final state stays. Else the higher rank wins: a late "ringing" after "in-progress"
        changes nothing, whatever its sequence number.
        """
        if self.state is not None and (self.state.final or state.rank <= self.state.rank):
            return False
        self.state = state
        self.sequence = max(self.sequence, sequence)
        return True
