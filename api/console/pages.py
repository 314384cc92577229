"""The pages: the board, one call, the way in."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.calls import CallId, Looking
from api.console.failures import Page
from api.console.render import login_page, page
from api.deps import ApiDeps
from api.problems import Refusal
from core.ports.call_log import CallReader, CallRow

LIVE_ROWS: Final = 200
FINISHED_ROWS: Final = 25

Before = Annotated[str | None, Query(max_length=200)]


def router(deps: ApiDeps) -> APIRouter:
    """GET /, /finished, /calls/{call_id}, /calls/{call_id}/state and /login."""
    routes = APIRouter(route_class=Page)
    reader, looking, settings = deps.reader, Looking(deps), deps.settings

    @routes.get("/")
    async def show_board(before: Before = None) -> HTMLResponse:
        seen = await reader.last_event_id()  # first, so that the stream tells all that comes after this look
        live, more_live = await reader.calls(live=True, limit=LIVE_ROWS)
        finished, older = await _finished(reader, before)
        return page(
            "board.html",
            settings=settings,
            seen=seen,
            live=live,
            more_live=more_live,
            finished=finished,
            older=older,
            before=before,
        )

    @routes.get("/finished")
    async def show_older_calls(before: Before = None) -> HTMLResponse:
        finished, older = await _finished(reader, before)
        return page("older.html", finished=finished, older=older)

    @routes.get("/calls/{call_id}")
    async def show_call(call_id: CallId) -> HTMLResponse:
        seen = await reader.last_event_id()
        row, turns = await looking.on_record(call_id)
        return page("call.html", settings=settings, seen=seen, call=row, turns=turns)

    @routes.get("/calls/{call_id}/state")
    async def show_state(call_id: CallId) -> HTMLResponse:
        return page("state.html", state=await looking.state(call_id))

    @routes.get("/login")
    async def show_login(next: Annotated[str, Query(max_length=500)] = "/", failed: bool = False) -> HTMLResponse:
        return login_page(next=next, failed=failed)

    return routes


async def _finished(reader: CallReader, before: str | None) -> tuple[list[CallRow], str | None]:
    try:
        rows, older = await reader.calls(live=False, before=before, limit=FINISHED_ROWS)
    except ValueError as error:
        raise Refusal(422, "bad-cursor", "This page of older calls does not exist.") from error
    return list(rows), older
