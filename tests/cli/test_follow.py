"""holdfast call --follow: a call's lines on a terminal, also through an API that comes and goes."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

from cli.call import follow_call
from cli.process import Complaint
from tests.sandbox.server import running

LINES: list[dict[str, Any]] = [
    {"id": 3, "kind": "caller_turn", "data": {"turn": 1, "text": "Hello?"}},
    {"id": 7, "kind": "assistant_said", "data": {"turn": 1, "heard": "Good morning."}},
    {"id": 8, "kind": "call_ended", "data": {"disposition": "completed"}},
]


class Feed:
    """An API whose streams break. A visit brings so many lines, if negative and then breaks; or a status."""

    def __init__(self, *visits: int | str) -> None:
        self.visits = list(visits)
        self.asked_after: list[int] = []
        self.app = FastAPI()
        self.app.add_api_route("/v1/calls/CA1/events", self._events, response_model=None)

    async def _events(self, request: Request) -> Any:
        after = int(request.query_params["after"])
        self.asked_after.append(after)
        visit = self.visits.pop(0) if len(self.visits) > 1 else self.visits[0]
        if isinstance(visit, str):
            return JSONResponse({"title": "storage is away"}, status_code=int(visit))
        return StreamingResponse(self._lines(after, visit), media_type="text/event-stream")

    @staticmethod
    async def _lines(after: int, visit: int) -> AsyncIterator[str]:
        for line in [line for line in LINES if line["id"] > after][: abs(visit)]:
            yield f"event: {line['kind']}\ndata: {json.dumps(line)}\n\n"
        if visit < 0:
            raise ConnectionResetError("the API has died")


@asynccontextmanager
async def client(feed: Feed) -> AsyncIterator[httpx.AsyncClient]:
    async with running(feed.app) as origin, httpx.AsyncClient(base_url=origin) as http:
        yield http


@pytest.mark.parametrize("visits", [(3,), (1, 9), (-1, -1, 9), (-2, "503", 9)])
async def test_every_line_is_shown_once_whatever_breaks(
    visits: tuple[int | str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    feed = Feed(*visits)
    async with client(feed) as http:
        await follow_call(http, "CA1", pause_s=0.0)
    shown = capsys.readouterr().out
    assert [shown.count(words) for words in ("Hello?", "Good morning.", "completed")] == [1, 1, 1]
    assert feed.asked_after == sorted(feed.asked_after)


async def test_an_api_that_stays_away_is_one_clear_line() -> None:
    async with client(Feed("503")) as http:
        with pytest.raises(Complaint, match=r"storage is away.*the call itself goes on"):
            await follow_call(http, "CA1", pause_s=0.0, away_s=0.0)
        url = http.base_url
    async with httpx.AsyncClient(base_url=url) as http:
        with pytest.raises(Complaint, match="the call itself goes on") as complaint:
            await follow_call(http, "CA1", pause_s=0.0, away_s=0.0)
    assert len(str(complaint.value).splitlines()) == 1


async def test_a_call_that_is_not_there_is_not_asked_for_again() -> None:
    feed = Feed("404")
    async with client(feed) as http:
        with pytest.raises(Complaint, match="storage is away"):
            await follow_call(http, "CA1", pause_s=0.0)
    assert len(feed.asked_after) == 1
