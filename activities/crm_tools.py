"""Tools of the kind ``operation``: the CRM's own, which does nothing twice for one idempotency key."""

from collections.abc import Mapping
from typing import Any

from core.playbook_tools import Tool
from core.ports.crm import Crm, ToolContext
from core.ports.tools import ToolOrder, Traits


class CrmTools:
    """Knows no operation by name: playbooks name them, the CRM knows them."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    def complete(self, tool: Tool) -> Tool:
        """The playbook says all."""
        return tool

    def traits(self, tool: Tool) -> Traits:
        """A key that is sent again brings the answer it had: asking again is the look-up."""
        return Traits(idempotent=True)

    async def run(self, tool: Tool, arguments: Mapping[str, Any], order: ToolOrder) -> Mapping[str, Any]:
        """Carry out the operation."""
        context = ToolContext(order.call_id, order.caller.number, order.idempotency_key)
        return await self._crm.run(tool.operation or "", dict(arguments), context)

    async def look_up(self, tool: Tool, arguments: Mapping[str, Any], order: ToolOrder) -> Mapping[str, Any] | None:
        """Never asked for."""
        return await self.run(tool, arguments, order)

    async def compensate(
        self, tool: Tool, arguments: Mapping[str, Any], answer: Mapping[str, Any], order: ToolOrder
    ) -> Mapping[str, Any]:
        """Never asked for: the playbook names the operation that undoes another."""
        return await self.run(tool, arguments, order)
