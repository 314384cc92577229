"""Errors in words for a person, on a page of their own or beside the form that met them."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api.console.render import page
from api.problems import Refusal
from api.temporal import CallNotRunning, CallRefused, TemporalUnavailable
from core.ports.errors import StorageUnavailable

log = structlog.get_logger()

_FAILURES: Final = (
    Refusal,
    RequestValidationError,
    HTTPException,
    CallNotRunning,
    CallRefused,
    TemporalUnavailable,
    StorageUnavailable,
)


class Page(APIRoute):
    """A route whose failures are answered as a page, or as a piece of one where htmx asked."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its failures put into words."""
        handle = super().get_route_handler()

        async def handle_in_words(request: Request) -> Response:
            try:
                return await handle(request)
            except _FAILURES as error:
                status, words = in_words(error)
                log.info("console_failure", status=status, error=type(error).__name__)
                template = "said.html" if "hx-request" in request.headers else "failure.html"
                return page(template, status=status, words=words, went_well=False)

        return handle_in_words


def in_words(error: Exception) -> tuple[int, str]:
    """The status and what to tell a person."""
    match error:
        case Refusal():
            return error.problem.status, error.problem.detail
        case RequestValidationError():
            return 422, " ".join(_about_field(found) for found in error.errors())
        case HTTPException():
            return error.status_code, str(error.detail)
        case CallRefused():
            return 409, f"The call refused: {error}."
        case CallNotRunning():
            return 409, "The call has ended."
        case TemporalUnavailable():
            return 503, "Temporal, or the call's worker, does not answer. Nothing is lost; try again in a moment."
        case StorageUnavailable():
            return 503, "The database cannot be reached. Calls go on; try again in a moment."
    raise error


def _about_field(found: Any) -> str:
    field = str(found["loc"][-1]).replace("_", " ").capitalize()
    message = str(found["msg"]).removeprefix("Value error, ")
    return f"{field}: {message}."
