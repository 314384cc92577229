"""The page of numbers that must not be called: who, why, and what was changed."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from api.console.failures import Page
from api.console.render import page
from api.contacts import Permitting
from api.deps import ApiDeps
from api.schemas import PhoneNumber
from core.may_call import DncScope

MOST: Final = 200  # of each table
CAMPAIGNS: Final = 50  # to choose from

Reason = Annotated[str, Field(max_length=200)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Forbid(_Form):
    """From the form beside the list. ``whom``: "tenant", "global" or "campaign:<id>"."""

    number: PhoneNumber
    whom: Annotated[str, Field(pattern=r"^(tenant|global|campaign:[a-z0-9]{1,32})$")]
    reason: Reason = ""


class Allow(_Form):
    """From an entry of the list."""

    number: PhoneNumber
    scope: DncScope
    of: Annotated[str, Field(max_length=60)] = ""
    reason: Annotated[Reason, Field(min_length=1)]


def router(deps: ApiDeps) -> APIRouter:
    """GET /dnc; POST /dnc and /dnc/allow from its forms."""
    routes = APIRouter(prefix="/dnc", route_class=Page)
    permitting = Permitting(deps)

    @routes.get("")
    async def show_forbidden(number: Annotated[PhoneNumber | None, Query()] = None) -> HTMLResponse:
        return page(
            "dnc.html",
            number=number or "",
            most=MOST,
            entries=await deps.campaigns.blocked(number or "", MOST),
            changes=await deps.campaigns.changes(number or "", MOST),
            campaigns=await deps.campaigns.campaigns(CAMPAIGNS),
        )

    @routes.post("")
    async def forbid(form: Annotated[Forbid, Form()]) -> RedirectResponse:
        scope, _, of = form.whom.partition(":")
        await permitting.forbid(form.number, DncScope(scope), of or None, form.reason)
        return RedirectResponse("/dnc", 303)

    @routes.post("/allow")
    async def allow(form: Annotated[Allow, Form()]) -> RedirectResponse:
        await permitting.allow(form.number, form.scope, form.of or None, form.reason)
        return RedirectResponse("/dnc", 303)

    return routes
