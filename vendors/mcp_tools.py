"""Tools of MCP servers, by streamable HTTP and the official SDK, which is an optional part of the installation.

A session lasts as long as one tool call: servers come and go, and a call's worker may be another one next time.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import httpx2

from core.playbook_tools import McpCall, Tool
from core.ports.errors import VendorError
from core.ports.tools import Secrets, ToolOrder, Traits
from vendors.failures import failure_of_status
from vendors.http_tool import check_hosts, shown_by

if TYPE_CHECKING:
    from mcp import Client

VENDOR: Final = "mcp"
MAX_ANSWER_BYTES: Final = 1_000_000
MAX_MESSAGE_CHARS: Final = 300  # of a refusal: it is read to the caller
KEY: Final = "holdfast/idempotency-key"  # in a request's _meta
_OUR_FAULT: Final = (-32_601, -32_602)  # JSON-RPC: no such method, wrong parameters


class McpTools:
    """Calls them. Retries nothing."""

    def __init__(self, secrets: Secrets, hosts: tuple[str, ...] = ()) -> None:
        """``hosts``: the operator's own allow-list; () leaves it to the playbooks' ``tool_hosts``."""
        self._secrets = secrets
        self._hosts = hosts

    def complete(self, tool: Tool) -> Tool:
        """The playbook says all. Raises VendorError: not installed, or the host is not allowed here."""
        if find_spec("mcp") is None:
            message = "the package mcp is not installed: pip install 'holdfast[mcp]'"
            raise VendorError(VENDOR, "refused", message, curable=False)
        check_hosts(tool, self._hosts)
        return tool

    def traits(self, tool: Tool) -> Traits:
        """As the playbook says."""
        return Traits(idempotent=_mcp(tool).idempotent)

    async def run(self, tool: Tool, arguments: Mapping[str, Any], order: ToolOrder) -> Mapping[str, Any]:
        """Call the tool. Raises VendorError; "refused" holds the server's own words."""
        asked = _mcp(tool)
        async with self._session(tool) as client:
            meta: Any = {KEY: order.idempotency_key}
            answer = await client.call_tool(asked.tool, dict(arguments), meta=meta)
        text = "\n".join(part.text for part in answer.content if part.type == "text").strip()
        if answer.is_error:
            message = " ".join(text.split())[:MAX_MESSAGE_CHARS]
            raise VendorError(VENDOR, "refused", message or "the server refuses", curable=False)
        if isinstance(answer.structured_content, dict) and answer.structured_content:
            return answer.structured_content
        if not text:
            raise _broken("an empty answer")
        return _as_data(text)

    async def look_up(self, tool: Tool, arguments: Mapping[str, Any], order: ToolOrder) -> Mapping[str, Any] | None:
        """Never asked for: MCP knows no such thing."""
        raise VendorError(VENDOR, "refused", f"{tool.name} cannot be looked up", curable=False)

    async def compensate(
        self, tool: Tool, arguments: Mapping[str, Any], answer: Mapping[str, Any], order: ToolOrder
    ) -> Mapping[str, Any]:
        """Never asked for: the playbook names the tool that undoes another."""
        raise VendorError(VENDOR, "refused", f"{tool.name} cannot be undone", curable=False)

    async def offered(self, tool: Tool) -> dict[str, Mapping[str, Any]]:
        """The tools that the server of this one has: name -> JSON Schema. Raises VendorError."""
        async with self._session(tool) as client:
            found = await client.list_tools()
        return {one.name: one.input_schema for one in found.tools}

    @asynccontextmanager
    async def _session(self, tool: Tool) -> AsyncIterator["Client"]:
        self.complete(tool)
        from mcp import Client
        from mcp.client.streamable_http import streamable_http_client

        asked = _mcp(tool)
        timeout = httpx2.Timeout(tool.timeout_seconds, connect=min(2.0, tool.timeout_seconds))
        http = httpx2.AsyncClient(
            headers=shown_by(asked.auth, self._secrets),
            timeout=timeout,
            trust_env=False,
            transport=_Limited(httpx2.AsyncHTTPTransport()),
        )
        with _failures():
            async with (
                http,
                Client(
                    streamable_http_client(asked.url, http_client=http, max_sse_event_size=MAX_ANSWER_BYTES),
                    read_timeout_seconds=tool.timeout_seconds,
                ) as client,
            ):
                yield client


class _Limited(httpx2.AsyncBaseTransport):
    """Reads no answer further than its limit, and follows nobody elsewhere."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._inner.handle_async_request(request)
        if answer.is_redirect:
            await answer.aclose()
            raise _broken("it sends us elsewhere, and we follow no redirect")
        if answer.status_code in (401, 403, 429) or answer.status_code >= 500:
            await answer.aclose()
            raise failure_of_status(VENDOR, answer.status_code, headers=answer.headers)
        if answer.headers.get("content-type", "").startswith("text/html"):
            await answer.aclose()
            raise _broken("a web page instead of data")
        assert isinstance(answer.stream, httpx2.AsyncByteStream)
        answer.stream = _LimitedStream(answer.stream)
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


class _LimitedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for piece in self._inner:
            read += len(piece)
            if read > MAX_ANSWER_BYTES:
                raise _broken("an answer that is far too long")
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


@contextmanager
def _failures() -> Iterator[None]:
    """The SDK's failures, which come in groups, as ours."""
    from mcp import MCPError

    try:
        yield
    except BaseExceptionGroup as group:
        known = group.subgroup((VendorError, MCPError, httpx2.HTTPError, TimeoutError))
        if known is None:
            raise
        raise _failure_of(next(_leaves(known))) from group
    except (MCPError, httpx2.HTTPError) as error:
        raise _failure_of(error) from error


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _failure_of(error: BaseException) -> VendorError:
    from mcp import MCPError

    if isinstance(error, VendorError):
        return error
    if isinstance(error, MCPError) and error.error.code in _OUR_FAULT:
        message = " ".join(error.error.message.split())[:MAX_MESSAGE_CHARS]
        return VendorError(VENDOR, "refused", message, curable=False)
    if isinstance(error, httpx2.TimeoutException | TimeoutError):
        return VendorError(VENDOR, "timeout", "no answer in time", curable=True)
    return VendorError(VENDOR, "unavailable", f"the session failed ({type(error).__name__})", curable=True)


def _mcp(tool: Tool) -> McpCall:
    if tool.mcp is None:
        raise VendorError(VENDOR, "broken", f"{tool.name} is no tool of an MCP server", curable=False)
    return tool.mcp


def _as_data(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {"answer": text}
    return found if isinstance(found, dict) else {"answer": found}


def _broken(message: str) -> VendorError:
    return VendorError(VENDOR, "broken", message, curable=False)
