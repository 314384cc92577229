"""Twilio on this machine: REST, signed webhooks, TwiML, Media Streams, and people to call and be called by."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from sandbox.config import SandboxConfig
from sandbox.state import SandboxState
from sandbox.twilio import control, rest, rest_conferences
from sandbox.twilio.carrier import Carrier


def router(state: SandboxState, config: SandboxConfig) -> APIRouter:
    """The carrier's REST API and the control of its people and calls; its calls end with the application."""
    carrier = Carrier(state, config)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await carrier.close()

    routes = APIRouter(lifespan=lifespan)
    routes.include_router(rest.router(carrier))
    routes.include_router(rest_conferences.router(carrier))
    routes.include_router(control.router(carrier))
    return routes
