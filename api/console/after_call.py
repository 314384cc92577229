"""What follows a call, on its page; the dead letters of all calls."""

import time

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.after_call import FollowingUp, LetterId, StepName
from api.calls import CallId, Looking
from api.console.failures import Page
from api.console.render import page
from api.deps import ApiDeps

MOST = 200  # letters on the page
BEGINS_WITHIN_MS = 120_000.0  # of the call's end; later nothing is waited for that is not there


def router(deps: ApiDeps) -> APIRouter:
    """GET and POST below /calls/{call_id}/after and /dead-letters."""
    routes = APIRouter(route_class=Page)
    after, looking = FollowingUp(deps), Looking(deps)

    @routes.get("/calls/{call_id}/after")
    async def show_after_call(call_id: CallId) -> HTMLResponse:
        state, letters = await after.look(call_id)
        row, _ = await looking.on_record(call_id)
        soon = row.ended_ms is None or time.time() * 1_000 - row.ended_ms < BEGINS_WITHIN_MS
        under_way = any(letter.status == "resending" for letter in letters)
        pending = under_way or (not all(step.over for step in state.steps) if state.steps else soon)
        by_step = {letter.letter.errand.step: letter for letter in letters}
        return page("after.html", state=state, letters=by_step, pending=pending)

    @routes.post("/calls/{call_id}/after/{step}/retry")
    async def retry_step(request: Request, call_id: CallId, step: StepName) -> Response:
        await after.retry(call_id, step)
        if "hx-request" not in request.headers:
            return RedirectResponse(f"/calls/{call_id}", 303)
        said = page("said.html", words="It is being tried now.", went_well=True)
        said.headers["HX-Trigger"] = "after-changed"
        return said

    @routes.get("/dead-letters")
    async def show_dead_letters() -> HTMLResponse:
        return page("letters.html", letters=await after.letters(dead=True, limit=MOST))

    @routes.post("/dead-letters/{letter_id}/resend")
    async def resend_letter(letter_id: LetterId) -> Response:
        await after.resend(letter_id)
        return RedirectResponse("/dead-letters", 303)

    @routes.post("/dead-letters/{letter_id}/dismiss")
    async def dismiss_letter(letter_id: LetterId) -> Response:
        await after.dismiss(letter_id)
        return RedirectResponse("/dead-letters", 303)

    return routes
