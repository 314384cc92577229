"""The API as one application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api import (
    after_call,
    callbacks,
    calls,
    campaign_check,
    campaign_results,
    campaigns,
    codec,
    console,
    contact_lists,
    contacts,
    desk,
    documents,
    health,
    live,
    login,
    openapi,
    playbooks,
    representative_webhooks,
    step_examples,
    twilio_webhooks,
    webhooks,
)
from api.answering import AnsweringPlaybooks
from api.auth import RequireKey
from api.deps import ApiDeps
from api.limits import LimitBody
from api.observe import Figures, Observe
from api.problems import add_problems
from api.temporal import TemporalUnavailable
from api.undelivered import CarrierMessages
from core.ports.errors import StorageUnavailable, UnknownPlaybook

PLAYBOOKS_SECONDS = 5.0  # to read all; then the API starts without


def create_app(deps: ApiDeps) -> FastAPI:
    """The whole API. It serves whatever it can while Temporal or the database is away."""
    figures = Figures()
    messages = CarrierMessages(deps.temporal, figures)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with suppress(TemporalUnavailable):  # the first caller need not wait for the connection
            await deps.temporal.check()
        with suppress(StorageUnavailable, UnknownPlaybook, TimeoutError):  # nor until all playbooks are read
            async with asyncio.timeout(PLAYBOOKS_SECONDS):
                await deps.playbooks.for_number("")
        yield
        await messages.close()

    app = FastAPI(
        title="Holdfast",
        version=deps.settings.version,
        lifespan=lifespan,
        openapi_url=None,  # ours need the key, see api.openapi
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
    )
    app.include_router(health.router(deps, figures))
    app.include_router(twilio_webhooks.router(deps, AnsweringPlaybooks(deps.playbooks), messages, figures))
    app.include_router(representative_webhooks.router(deps, messages, figures))
    for routes in (
        calls.router(deps, figures),
        after_call.router(deps),
        callbacks.router(deps),
        live.router(deps),
        playbooks.router(deps),
        documents.router(deps),
        contact_lists.router(deps),
        campaign_check.router(deps),
        step_examples.router(deps),
        webhooks.router(deps),
        campaigns.router(deps),
        campaign_results.router(deps),
        contacts.router(deps),
    ):
        app.include_router(routes, responses=openapi.problems(401, 422, 503))
    app.include_router(codec.router(deps))
    app.include_router(desk.router(deps))
    app.include_router(login.router(deps))
    app.include_router(console.router(deps))
    app.include_router(openapi.router(app))
    openapi.describe(app)
    add_problems(app)
    app.add_middleware(LimitBody)
    app.add_middleware(RequireKey, settings=deps.settings)
    app.add_middleware(Observe, figures=figures)  # added last: it sees what RequireKey refuses, too
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
