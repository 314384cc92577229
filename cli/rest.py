"""What commands ask of the API, at PUBLIC_URL or --url, with HOLDFAST_API_KEY."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx

from cli.process import Complaint, complaints
from cli.settings import Settings, reveal, variable_of

PATIENCE = httpx.Timeout(10)


class Rest:
    """The API. What it refuses is a Complaint in its own words; httpx.HTTPError if it cannot be reached."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """The JSON that it answers; {} if nothing."""
        answer = await self.http.request(method, path, **request)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise Complaint(f"{variable_of('api_key')} is not the key of {self.http.base_url}")
        if not answer.is_success:
            raise Complaint(problem_of(answer))
        if not answer.content:
            return {}
        try:
            told: dict[str, Any] = answer.json()
        except json.JSONDecodeError as error:
            raise _no_api(answer) from error
        return told


def with_api(work: Callable[[Rest], Awaitable[None]], url: str | None, *kinds: type[Exception]) -> None:
    """Do the work with the API of the settings; exits with 2 and one line at a Complaint or one of ``kinds``."""

    async def run(settings: Settings) -> None:
        async with connected(url or settings.public_url, reveal(settings.api_key)) as api:
            await work(api)

    with complaints(*kinds):
        settings = Settings.read()
        settings.require("api_key")
        asyncio.run(run(settings))


@asynccontextmanager
async def connected(url: str, key: str, patience: httpx.Timeout = PATIENCE) -> AsyncIterator[Rest]:
    """The API at this address. Within, one that cannot be reached is a Complaint."""
    try:
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=url.rstrip("/"), headers=headers, timeout=patience) as http:
            yield Rest(http)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Complaint(f"{url} cannot be reached ({why(error)}): is it up?") from error


def why(error: httpx.HTTPError | httpx.InvalidURL) -> str:
    """What stood in the way of a request; many of httpx's errors have no words."""
    return str(error) or ("no answer in time" if isinstance(error, httpx.TimeoutException) else type(error).__name__)


async def events_of(answer: httpx.Response) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Server-sent events as they come: name and JSON."""
    name = ""
    async for line in answer.aiter_lines():
        field, _, value = line.partition(":")
        if field == "event":
            name = value.strip()
        elif field == "data":
            yield name, json.loads(value)


def part(text: str) -> str:
    """What a user named, as one part of a path."""
    return quote(text, safe="")


def problem_of(answer: httpx.Response) -> str:
    """What an RFC 9457 answer says, in one line."""
    try:
        told = answer.json()
    except json.JSONDecodeError:
        return str(_no_api(answer))
    faults = [f"{_field(fault)}: {fault['detail']}" for fault in told.get("errors", [])]
    return "; ".join(faults) or str(told.get("detail") or told.get("title"))


def _field(fault: dict[str, str]) -> str:
    return fault.get("pointer", "").removeprefix("#/") or fault.get("parameter") or "the request"


def _no_api(answer: httpx.Response) -> Complaint:
    return Complaint(f"{answer.request.url} answered {answer.status_code}: is this Holdfast?")
