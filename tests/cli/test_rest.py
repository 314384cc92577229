"""Commands that ask the API: whatever stands in their way is one line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse

from cli.process import Complaint
from cli.rest import PATIENCE, connected, part
from tests.sandbox.server import running


@asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """The address of one that takes connections and says nothing."""
    over = asyncio.Event()

    async def connected_to(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with await asyncio.start_server(connected_to, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        over.set()


async def complaint_of(url: str, patience: httpx.Timeout = PATIENCE) -> str:
    """What is said when the list of webhooks is asked for."""
    with pytest.raises(Complaint) as complaint:
        async with connected(url, "key", patience) as api:
            await api.ask("GET", "/v1/webhooks")
    told = str(complaint.value)
    assert len(told.splitlines()) == 1
    return told


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (JSONResponse({"title": "Unauthorized"}, 401), "HOLDFAST_API_KEY is not the key of http"),
        (JSONResponse({"title": "Conflict", "detail": "There are 20 endpoints."}, 409), "There are 20 endpoints."),
        (JSONResponse({"errors": [{"pointer": "#/url", "detail": "is private"}]}, 422), "url: is private"),
        (HTMLResponse("<h1>It works!</h1>", 404), "answered 404: is this Holdfast?"),
        (HTMLResponse("<h1>It works!</h1>"), "answered 200: is this Holdfast?"),
    ],
)
async def test_answer_that_is_of_no_use_is_told_in_one_line(answer: JSONResponse, says: str) -> None:
    app = FastAPI()
    app.add_api_route("/v1/webhooks", lambda: answer, response_model=None)
    async with running(app) as origin:
        assert says in await complaint_of(origin)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "holdfast.example", "http://[::1", "ftp://x"])
async def test_address_that_cannot_be_reached_is_told_in_one_line(url: str) -> None:
    assert (await complaint_of(url)).startswith(f"{url} cannot be reached (")


async def test_an_api_that_does_not_answer_is_told_as_such() -> None:
    async with silent_server() as url:
        told = await complaint_of(url, httpx.Timeout(20, read=0.05))
    assert told == f"{url} cannot be reached (no answer in time): is it up?"


def test_what_a_user_names_stays_one_part_of_the_path() -> None:
    assert part("../keys?x=1#y") == "..%2Fkeys%3Fx%3D1%23y"
