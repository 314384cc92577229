"""holdfast takeover: what it asks of the API, and what it says when that refuses."""

from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from cli.process import Complaint
from cli.rest import connected
from cli.takeover import run, take_over
from tests.sandbox.server import running

BODY: dict[str, str | bool] = {"to": "+12025550177", "by": "Grace", "warm": True, "hands_back": True}


class Api:
    """Answers one way, and keeps what it was asked."""

    def __init__(self, status: int = 204, detail: str = "") -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.app = FastAPI()
        self._status, self._detail = status, detail
        self.app.add_api_route("/{path:path}", self._answer, methods=["POST"], response_model=None)

    async def _answer(self, request: Request) -> Response:
        self.asked.append((request.url.path, request.headers["authorization"], await request.json()))
        if self._status == 204:
            return Response(status_code=204)
        return JSONResponse({"detail": self._detail}, self._status)


async def test_phone_is_asked_for_as_rest_has_it() -> None:
    api = Api()
    async with running(api.app) as origin, connected(f"{origin}/", "key") as rest:
        await take_over(rest, "CA1", BODY)
    assert api.asked == [("/v1/calls/CA1/take-over", "Bearer key", BODY)]


@pytest.mark.parametrize(
    ("status", "says"), [(409, "the call has ended or is ending"), (401, "HOLDFAST_API_KEY is not the key")]
)
async def test_refusal_is_told_in_words(status: int, says: str) -> None:
    async with running(Api(status, "the call has ended or is ending").app) as origin:
        with pytest.raises(Complaint, match=says):
            async with connected(origin, "key") as rest:
                await take_over(rest, "CA1", BODY)


def test_caller_who_is_connected_without_a_word_does_not_come_back(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run("CA1", "+12025550177", "", cold=True, hands_back=True, url=None)
    assert ended.value.code == 2
    assert "--hand-back" in capsys.readouterr().err
