"""What a playbook's tools need of this installation: packages, secrets, allowed hosts, MCP servers that answer."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

import jsonschema_rs

from core.playbook import Playbook
from core.playbook_parts import Misplaced
from core.playbook_tools import Tool, check_read_back, host_of
from core.ports.errors import VendorError
from core.ports.tools import PythonTool
from vendors.python_tools import BadTool, check_settings, load_offered, offered_names
from vendors.tool_secrets import PREFIX, ToolSecrets

MCP_S = 4.0  # for one server to say what it has


@dataclass(frozen=True)
class ToolFault:
    """One thing wrong with a tool here. ``fatal``: it cannot work; else it may, elsewhere."""

    at: tuple[str | int, ...]  # where in the playbook
    message: str
    wrote: str = ""
    known: tuple[str, ...] = ()
    fatal: bool = True


def tool_faults(playbook: Playbook, secrets: ToolSecrets, hosts: tuple[str, ...]) -> Iterator[ToolFault]:
    """All of them. Reaches nobody."""
    for index, tool in enumerate(playbook.tools):
        yield from _faults(playbook, tool, ("tools", index), secrets, hosts)


def _faults(
    playbook: Playbook, tool: Tool, at: tuple[str | int, ...], secrets: ToolSecrets, hosts: tuple[str, ...]
) -> Iterator[ToolFault]:
    needed = tool.secrets
    if tool.python is not None:
        try:
            offered = load_offered(tool.python)
        except BadTool as error:
            yield ToolFault((*at, "python"), _words(error), tool.python, offered_names())
            return
        needed = offered.secrets
        yield from _python_faults(playbook, tool, offered, at)
        tool = offered.complete(tool)
    if tool.mcp is not None and find_spec("mcp") is None:
        yield ToolFault((*at, "mcp"), "the package mcp is not installed: pip install 'holdfast[mcp]'")
    try:
        jsonschema_rs.validator_for(tool.arguments)
    except ValueError as error:
        yield ToolFault((*at, "arguments"), f"is no JSON Schema: {error}".splitlines()[0])
    for url in tool.urls:
        if hosts and host_of(url) not in hosts:
            message = f"the host {host_of(url)} is not among HOLDFAST_TOOL_HOSTS here"
            yield ToolFault((*at, tool.kind, "url"), message, host_of(url), hosts)
    for name in needed:
        if name not in secrets:
            yield ToolFault((*at, tool.kind), f"{PREFIX}{name} is not set here", fatal=False)


def _python_faults(
    playbook: Playbook, tool: Tool, offered: PythonTool, at: tuple[str | int, ...]
) -> Iterator[ToolFault]:
    try:
        check_settings(tool, offered)
    except BadTool as error:
        yield ToolFault((*at, "settings"), _words(error))
    whole = offered.complete(tool)
    if whole.asks_first and not whole.read_back:
        yield ToolFault((*at, "read_back"), "is missing: the tool cannot be undone, so the caller confirms it first")
    elif whole.read_back:
        try:
            check_read_back(whole.read_back, whole, (*at, "read_back"), playbook.sensitive_fields)
        except Misplaced as error:
            yield ToolFault(error.at, str(error), error.wrote, tuple(error.known))


def environment_secrets() -> ToolSecrets:
    """Those of this process."""
    return ToolSecrets.of(os.environ)


async def mcp_faults(playbook: Playbook, secrets: ToolSecrets, hosts: tuple[str, ...]) -> list[ToolFault]:
    """Ask each MCP server of the playbook whether it has the tools, with these arguments."""
    from vendors.mcp_tools import McpTools

    kind = McpTools(secrets, hosts)
    faults = []
    for index, tool in enumerate(playbook.tools):
        if tool.mcp is None:
            continue
        at = ("tools", index, "mcp")
        try:
            offered = await kind.offered(tool.model_copy(update={"timeout_seconds": MCP_S}))
        except VendorError as error:
            faults.append(ToolFault(at, f"{tool.mcp.url}: {_words(error)}"))
            continue
        schema = offered.get(tool.mcp.tool)
        if schema is None:
            message = f"{tool.mcp.url} has no tool named {tool.mcp.tool!r}"
            faults.append(ToolFault((*at, "tool"), message, tool.mcp.tool, tuple(offered)))
        elif missing := sorted(set(schema.get("required", ())) - set(tool.arguments.get("properties", {}))):
            message = f"{tool.mcp.url} wants arguments that the playbook does not have: {', '.join(missing)}"
            faults.append(ToolFault(("tools", index, "arguments"), message))
    return faults


def _words(error: VendorError) -> str:
    return str(error).removeprefix(f"{error.vendor}: ")
