"""Tools declared as HTTP operations, against a real server that answers well and badly."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from core.playbook_tools import Tool, host_of
from core.ports.errors import VendorError
from core.ports.tools import Caller, ToolOrder
from tests.sandbox.server import running
from vendors.http_tool import MAX_ANSWER_BYTES, HttpTools
from vendors.tool_secrets import ToolSecrets

ORDER = ToolOrder("CA1", 2, "CA1:2:1", Caller("+12025550123"))
BAD_ANSWERS = {
    "html": Response("<html><body>It works!</body></html>", media_type="text/html"),
    "unlabelled": Response("  <!doctype html><p>It works!", media_type="application/json"),
    "huge": Response(b'{"a": "' + b"x" * 10_000_000 + b'"}', media_type="application/json"),
    "nothing": Response(b"", media_type="application/json"),
    "no_json": Response("{half", media_type="application/json"),
}


class Shop:
    """Takes down what it was asked."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.asked: list[tuple[str, str, Mapping[str, str], Any]] = []
        self.app.add_api_route("/{path:path}", self.answer, methods=["GET", "POST", "PUT", "DELETE"])

    async def answer(self, path: str, request: Request) -> Response:
        """By the path."""
        text = await request.body()
        target = request.scope["raw_path"].decode()
        if request.url.query:
            target += f"?{request.url.query}"
        self.asked.append((request.method, target, request.headers, json.loads(text) if text else None))
        if path in BAD_ANSWERS:
            return BAD_ANSWERS[path]
        match path:
            case "elsewhere":
                return RedirectResponse("http://127.0.0.1:1/secret")
            case "gone":
                return JSONResponse({"error": {"message": "There is no such order."}}, 404)
            case "locked":
                return JSONResponse({}, 401)
            case "busy":
                return JSONResponse({}, 503, {"retry-after": "2"})
            case "found":
                return JSONResponse({"items": [{"id": 7}]})
            case "not_found":
                return JSONResponse({"items": []})
        return JSONResponse({"order": {"state": "shipped", "lines": [{"day": "Monday"}]}, "secret": "of the house"})


@asynccontextmanager
async def shop(**http: Any) -> AsyncIterator[tuple[Shop, HttpTools, Tool]]:
    """A shop, and a tool whose addresses begin with its own."""
    there = Shop()
    async with running(there.app) as origin:
        if "look_up" in http:
            http["look_up"] = {**http["look_up"], "url": origin + http["look_up"]["url"]}
        request = {**http, "url": origin + http.get("url", "/orders/{order}")}
        effect = "read" if request.get("method", "GET") == "GET" else "write"
        tool = Tool.model_validate({"name": "t", "description": "T.", "http": request, "effect": effect})
        tools = HttpTools(ToolSecrets({"TOKEN": "s3cret", "LOGIN": "me:pw"}))
        try:
            yield there, tools, tool
        finally:
            await tools.close()


async def failure(**http: Any) -> VendorError:
    async with shop(**http) as (_, tools, tool):
        with pytest.raises(VendorError) as caught:
            await tools.run(tool, {"order": "48213"}, ORDER)
    return caught.value


async def test_request_is_built_from_templates_and_answer_is_mapped() -> None:
    made = {
        "method": "POST",
        "query": {"lang": "en", "extra": "{extra}"},
        "headers": {"x-caller": "{caller_number}"},
        "body": {"order": "{order}", "count": "{count}", "note": "{note}"},
        "auth": {"bearer": "TOKEN"},
        "idempotency_header": "Idempotency-Key",
        "answer": {"state": "order.state", "day": "order.lines.0.day", "other": "order.other"},
    }
    async with shop(**made) as (there, tools, tool):
        told = await tools.run(tool, {"order": "48213", "count": 2}, ORDER)
    assert told == {"state": "shipped", "day": "Monday"}
    ((method, target, headers, body),) = there.asked
    assert (method, target, body) == ("POST", "/orders/48213?lang=en", {"order": "48213", "count": 2})
    assert headers["authorization"] == "Bearer s3cret"
    assert (headers["x-caller"], headers["idempotency-key"]) == ("+12025550123", "CA1:2:1")


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"basic": "LOGIN"}, "authorization", "Basic bWU6cHc="),
        ({"header": "X-Api-Key", "secret": "TOKEN"}, "x-api-key", "s3cret"),
    ],
)
async def test_secrets_are_sent_as_the_system_wants_them(auth: dict[str, str], header: str, value: str) -> None:
    async with shop(auth=auth) as (there, tools, tool):
        await tools.run(tool, {"order": "1"}, ORDER)
    assert there.asked[0][2][header] == value


