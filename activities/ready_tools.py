"""A playbook's tools, ready for use: completed by their kinds, with compiled schemas."""

from collections.abc import Mapping

import jsonschema_rs
import structlog

from core.playbook import Playbook
from core.playbook_tools import Tool
from core.ports.errors import VendorError
from core.ports.tools import ToolKind
from core.tools import closed

log = structlog.get_logger()


def with_ready_tools(
    playbook: Playbook, kinds: Mapping[str, ToolKind]
) -> tuple[Playbook, dict[str, jsonschema_rs.Validator]]:
    """The playbook with whole tools. One that cannot work is taken out, so that the model is not offered it."""
    tools: list[Tool] = []
    arguments: dict[str, jsonschema_rs.Validator] = {}
    for tool in playbook.tools:
        try:
            whole = kinds[tool.kind].complete(tool) if tool.kind in kinds else tool
            whole = whole.model_copy(update={"arguments": closed(whole.arguments)})
            arguments[tool.name] = jsonschema_rs.validator_for(whole.arguments)
        except (VendorError, ValueError) as error:
            log.error("tool_unusable", playbook=playbook.ref, tool=tool.name, reason=str(error))
        else:
            tools.append(whole)
    gone = {tool.name for tool in playbook.tools} - arguments.keys()
    steps = tuple(
        step.model_copy(update={"tools": tuple(name for name in step.tools if name not in gone)})
        for step in playbook.steps
    )
    return playbook.model_copy(update={"tools": tuple(tools), "steps": steps}), arguments
