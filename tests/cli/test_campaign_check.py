"""holdfast campaign check before an API that breaks off."""

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response, StreamingResponse

from cli.campaign_check import checked
from cli.process import Complaint
from cli.rest import connected
from tests.sandbox.server import running

PROGRESS = 'event: progress\r\ndata: {"looked_at": 500, "contacts": 1200}\r\n\r\n'
REPORT = 'event: report\r\ndata: {"contacts": 1200}\r\n\r\n'


def api(answer: Response) -> FastAPI:
    app = FastAPI()
    app.add_api_route("/v1/campaigns/c1/check/events", lambda: answer, response_model=None)
    return app


async def test_the_report_is_what_comes_at_the_end() -> None:
    lines = iter([": here\r\n\r\n", PROGRESS, ": ping\r\n\r\n", PROGRESS, REPORT])
    app = api(StreamingResponse(lines, media_type="text/event-stream"))
    async with running(app) as origin, connected(origin, "key") as rest:
        assert await checked(rest, "c1") == {"contacts": 1200}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (StreamingResponse(iter([PROGRESS]), media_type="text/event-stream"), "broken off"),
        (JSONResponse({"detail": "The database is away."}, httpx.codes.SERVICE_UNAVAILABLE), "database is away"),
    ],
)
async def test_a_check_without_a_report_is_one_line(answer: Response, says: str) -> None:
    async with running(api(answer)) as origin:
        with pytest.raises(Complaint, match=says):
            async with connected(origin, "key") as rest:
                await checked(rest, "c1")
