"""The console: pages for supervisors and engineers, rendered here, kept up to date by server-sent events."""

from fastapi import APIRouter

from api.console import (
    actions,
    after_call,
    callbacks,
    campaigns,
    contact_lists,
    dnc,
    pages,
    step_examples,
    streams,
)
from api.console.assets import static_files
from api.deps import ApiDeps


def router(deps: ApiDeps) -> APIRouter:
    """Everything a browser is shown: /, /calls/{call_id}, /login, and what these pages ask for."""
    routes = APIRouter(include_in_schema=False)
    for part in (pages, streams, actions, after_call, callbacks, campaigns, contact_lists, dnc, step_examples):
        routes.include_router(part.router(deps))
    routes.mount("/static", static_files())
    return routes
