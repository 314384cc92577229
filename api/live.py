"""REST: the live feed as server-sent events."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Header, Query
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.calls import CallId, known_call
from api.deps import ApiDeps
from api.openapi import problems
from api.schemas import FeedLine
from core.ports.errors import StorageUnavailable

log = structlog.get_logger()

PING_SECONDS = 15
RETRY_MS = 2_000  # how long a browser waits before it comes back
_MOST = 2**63 - 1

LastEventId = Annotated[
    int | None, Header(alias="Last-Event-ID", ge=0, le=_MOST, description="The last line seen; browsers send it")
]
After = Annotated[int | None, Query(ge=0, le=_MOST, description="The last line seen, for clients that set no headers")]

_EXAMPLE = (
    'id: 42\r\nevent: caller_turn\r\ndata: {"id":42,"call_id":"CA5e","kind":"caller_turn","at_ms":1,"data":{}}\r\n\r\n'
)
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events, one per line of the feed, for as long as the client stays",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}


def router(deps: ApiDeps) -> APIRouter:
    """/v1/events and /v1/calls/{id}/events."""
    routes = APIRouter(prefix="/v1", tags=["live"], default_response_class=EventSourceResponse)
    reader = deps.reader

    @routes.get("/events", summary="Follow all calls", responses=_RESPONSES)
    async def follow_calls(last_event_id: LastEventId = None, after: After = None) -> EventSourceResponse:
        """From the line after the one named, else from now on."""
        now = await reader.last_event_id()
        return _events(deps, _first_given(last_event_id, after, now), None)

    @routes.get("/calls/{call_id}/events", summary="Follow a call", responses=_RESPONSES | problems(404))
    async def follow_call(
        call_id: CallId, last_event_id: LastEventId = None, after: After = None
    ) -> EventSourceResponse:
        """From the line after the one named, else from the call's first line on."""
        if await reader.call(call_id) is None:
            await known_call(deps, call_id)
        return _events(deps, _first_given(last_event_id, after, 0), call_id)

    return routes


def _events(deps: ApiDeps, after: int, call_id: str | None) -> EventSourceResponse:
    return EventSourceResponse(_lines(deps, after, call_id), ping=PING_SECONDS)


async def _lines(deps: ApiDeps, after: int, call_id: str | None) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent(comment="here", retry=RETRY_MS)  # headers alone do not pass some proxies
    try:
        async for stored in deps.reader.tail(after=after, call_id=call_id):
            line = FeedLine.of(stored).model_dump_json()
            yield ServerSentEvent(line, event=stored.event.kind, id=str(stored.id))
    except StorageUnavailable as error:  # the client comes back with the id of the last line it has
        log.warning("feed_broken", error=str(error))


def _first_given(*values: int | None) -> int:
    return next(value for value in values if value is not None)
