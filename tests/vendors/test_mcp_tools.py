"""Tools of a real small MCP server, over its sockets."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp

from core.playbook_tools import Tool
from core.ports.errors import VendorError
from core.ports.tools import Caller, ToolOrder
from tests.sandbox.server import running
from vendors.mcp_tools import KEY, McpTools
from vendors.tool_secrets import ToolSecrets

ORDER = ToolOrder("CA1", 2, "CA1:2:1", Caller("+12025550123"))


def diary(booked: list[Any]) -> ASGIApp:
    """A server with a few tools."""
    server = MCPServer("diary")

    @server.tool()
    def book(day: str, context: Context) -> dict[str, str]:
        """Book a day."""
        if day == "Sunday":
            raise ToolError("We are closed on Sunday.")
        meta = context.request_context.meta
        booked.append((day, dict(meta or {}).get(KEY)))
        return {"booked": day}

    @server.tool(structured_output=False)
    def tell(what: str) -> str:
        """Tell something in plain words."""
        return {"nothing": "", "huge": "x" * 10_000_000}.get(what, f"about {what}")

    return server.streamable_http_app(json_response=True, stateless_http=True)


def tool(origin: str, name: str = "book", **mcp: Any) -> Tool:
    """A tool of the server."""
    asked = {"url": f"{origin}/mcp", "tool": name, **mcp}
    return Tool.model_validate(
        {"name": "t", "description": "T.", "mcp": asked, "effect": "write", "timeout_seconds": 5}
    )


async def test_tool_of_a_server_is_called_with_the_key_of_the_call() -> None:
    booked: list[Any] = []
    async with running(diary(booked)) as origin:
        tools = McpTools(ToolSecrets({}))
        assert await tools.run(tool(origin), {"day": "Monday"}, ORDER) == {"booked": "Monday"}
        assert await tools.run(tool(origin, "tell"), {"what": "tents"}, ORDER) == {"answer": "about tents"}
        assert sorted(await tools.offered(tool(origin))) == ["book", "tell"]
    assert booked == [("Monday", "CA1:2:1")]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("book", {"day": "Sunday"}, "We are closed on Sunday."),
        ("book", {"day": ["x"]}, "day"),
        ("steal", {}, "steal"),
        ("tell", {"what": "nothing"}, "an empty answer"),
        ("tell", {"what": "huge"}, "far too long"),
    ],
)
async def test_what_goes_wrong_at_the_server_is_a_clear_error(
    name: str, arguments: dict[str, Any], message: str
) -> None:
    async with running(diary([])) as origin:
        with pytest.raises(VendorError, match=message) as caught:
            await McpTools(ToolSecrets({})).run(tool(origin, name), arguments, ORDER)
    assert not caught.value.curable


def no_server(answer: Callable[[], Response]) -> ASGIApp:
    """Something else under the same address."""
    app = FastAPI()
    app.add_api_route("/mcp", answer, methods=["GET", "POST", "DELETE"])
    return app


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda: Response("<html>It works!</html>", media_type="text/html"), "broken"),
        (lambda: Response("", status_code=401), "unauthorized"),
        (lambda: Response("", status_code=503), "unavailable"),
        (lambda: RedirectResponse("http://127.0.0.1:1/mcp", 307), "broken"),
    ],
)
async def test_what_is_no_server_is_a_vendor_error(answer: Callable[[], Response], kind: str) -> None:
    async with running(no_server(answer)) as origin:
        with pytest.raises(VendorError) as caught:
            await McpTools(ToolSecrets({})).run(tool(origin), {"day": "Monday"}, ORDER)
    assert caught.value.kind == kind


async def test_server_that_is_not_there_is_worth_another_attempt() -> None:
    with pytest.raises(VendorError) as caught:
        await McpTools(ToolSecrets({})).run(tool("http://127.0.0.1:1"), {"day": "Monday"}, ORDER)
    assert (caught.value.kind, caught.value.curable) == ("unavailable", True)


async def test_secret_that_is_not_set_and_a_host_that_is_not_allowed_are_named() -> None:
    with pytest.raises(VendorError, match="HOLDFAST_SECRET_DIARY is not set"):
        await McpTools(ToolSecrets({})).run(tool("http://127.0.0.1:1", auth={"bearer": "DIARY"}), {}, ORDER)
    with pytest.raises(VendorError, match="not allowed here"):
        McpTools(ToolSecrets({}), ("mcp.example",)).complete(tool("http://127.0.0.1:1"))
