"""How much a call writes into its workflow's history."""

from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

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
    async def of(cls, client: Client, workflow_id: str) -> "Growth":
        """As it is now, in all runs."""
        growth, run = cls(0, 0, 0), ""
        while True:
            past = client.get_workflow_handle(workflow_id, run_id=run or None)
            events = (await past.fetch_history()).events
            messages = sum(event.event_type in MESSAGES for event in events)
            size = sum(event.ByteSize() for event in events)
            growth = cls(growth.events + len(events), growth.size + size, growth.messages + messages)
            run = events[0].workflow_execution_started_event_attributes.continued_execution_run_id
            if not run:
                return growth

    def per_turn(self, since: "Growth", turns: int) -> "Growth":
        """Each turn's share of what has come since."""
        return Growth(
            (self.events - since.events) / turns,
            (self.size - since.size) / turns,
            (self.messages - since.messages) / turns,
        )
