"""A supervisor who talks with the caller from the browser. No clock: times are arguments, ms since the epoch."""

from dataclasses import dataclass

from core.contracts.take_over import FloorGivenBack
from core.contracts.transfer import Cause, TransferOutcome, TransferRecord


@dataclass
class Supervisor:
    """One take-over. It lasts until it is given ``back``, or its stream is gone."""

    number: int  # among the call's transfers, from 1
    by: str
    attachment: int  # the stream they speak on
    started_ms: float
    back: FloorGivenBack | None = None
    deaf: bool = False  # nobody but them can understand the caller any more

    @property
    def name(self) -> str:
        """Who it is, in words."""
        return self.by or "a supervisor"

    def record(self, outcome: TransferOutcome | None = None, ended_ms: float | None = None) -> TransferRecord:
        """The whole take-over; ``outcome`` None: it is under way."""
        return TransferRecord(
            transfer=self.number,
            queue="",
            cause=Cause.SUPERVISOR,
            reason="",
            number="",
            summary="",
            whisper="",
            started_ms=self.started_ms,
            outcome=outcome,
            accepted_ms=self.started_ms,
            bridged_ms=self.started_ms,
            ended_ms=ended_ms,
            by=self.by,
        )
