"""A CRM whose notes are kept by one system and whose operations are carried out by another."""

from typing import Any

from core.contracts.call import SyncCrm
from core.ports.crm import CallNotes, Crm, ToolContext
from core.ports.errors import VendorError


class NotesElsewhere:
    """Implements core.ports.crm.Crm. Without ``operations`` there are none."""

    def __init__(self, operations: Crm | None, notes: CallNotes) -> None:
        self._operations = operations
        self._notes = notes

    async def run(self, operation: str, arguments: dict[str, Any], context: ToolContext) -> dict[str, Any]:
        """See core.ports.crm.Crm."""
        if self._operations is None:
            raise VendorError("crm", "unauthorized", "HOLDFAST_CRM_BASE_URL is not set", curable=False)
        return await self._operations.run(operation, arguments, context)

    async def log_call(self, note: SyncCrm) -> str:
        """See core.ports.crm.CallNotes."""
        return await self._notes.log_call(note)
