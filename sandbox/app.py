"""The sandbox as one application: all vendors on one origin."""

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from sandbox import (
    accounts,
    anthropic,
    calcom,
    calendly,
    control,
    crm,
    deepgram,
    deepgram_speech,
    elevenlabs,
    gladia,
    hubspot,
    mail,
    openai,
    salesforce,
    twilio,
)
from sandbox.config import SandboxConfig, config_of
from sandbox.state import SandboxState

__all__ = ["SandboxConfig", "config_of", "create_app", "create_server"]


def create_app(state: SandboxState, config: SandboxConfig) -> FastAPI:
    """All vendors' routes, and those that control the sandbox."""
    app = FastAPI(title="Holdfast sandbox", docs_url="/sandbox/docs", openapi_url="/sandbox/openapi.json")
    app.state.config = config
    app.include_router(control.router(state))
    app.include_router(accounts.router(state))
    app.include_router(anthropic.router(state))
    app.include_router(calcom.router(state))
    app.include_router(calendly.router(state))
    app.include_router(crm.router(state))
    app.include_router(deepgram.router(state))
    app.include_router(deepgram_speech.router(state))
    app.include_router(elevenlabs.router(state))
    app.include_router(gladia.router(state))
    app.include_router(hubspot.router(state))
    app.include_router(mail.router(state))
    app.include_router(openai.router(state))
    app.include_router(salesforce.router(state))
    app.include_router(twilio.router(state, config))
    return app


def create_server(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> uvicorn.Server:
    """A server for it, set up for many small messages on few cores."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="uvloop",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            access_log=False,
            log_config=None,
            lifespan="on",
            timeout_graceful_shutdown=1,
        )
    )
