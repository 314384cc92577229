"""What a supervisor has a live call do: the same that /v1 has it do, from a form."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.calls import Acting, CallId
from api.console.failures import Page
from api.console.render import page
from api.deps import ApiDeps
from api.schemas import EndCall, SayLine, TakeOverCall, TransferCall
from core.contracts import names
from core.contracts.call import End, Say, TakeOver, Transfer


def router(deps: ApiDeps) -> APIRouter:
    """POST /calls/{call_id}/say, /transfer, /take-over and /end."""
    routes = APIRouter(prefix="/calls/{call_id}", route_class=Page)
    acting = Acting(deps)

    @routes.post("/say")
    async def say_line(request: Request, call_id: CallId, form: Annotated[SayLine, Form()]) -> Response:
        await acting.ask(call_id, names.SAY, Say(form.text), None)
        return _said(request, call_id, "The assistant says it next.")

    @routes.post("/transfer")
    async def transfer_call(request: Request, call_id: CallId, form: Annotated[TransferCall, Form()]) -> Response:
        await acting.ask(call_id, names.TRANSFER, Transfer(form.to, form.reason, form.warm), None)
        words = f"{form.to} is called and briefed." if form.warm else f"The caller is put through to {form.to}."
        return _said(request, call_id, words)

    @routes.post("/take-over")
    async def take_over_call(request: Request, call_id: CallId, form: Annotated[TakeOverCall, Form()]) -> Response:
        await acting.ask(call_id, names.TAKE_OVER, TakeOver(form.to, form.by, form.warm, form.hands_back), None)
        return _said(request, call_id, f"{form.to} rings; answer it and press 1 to take the call.")

    @routes.post("/end")
    async def end_call(request: Request, call_id: CallId, form: Annotated[EndCall, Form()]) -> Response:
        await acting.ask(call_id, names.END, End(form.reason, form.line), None)
        return _said(request, call_id, "The call ends.")

    return routes


def _said(request: Request, call_id: str, words: str) -> Response:
    if "hx-request" in request.headers:
        return page("said.html", words=words, went_well=True)
    return RedirectResponse(f"/calls/{call_id}", 303)
