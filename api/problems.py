"""Errors as RFC 9457 problem details, whatever raised them."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api.temporal import CallNotRunning, CallRefused, TemporalUnavailable
from core.ports.errors import StorageUnavailable, UnknownPlaybook

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2
_RETRY = {"Retry-After": str(RETRY_AFTER_SECONDS)}


class FieldProblem(BaseModel):
    """One thing wrong with a request."""

    detail: str = Field(examples=["is no phone number in E.164 form"])
    pointer: str | None = Field(None, description="JSON Pointer into the body", examples=["#/to"])
    parameter: str | None = Field(None, description="Name of a path, query or header parameter", examples=["limit"])


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field("about:blank", examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field("", examples=["The request cannot be used as it is."])
    errors: list[FieldProblem] = Field(default_factory=list)


class Refusal(Exception):
    """A request that cannot be carried out, in words for its sender.

    Args:
        kind: the last part of the problem's type; part of the API, so it stays.
    """

    def __init__(self, status: int, kind: str, detail: str, *, errors: Sequence[FieldProblem] = ()) -> None:
        super().__init__(detail)
        self.problem = Problem(
            type=f"urn:holdfast:problem:{kind}",
            title=_title(status),
            status=status,
            detail=detail,
            errors=list(errors),
        )


def wrong_field(name: str, detail: str) -> Refusal:
    """A body's field that cannot be used."""
    problem = FieldProblem(detail=detail, pointer=f"#/{name}")
    return Refusal(422, "invalid-request", f"{name} {detail}", errors=[problem])


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The problem as a response."""
    body = {name: value for name, value in problem.model_dump(exclude_none=True).items() if value not in ("", [])}
    return JSONResponse(body, problem.status, headers, media_type=MEDIA_TYPE)


def plain_problem(status: int, detail: str = "") -> Problem:
    """A problem that its HTTP status says all about."""
    return Problem(title=_title(status), status=status, detail=detail)


def add_problems(app: FastAPI) -> None:
    """Have every error of the app answered as a problem."""

    def answer(error: type[Exception], make: Any) -> None:
        async def handle(request: Request, raised: Exception) -> JSONResponse:
            response: JSONResponse = make(request, raised)
            return response

        app.add_exception_handler(error, handle)

    answer(Refusal, lambda _, refusal: problem_response(refusal.problem))
    answer(HTTPException, _http_error)
    answer(RequestValidationError, _validation_error)
    answer(TemporalUnavailable, _away("temporal-unavailable", "Temporal cannot be reached; try again."))
    answer(StorageUnavailable, _away("storage-unavailable", "The database cannot be reached; try again."))
    answer(UnknownPlaybook, lambda _, error: _refuse(404, "unknown-playbook", f"no such playbook: {error}"))
    answer(CallNotRunning, lambda *_: _refuse(409, "call-ended", "The call has ended."))
    answer(CallRefused, lambda _, error: _refuse(409, "call-refused", str(error)))
    answer(Exception, lambda *_: problem_response(plain_problem(500, "Something went wrong on our side.")))


def _refuse(status: int, kind: str, detail: str) -> JSONResponse:
    return problem_response(Refusal(status, kind, detail).problem)


def _away(kind: str, detail: str) -> Any:
    def answer(request: Request, error: Exception) -> JSONResponse:
        log.warning("dependency_away", kind=kind, error=str(error))
        return problem_response(Refusal(503, kind, detail).problem, _RETRY)

    return answer


def _http_error(_: Request, error: HTTPException) -> JSONResponse:
    title = _title(error.status_code)
    detail = error.detail if isinstance(error.detail, str) and error.detail != title else ""
    return problem_response(plain_problem(error.status_code, detail), error.headers)


def _validation_error(_: Request, error: RequestValidationError) -> JSONResponse:
    problems = [_field_problem(found) for found in error.errors()]
    detail = "The request cannot be used as it is."
    return problem_response(Refusal(422, "invalid-request", detail, errors=problems).problem)


def _field_problem(found: Mapping[str, Any]) -> FieldProblem:
    place, *inner = found["loc"]
    message = str(found["msg"]).removeprefix("Value error, ")
    if found["type"] == "json_invalid":
        why = found.get("ctx", {}).get("error", message)
        return FieldProblem(detail=f"is no JSON: {why}, at character {inner[0] if inner else 0}", pointer="#")
    if place == "body":
        return FieldProblem(detail=message, pointer="#" + "".join(f"/{_escape(part)}" for part in inner))
    return FieldProblem(detail=message, parameter=".".join(map(str, inner)))


def _escape(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
