"""The page of callers who are to be called back."""

from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse

from api.callbacks import CallbackId, CompleteCallback, WorkingOff
from api.console.failures import Page
from api.console.render import page
from api.deps import ApiDeps

ROWS = 50


def router(deps: ApiDeps) -> APIRouter:
    """GET /callbacks, and POST /callbacks/{callback_id}/complete from its forms."""
    routes = APIRouter(prefix="/callbacks", route_class=Page)
    working = WorkingOff(deps)

    @routes.get("")
    async def show_callbacks(before: Annotated[str | None, Query(max_length=200)] = None) -> HTMLResponse:
        tasks, older = await working.page(False, before, ROWS)
        return page("callbacks.html", callbacks=tasks, older=older)

    @routes.post("/{callback_id}/complete")
    async def take_off_the_list(callback_id: CallbackId, form: Annotated[CompleteCallback, Form()]) -> RedirectResponse:
        await working.complete(callback_id, form)
        return RedirectResponse("/callbacks", 303)

    return routes
