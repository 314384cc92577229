"""Deepgram's voice on this machine, /v1/speak: text in, headerless mu-law out.

Faults of the vendor "deepgram" strike whichever of its services is asked next; ``match`` tells them apart: here it is
looked for in "/v1/speak: <text>".
"""

import asyncio
import uuid
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from starlette.responses import JSONResponse

from sandbox import audio_code
from sandbox.answers import Dropped, PiecewiseResponse, nothing, retry_after, until_gone
from sandbox.config import config_of
from sandbox.elevenlabs_speech import pieces_of
from sandbox.state import Fault, SandboxState, pause

LONGEST_TEXT = 2_000
_FAULTS = ("status", "connect", "stall", "mute", "drop", "stall_after", "drip", "garbage")


class SpeakRequest(BaseModel):
    """The body of a request for speech."""

    text: str


def router(state: SandboxState) -> APIRouter:
    """The route of the voice."""
    routes = APIRouter(tags=["deepgram"])

    @routes.post("/v1/speak")
    async def speak(request: Request, body: SpeakRequest) -> Response:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("token", "bearer") or not config_of(request).takes_key("deepgram", key):
            return _error(401, "INVALID_AUTH", "Invalid credentials.")
        if refused := _refused(request, body.text):
            return _error(400, "INVALID_QUERY_PARAMETER", refused)
        fault = state.take_fault("deepgram", f"/v1/speak: {body.text}", _FAULTS)
        kind = fault.kind if fault else ""
        if fault is not None and kind == "status":
            return _error(fault.status, "SANDBOX_FAULT", "This is a fault that was asked for.", retry_after(fault))
        if kind in ("stall", "mute"):
            await until_gone(request)
        if kind in ("connect", "stall", "mute"):
            return PiecewiseResponse(nothing(), "audio/mulaw")
        if kind == "garbage":
            return Response(b"", media_type="audio/mulaw")
        return PiecewiseResponse(_sound(state, body.text, fault), "audio/mulaw")

    return routes


def _refused(request: Request, text: str) -> str:
    query = request.query_params
    wanted = {"encoding": "mulaw", "container": "none"}
    if any(query.get(name) != value for name, value in wanted.items()) or float(query.get("sample_rate", 0)) != 8_000:
        return "the sandbox speaks encoding=mulaw, container=none, sample_rate=8000 only"
    if not query.get("model", "").startswith("aura-2-"):
        return "no such model"
    if not text.strip():
        return "the text is empty"
    return "the text is too long" if len(text) > LONGEST_TEXT else ""


async def _sound(state: SandboxState, text: str, fault: Fault | None) -> AsyncIterator[bytes]:
    state.stamp("deepgram", "text", text=text)
    utterance = audio_code.speak(text.replace("[", "(").replace("]", ")"), "representative")
    kind, breaks_after = (fault.kind, max(1, fault.after)) if fault else ("", 0)
    await pause(state.latency.voice_first_byte_ms)
    for sent, piece in enumerate(pieces_of(text, utterance, state.random)):
        if sent >= breaks_after and kind == "drop":
            raise Dropped
        if sent >= breaks_after and kind == "stall_after":
            await asyncio.Event().wait()
        if fault and kind == "drip":
            await pause(fault.delay_ms)
        elif sent:
            await pause(len(piece.audio) / 8 / state.latency.voice_speed)
        else:
            state.stamp("deepgram", "first_byte", text=text)
        yield piece.audio


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    body = {"err_code": code, "err_msg": message, "request_id": str(uuid.uuid4())}
    return JSONResponse(body, status, headers=headers)
