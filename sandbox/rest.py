"""What the emulated REST vendors share: reading a request, meeting its fault, answering late or never."""

import json
from collections.abc import Callable
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse, Response

from sandbox.answers import PiecewiseResponse, nothing, retry_after, until_gone
from sandbox.state import Fault, SandboxState, pause

_LOSES_ANSWER = ("stall", "stall_after", "mute", "drop", "connect")


class Failed(Exception):
    """The vendor answers with an error of its own."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers


class Desk:
    """Where one vendor's requests come in.

    Faults are looked up by "<method> <path>". "status" and "garbage" strike before anything has happened; "stall",
    "mute", "drop" and "connect" lose the answer after it has.

    Args:
        problem: the body of an error with this status, as the vendor writes it.
        headers: what an answer with this status carries besides.
    """

    def __init__(
        self,
        state: SandboxState,
        vendor: str,
        problem: Callable[[int], Any],
        headers: Callable[[Fault], dict[str, str]] = retry_after,
    ) -> None:
        self._state = state
        self._vendor = vendor
        self._problem = problem
        self._headers = headers

    async def answer(self, request: Request, act: Callable[[Any], Response]) -> Response:
        """Do what was asked for, as far as a fault lets it be done or told.

        ``act`` is given the decoded body, None if it is no JSON, and may raise Failed.
        """
        asked = f"{request.method} {request.url.path}"
        self._state.stamp(self._vendor, "request", path=asked)
        fault = self._state.take_fault(self._vendor, asked)
        if fault is not None and fault.kind == "status":
            return JSONResponse(self._problem(fault.status), fault.status, self._headers(fault))
        if fault is not None and fault.kind == "garbage":
            return Response("<html><body>It works!</body></html>", media_type="text/html")
        await pause(self._state.latency.crm_ms + (fault.delay_ms if fault and fault.kind == "drip" else 0))
        try:
            response = act(_decoded(await request.body()))
        except Failed as failure:
            response = JSONResponse(failure.body, failure.status, failure.headers)
        self._state.stamp(self._vendor, "done", path=asked, status=response.status_code)
        if fault is not None and fault.kind in _LOSES_ANSWER:
            if fault.kind not in ("drop", "connect"):
                await until_gone(request)
            return PiecewiseResponse(nothing(), "application/json")
        return response


def bearer(request: Request) -> str:
    """The token of the Authorization header, "" without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
