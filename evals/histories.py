"""How much a call writes into its workflow's history."""

from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from core.contracts.call import CallResult

MESSAGES = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
)


@dataclass(frozen=True, slots=True)
class Growth:
    """How large a history is, or by how much a turn makes it larger."""

    events: float
    size: float  # bytes
    messages: float  # signals and updates

    @classmethod
    async def of(cls, call: WorkflowHandle[object, CallResult]) -> "Growth":
        """As it is now."""
        events = (await call.fetch_history()).events
        messages = sum(event.event_type in MESSAGES for event in events)
        return cls(len(events), sum(event.ByteSize() for event in events), messages)

    def per_turn(self, since: "Growth", turns: int) -> "Growth":
        """Each turn's share of what has come since."""
        return Growth(
            (self.events - since.events) / turns,
            (self.size - since.size) / turns,
            (self.messages - since.messages) / turns,
        )