async def test_secret_that_is_not_set_is_named_and_nothing_is_sent() -> None:
    async with shop(auth={"bearer": "OTHER"}) as (there, tools, tool):
        with pytest.raises(VendorError, match="HOLDFAST_SECRET_OTHER is not set"):
            await tools.run(tool, {"order": "1"}, ORDER)
    assert there.asked == []


@pytest.mark.parametrize("order", ["../admin", "1/../../admin?x=1", "1#x", "@evil.example/", "%2e%2e/admin"])
async def test_argument_cannot_leave_its_place_in_the_address(order: str) -> None:
    async with shop() as (there, tools, tool):
        await tools.run(tool, {"order": order}, ORDER)
    path = there.asked[0][1]
    assert path.startswith("/orders/")
    assert path.count("/") == 2
    assert "?" not in path


async def test_argument_that_is_a_way_up_is_refused() -> None:
    async with shop() as (there, tools, tool):
        with pytest.raises(VendorError, match="cannot be part of an address"):
            await tools.run(tool, {"order": ".."}, ORDER)
    assert there.asked == []


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/html", "a web page instead of data"),
        ("/unlabelled", "a web page instead of data"),
        ("/huge", "an answer that is far too long"),
        ("/nothing", "an empty answer"),
        ("/no_json", "an answer that is no JSON"),
        ("/elsewhere", "we follow no redirect"),
        ("/gone", "There is no such order."),
        ("/locked", "answered with 401"),
    ],
)
async def test_bad_answer_is_a_clear_error_and_not_asked_for_again(path: str, message: str) -> None:
    error = await failure(url=path)
    assert message in str(error)
    assert not error.curable


async def test_answer_is_read_no_further_than_its_limit() -> None:
    assert MAX_ANSWER_BYTES <= 1_000_000
    assert "too long" in str(await failure(url="/huge"))


async def test_busy_system_is_left_alone_for_as_long_as_it_asks() -> None:
    error = await failure(url="/busy")
    assert (error.kind, error.curable) == ("unavailable", True)
    assert error.retry_after is not None
    assert error.retry_after.total_seconds() == 2


async def test_answer_without_what_was_asked_for_is_broken() -> None:
    assert "without any of what was asked for" in str(await failure(answer={"x": "y.z"}))


async def test_write_says_by_its_status_that_it_is_done() -> None:
    async with shop(method="DELETE", url="/nothing") as (_, tools, tool):
        assert await tools.run(tool, {}, ORDER) == {"done": True}
        assert tools.traits(tool).idempotent


@pytest.mark.parametrize(
    ("look_up", "found"),
    [
        ({"url": "/found", "found": "items.0"}, {"id": 7}),
        ({"url": "/not_found", "found": "items.0"}, None),
        ({"url": "/not_found", "found": "items"}, None),
        ({"url": "/gone"}, None),
        ({"url": "/nothing"}, None),
    ],
)
async def test_lost_write_is_looked_up(look_up: dict[str, str], found: dict[str, int] | None) -> None:
    asked = {**look_up, "query": {"ref": "{idempotency_key}"}, "answer": {"id": "items.0.id"}}
    async with shop(method="POST", look_up=asked) as (there, tools, tool):
        assert tools.traits(tool).looks_up
        assert await tools.look_up(tool, {"order": "1"}, ORDER) == found
    assert there.asked[0][:2] == ("GET", look_up["url"] + "?ref=CA1%3A2%3A1")


async def test_host_that_the_operator_does_not_allow_is_never_reached() -> None:
    async with shop() as (there, _, tool):
        tools = HttpTools(ToolSecrets({}), ("api.shop.example",))
        with pytest.raises(VendorError, match=f"the host {host_of(tool.urls[0])} is not allowed here"):
            tools.complete(tool)
        with pytest.raises(VendorError, match="not allowed here"):
            await tools.run(tool, {"order": "1"}, ORDER)
        await tools.close()
    assert there.asked == []
