"""The customer's systems: tools in the call, the note after it."""

from dataclasses import dataclass
from typing import Any, Protocol

from core.contracts.call import SyncCrm


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What the server, not the model, says about a tool call."""

    call_id: str
    caller_number: str
    idempotency_key: str


class CallNotes(Protocol):
    """Where a call is written down once it has ended."""

    async def log_call(self, note: SyncCrm) -> str:
        """Write the call's note once per idempotency key; returns the note's id. Raises VendorError."""
        ...


class Crm(CallNotes, Protocol):
    """A CRM behind HTTP."""

    async def run(self, operation: str, arguments: dict[str, Any], context: ToolContext) -> dict[str, Any]:
        """Carry out one operation once per idempotency key.

        Raises VendorError; kind "refused" carries a message the model may read to the caller ("no such order").
        """
        ...
