"""ElevenLabs on this machine: text to speech over HTTP and, in elevenlabs_sockets, over WebSockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pybase64
from fastapi import APIRouter, Body, Request, Response, WebSocket
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from sandbox.answers import PiecewiseResponse, nothing, retry_after, until_gone
from sandbox.config import config_of
from sandbox.elevenlabs_sockets import serve_socket
from sandbox.elevenlabs_speech import SpeechPiece, VoiceOptions, spoken
from sandbox.state import SandboxState

FORMAT = "ulaw_8000"
_STATUS = {
    400: "invalid_request",
    401: "invalid_api_key",
    429: "too_many_concurrent_requests",
    500: "internal_server_error",
}


class Settings(BaseModel):
    """``voice_settings``; what the sandbox's voice cannot do it ignores."""

    speed: float | None = Field(None, ge=0.7, le=1.2)


class SpeechRequest(BaseModel):
    """The body of a request for speech."""

    text: str
    model_id: str = "eleven_multilingual_v2"
    voice_settings: Settings | None = None


def router(state: SandboxState) -> APIRouter:
    """ElevenLabs' routes."""
    routes = APIRouter(prefix="/v1/text-to-speech/{voice_id}", tags=["elevenlabs"])

    @routes.post("/stream")
    async def stream(request: Request, body: Annotated[SpeechRequest, Body()], voice_id: str) -> Response:
        refusal = await _refusal(request, state, body.text)
        return refusal or PiecewiseResponse(_sound(_speech(request, state, body)), "audio/basic")

    @routes.post("/stream/with-timestamps")
    async def stream_timed(request: Request, body: Annotated[SpeechRequest, Body()], voice_id: str) -> Response:
        refusal = await _refusal(request, state, body.text)
        return refusal or PiecewiseResponse(_lines(_speech(request, state, body)), "application/json")

    @routes.websocket("/stream-input")
    async def stream_input(websocket: WebSocket, voice_id: str) -> None:
        await _socket(websocket, state, several=False)

    @routes.websocket("/multi-stream-input")
    async def multi_stream_input(websocket: WebSocket, voice_id: str) -> None:
        await _socket(websocket, state, several=True)

    return routes


async def _socket(websocket: WebSocket, state: SandboxState, *, several: bool) -> None:
    refusal = await _refusal(websocket, state)
    if refusal is None:
        await serve_socket(websocket, state, several=several)
    else:
        await websocket.send_denial_response(refusal)


def _speech(request: Request, state: SandboxState, body: SpeechRequest) -> AsyncIterator[SpeechPiece]:
    speed = (body.voice_settings and body.voice_settings.speed) or 1.0
    options = VoiceOptions(speed, config_of(request).audible)
    return spoken(body.text, options, state, asyncio.get_running_loop().time())


async def _sound(speech: AsyncIterator[SpeechPiece]) -> AsyncIterator[bytes]:
    async for piece in speech:
        yield piece.audio


async def _lines(speech: AsyncIterator[SpeechPiece]) -> AsyncIterator[bytes]:
    """One JSON line a piece; the times go on from piece to piece, unlike on the sockets."""
    before_ms = 0
    async for piece in speech:
        starts = [before_ms + start_ms for start_ms in piece.starts_ms]
        alignment = {
            "characters": piece.chars,
            "character_start_times_seconds": [start / 1_000 for start in starts],
            "character_end_times_seconds": [
                (start + length) / 1_000 for start, length in zip(starts, piece.durations_ms, strict=True)
            ],
        }
        line = {
            "audio_base64": pybase64.b64encode_as_string(piece.audio),
            "alignment": alignment,
            "normalized_alignment": alignment,
        }
        before_ms += len(piece.audio) // 8
        yield json.dumps(line).encode() + b"\n"


async def _refusal(connection: Request | WebSocket, state: SandboxState, text: str | None = None) -> Response | None:
    """The answer to a request that is not carried out: wrong key, wrong format, or a fault."""
    config = config_of(connection)
    key = connection.headers.get("xi-api-key")
    if not config.takes_key("elevenlabs", key) and (key or isinstance(connection, Request)):
        return _error(401, "Invalid API key")  # a socket may still bring it in its first message
    if connection.query_params.get("output_format") != FORMAT:
        return _error(400, f"the sandbox speaks output_format={FORMAT} only", "invalid_output_format")
    if text is not None and not text.strip():
        return _error(400, "A non-empty text is required", "input_text_empty")
    fault = state.take_fault("elevenlabs", text or str(connection.url), ("status", "connect", "stall"))
    if fault is None:
        return None
    if fault.kind == "stall":
        await until_gone(connection)
    if fault.kind == "connect" and isinstance(connection, Request):
        return PiecewiseResponse(nothing(), "application/json")
    status = fault.status if fault.kind == "status" else 503
    return _error(status, "This is a fault that was asked for", headers=retry_after(fault))


def _error(status: int, message: str, name: str = "", headers: dict[str, str] | None = None) -> JSONResponse:
    detail: dict[str, Any] = {"status": name or _STATUS.get(status, "error"), "message": message}
    return JSONResponse({"detail": detail}, status, headers=headers)
