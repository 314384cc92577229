"""What keeps the pages up to date: each message is one piece of a page, made by the template that made the page."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Header, Query
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.calls import CallId, Looking
from api.console.batches import batches
from api.console.board import BoardChanges
from api.console.call_page import CallChanges
from api.deps import ApiDeps
from api.live import PING_SECONDS, RETRY_MS
from core.ports.errors import StorageUnavailable

log = structlog.get_logger()

PAUSE_SECONDS: Final = 0.1  # lines that come together are drawn together
_MOST: Final = 2**63 - 1

Seen = Annotated[int, Query(ge=0, le=_MOST, description="The feed's end when the page was made")]
LastEventId = Annotated[int, Header(alias="Last-Event-ID", ge=0, le=_MOST)]


def router(deps: ApiDeps) -> APIRouter:
    """GET /events and /calls/{call_id}/events, for the console's own pages."""
    routes = APIRouter()
    looking = Looking(deps)

    @routes.get("/events")
    async def follow_board(seen: Seen = 0, last_event_id: LastEventId = 0) -> EventSourceResponse:
        changes = BoardChanges(deps.reader)
        return _stream(deps, changes, after=max(seen, last_event_id), call_id=None)

    @routes.get("/calls/{call_id}/events")
    async def follow_call(call_id: CallId, seen: Seen = 0, last_event_id: LastEventId = 0) -> EventSourceResponse:
        await looking.on_record(call_id)
        changes = CallChanges(looking, call_id, seen=max(seen, last_event_id))
        return _stream(deps, changes, after=0, call_id=call_id)

    return routes


def _stream(
    deps: ApiDeps, changes: BoardChanges | CallChanges, *, after: int, call_id: str | None
) -> EventSourceResponse:
    return EventSourceResponse(_messages(deps, changes, after, call_id), ping=PING_SECONDS)


async def _messages(
    deps: ApiDeps, changes: BoardChanges | CallChanges, after: int, call_id: str | None
) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent(comment="here", retry=RETRY_MS)
    try:
        async for lines in batches(deps.reader.tail(after=after, call_id=call_id), PAUSE_SECONDS):
            async for event, html in changes.draw(lines):
                yield ServerSentEvent(html, event=event, id=str(lines[-1].id))
    except StorageUnavailable as error:  # the browser comes back with the id of the last message it has
        log.warning("console_feed_broken", error=str(error))
