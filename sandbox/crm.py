"""The customer's CRM: orders, appointments, leads, cases and call notes behind a small HTTP API.

``POST /crm/operations/<operation>`` carries out one operation, ``POST /crm/calls`` writes a call's note. Both honour
``Idempotency-Key``: the same key brings the same answer and no second effect. ``GET /crm/_effects`` lists what was
really done. Faults "stall", "mute" and "drop" lose the answer after the effect has happened.
"""

import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from sandbox.answers import PiecewiseResponse, nothing, retry_after, until_gone
from sandbox.config import config_of
from sandbox.crm_records import Records, Refused
from sandbox.state import Fault, SandboxState, pause

_LOSES_ANSWER = ("stall", "stall_after", "mute", "drop", "connect")


class _Desk:
    """Carries out requests once per key."""

    def __init__(self) -> None:
        self.records = Records()
        self.effects: list[dict[str, Any]] = []
        self._answers: dict[str, tuple[str, int, dict[str, Any]]] = {}  # key -> (request, status, answer)

    def handle(self, key: str | None, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any], bool]:
        """Status, answer, and whether it is an answer given before."""
        asked = json.dumps([operation, body], sort_keys=True)
        if key is not None and key in self._answers:
            before, status, answer = self._answers[key]
            if before != asked:
                return 409, _problem("key_reused", "This Idempotency-Key was used for another request."), False
            self._effect(key)["requests"] += 1
            return status, answer, True
        try:
            answer, status = self.records.carry_out(operation, body), 200
        except Refused as refusal:
            answer, status = _problem(refusal.code, str(refusal)), refusal.status
        if status == 200 and operation in Records.WRITES:
            self.effects.append({"key": key, "operation": operation, "body": body, "answer": answer, "requests": 1})
        if key is not None:
            self._answers[key] = (asked, status, answer)
        return status, answer, False

    def _effect(self, key: str) -> dict[str, Any]:
        return next((effect for effect in self.effects if effect["key"] == key), {"requests": 0})


def router(state: SandboxState) -> APIRouter:
    """The routes of the CRM."""
    routes = APIRouter(prefix="/crm", tags=["crm"])
    desk = _Desk()

    @routes.post("/operations/{operation}")
    async def operations(operation: str, request: Request) -> Response:
        """Carry out one operation: ``{"arguments": {...}, "caller_number": "+1..."}``."""
        return await _answer(state, desk, operation, request)

    @routes.post("/calls")
    async def calls(request: Request) -> Response:
        """Write a call's note."""
        return await _answer(state, desk, "log_call", request)

    @routes.get("/orders/{number}")
    async def order(number: str, request: Request) -> Response:
        """One order."""
        if refused := _unauthorized(request):
            return refused
        try:
            return JSONResponse(desk.records.order(number))
        except Refused as refusal:
            return JSONResponse(_problem(refusal.code, str(refusal)), refusal.status)

    @routes.get("/_effects")
    def effects() -> dict[str, Any]:
        """What was really done, with the key that asked for it and how often it was asked for."""
        return {"effects": desk.effects}

    return routes


async def _answer(state: SandboxState, desk: _Desk, operation: str, request: Request) -> Response:
    if refused := _unauthorized(request):
        return refused
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return JSONResponse(_problem("bad_request", "The body must be a JSON object."), 400)
    key = request.headers.get("idempotency-key")
    state.stamp("crm", "request", operation=operation, key=key)
    fault = state.take_fault("crm", operation)
    if fault is not None and fault.kind in ("status", "garbage"):
        return _broken(fault)
    await pause(state.latency.crm_ms + (fault.delay_ms if fault and fault.kind == "drip" else 0))
    status, answer, replayed = desk.handle(key, operation, body)
    state.stamp("crm", "done", operation=operation, key=key, status=status, replayed=replayed)
    if fault is not None and fault.kind in _LOSES_ANSWER:
        if fault.kind not in ("drop", "connect"):
            await until_gone(request)
        return PiecewiseResponse(nothing(), "application/json")
    return JSONResponse(answer, status, {"idempotent-replayed": "true"} if replayed else None)


def _broken(fault: Fault) -> Response:
    if fault.kind == "garbage":
        return Response("<html><body>It works!</body></html>", media_type="text/html")
    return JSONResponse(_problem("told_to_fail", "The sandbox was told to fail."), fault.status, retry_after(fault))


def _unauthorized(request: Request) -> Response | None:
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    if config_of(request).takes_key("crm", key):
        return None
    return JSONResponse(_problem("unauthorized", "Wrong or missing bearer key."), 401)


def _problem(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
