import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import Response, StreamingResponse

from core.ports.errors import VendorError
from tests.sandbox.server import running
from vendors.rest import MAX_ANSWER_BYTES, Answer, Rest


@asynccontextmanager
async def answering(answer: Response) -> AsyncIterator[Rest]:
    """A vendor that answers everything with this."""
    app = FastAPI()
    app.add_api_route("/{path:path}", lambda: answer, methods=["GET", "POST"])
    async with running(app) as origin, httpx.AsyncClient() as http:
        yield Rest("acme", http, f"{origin}/")


async def error_of(rest: Rest, expected: tuple[int, ...] = ()) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await rest.send("GET", "/things", expected=expected)
    return caught.value


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Response("<html>It works!</html>", media_type="text/html"), "broken"),
        (Response("\xff\xfe"), "broken"),
        (Response('{"a": "' + "x" * MAX_ANSWER_BYTES + '"}'), "broken"),
        (Response("", status_code=302, headers={"location": "/elsewhere"}), "broken"),
        (Response("<html>no</html>", status_code=404), "refused"),
        (Response("", status_code=502), "unavailable"),
        (Response("{}", status_code=401), "unauthorized"),
    ],
)
async def test_an_answer_nobody_can_use_has_its_kind(answer: Response, kind: str) -> None:
    async with answering(answer) as rest:
        assert (await error_of(rest)).kind == kind


async def test_an_answer_without_a_body_has_none() -> None:
    async with answering(Response(status_code=204)) as rest:
        answer = await rest.send("POST", "/things", body={"a": 1})
    assert (answer.status, answer.body, answer.ok) == (204, None, True)


async def test_an_expected_refusal_is_an_answer() -> None:
    async with answering(Response('{"why": "gone"}', status_code=404)) as rest:
        answer = await rest.send("GET", "/things", expected=(404,))
        assert (answer.ok, answer.body) == (False, {"why": "gone"})
        assert (await error_of(rest, expected=(409,))).kind == "refused"


async def test_the_vendors_own_words_come_before_its_status() -> None:
    def explain(answer: Answer) -> VendorError | None:
        return VendorError("acme", "rate_limited", answer.body["why"], curable=True)

    app = FastAPI()
    app.add_api_route("/things", lambda: Response('{"why": "limit"}', status_code=403))
    async with running(app) as origin, httpx.AsyncClient() as http:
        error = await error_of(Rest("acme", http, origin, explain=explain))
    assert (error.kind, str(error)) == ("rate_limited", "acme: limit")


async def test_a_request_carries_what_it_is_told_to() -> None:
    seen: list[tuple[str, str, str | None, bytes]] = []

    async def look(request: Request) -> Response:
        key = request.headers.get("authorization")
        seen.append((str(request.query_params), request.headers.get("content-type", ""), key, await request.body()))
        return Response("{}")

    app = FastAPI()
    app.add_route("/things", look, methods=["GET", "POST"])
    async with running(app) as origin, httpx.AsyncClient() as http:
        rest = Rest("acme", http, origin, {"authorization": "Bearer k"})
        await rest.send("POST", "/things", params={"q": "a b"}, body={"a": 1})
        await rest.send("POST", "/things", form={"a": "1"}, headers={"authorization": "Bearer other"})
    assert seen == [
        ("q=a+b", "application/json", "Bearer k", b'{"a":1}'),
        ("", "application/x-www-form-urlencoded", "Bearer other", b"a=1"),
    ]


async def test_a_vendor_that_is_not_there_is_unavailable() -> None:
    async with httpx.AsyncClient() as http:
        error = await error_of(Rest("acme", http, "http://127.0.0.1:9"))
    assert (error.kind, error.curable) == ("unavailable", True)


async def test_an_address_that_is_none_tells_nothing_of_it() -> None:
    async with httpx.AsyncClient() as http:
        error = await error_of(Rest("acme", http, "http://127.0.0.1:port"))
    assert (error.kind, error.__cause__) == ("refused", None)
    assert "port" not in str(error)


async def test_an_answer_that_never_ends_is_given_up_in_time() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    app = FastAPI()
    app.add_api_route("/things", lambda: StreamingResponse(endless()))
    async with running(app) as origin, httpx.AsyncClient(timeout=None) as http:
        error = await error_of(Rest("acme", http, origin, timeout_seconds=0.3))
    assert (error.kind, error.curable) == ("timeout", True)
