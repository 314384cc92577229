"""What a call writes into its workflow's history, and how much."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory

from core.contracts import names

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
        growth = cls(0, 0, 0)
        async for run in runs_of(client, workflow_id):
            messages = sum(event.event_type in MESSAGES for event in run.events)
            size = sum(event.ByteSize() for event in run.events)
            growth = cls(growth.events + len(run.events), growth.size + size, growth.messages + messages)
        return growth

    def per_turn(self, since: "Growth", turns: int) -> "Growth":
        """Each turn's share of what has come since."""
        return Growth(
            (self.events - since.events) / turns,
            (self.size - since.size) / turns,
            (self.messages - since.messages) / turns,
        )


async def runs_of(client: Client, workflow_id: str) -> AsyncIterator[WorkflowHistory]:
    """The history of each run of a workflow, the last one first."""
    run = ""
    while True:
        history = await client.get_workflow_handle(workflow_id, run_id=run or None).fetch_history()
        yield history
        run = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not run:
            return


async def keep_histories(client: Client, calls: Iterable[str], folder: Path) -> None:
    """Write each call's runs as the Temporal UI and replayers read them: CALL-0.json is its last one."""
    for call in calls:
        place = 0
        async for run in runs_of(client, names.call_workflow_id(call)):
            (folder / f"{call}-{place}.json").write_text(run.to_json())
            place += 1
