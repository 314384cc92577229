"""Who am I, as Deepgram and ElevenLabs answer it: what a client asks to find out whether its key is good."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from sandbox.config import config_of
from sandbox.state import SandboxState


def router(state: SandboxState) -> APIRouter:
    """Their account routes."""
    routes = APIRouter()

    @routes.get("/v1/projects", tags=["deepgram"])
    async def projects(request: Request) -> Response:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "token" or not config_of(request).takes_key("deepgram", key):
            body = {"err_code": "INVALID_AUTH", "err_msg": "Invalid credentials.", "request_id": "sandbox"}
            return JSONResponse(body, 401)
        return _broken(state, "deepgram") or JSONResponse({"projects": [{"project_id": "sandbox", "name": "Sandbox"}]})

    @routes.get("/v1/user", tags=["elevenlabs"])
    async def user(request: Request) -> Response:
        if not config_of(request).takes_key("elevenlabs", request.headers.get("xi-api-key")):
            return JSONResponse({"detail": {"status": "invalid_api_key", "message": "Invalid API key"}}, 401)
        return _broken(state, "elevenlabs") or JSONResponse({"user_id": "sandbox", "subscription": {"tier": "sandbox"}})

    return routes


def _broken(state: SandboxState, vendor: str) -> Response | None:
    fault = state.take_fault(vendor, kinds=("status",))
    return JSONResponse({"detail": "a fault was switched on"}, fault.status) if fault else None
