"""The kinds of tools a worker can run, beside the CRM's own operations."""

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from cli.settings import Settings

if TYPE_CHECKING:
    from core.ports.tools import ToolKind
    from vendors.tool_secrets import ToolSecrets


def tool_kinds(settings: Settings, secrets: "ToolSecrets", stack: AsyncExitStack) -> dict[str, "ToolKind"]:
    """By the playbook's field that names them. What is opened here is closed with the stack."""
    from vendors.http_tool import HttpTools
    from vendors.mcp_tools import McpTools
    from vendors.python_tools import PythonTools

    python = PythonTools(secrets)
    http = HttpTools(secrets, settings.tool_hosts)
    for close in (python.close, http.close):
        stack.push_async_callback(close)
    return {"python": python, "http": http, "mcp": McpTools(secrets, settings.tool_hosts)}
