"""What all of Twilio's REST requests share: credentials, latency, faults, and errors in Twilio's shape."""

import base64
import binascii
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from sandbox.answers import PiecewiseResponse, nothing, retry_after, until_gone
from sandbox.state import Fault, SandboxState, pause
from sandbox.twilio.carrier import Carrier

_BEFORE = ("status", "connect", "stall", "drip", "garbage")  # the request is not carried out, or only slowly
_AFTER = ("drop", "stall_after", "mute")  # it is carried out, but no answer comes


class ApiError(Exception):
    """An answer that is an error, in Twilio's numbers and words."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def response(self) -> JSONResponse:
        """As Twilio writes it."""
        more_info = f"https://www.twilio.com/docs/errors/{self.code}"
        body = {"code": self.code, "message": str(self), "more_info": more_info, "status": self.status}
        return JSONResponse(body, self.status)


def not_found(request: Request) -> ApiError:
    """There is no such resource."""
    return ApiError(404, 20404, f"The requested resource {request.url.path} was not found")


def route_class(carrier: Carrier) -> type[APIRoute]:
    """The class of the carrier's REST routes."""

    class TwilioRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def answer(request: Request) -> Response:
                try:
                    return await _with_faults(carrier.state, request, _checked(carrier, request, handle))
                except ApiError as error:
                    return error.response()
                except HTTPException as error:
                    return ApiError(error.status_code, 20400, str(error.detail)).response()

            return answer

    return TwilioRoute


def _checked(
    carrier: Carrier, request: Request, handle: Callable[[Request], Coroutine[Any, Any, Response]]
) -> Callable[[], Coroutine[Any, Any, Response]]:
    async def carry_out() -> Response:
        await pause(carrier.state.latency.carrier_rest_ms)
        _check_credentials(carrier, request)
        return await handle(request)

    return carry_out


def _check_credentials(carrier: Carrier, request: Request) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user = password = ""
    config = carrier.config
    good = secrets.compare_digest(f"{user}:{password}".encode(), f"{config.account_sid}:{config.auth_token}".encode())
    if scheme.lower() != "basic" or not good:
        raise ApiError(401, 20003, "Authenticate")
    if request.path_params.get("account") != config.account_sid:
        raise not_found(request)


async def _with_faults(
    state: SandboxState, request: Request, carry_out: Callable[[], Coroutine[Any, Any, Response]]
) -> Response:
    text = f"{request.method} {request.url.path}"
    before = state.take_fault("twilio", text, _BEFORE)
    if before is not None and before.kind != "drip":
        return await _fail(before, request)
    if before is not None:
        await pause(before.delay_ms)
    after = state.take_fault("twilio", text, _AFTER)
    response = await carry_out()
    if after is None:
        return response
    return _cut() if after.kind == "drop" else await _never(request)


async def _fail(fault: Fault, request: Request) -> Response:
    match fault.kind:
        case "stall":
            return await _never(request)
        case "connect":
            return _cut()
        case "garbage":
            return PlainTextResponse("<html>upstream connect error</html>")
    code = {401: 20003, 429: 20429}.get(fault.status, 20500)
    response = ApiError(fault.status, code, "Too Many Requests" if fault.status == 429 else "Service fault").response()
    response.headers.update(retry_after(fault))
    return response


async def _never(request: Request) -> Response:
    """No answer, for as long as the client waits."""
    await until_gone(request)
    return _cut()


def _cut() -> Response:
    """The connection breaks before the answer."""
    return PiecewiseResponse(nothing(), "application/json")
