"""Gladia on this machine: POST /v2/live for a session, then its socket, /v2/live?token=.., which hears as nova-3 does.

Faults: "status", "stall" and "connect" strike at the session, "drop", "mute" and "garbage" at an event that brings
text.
"""

import json
import secrets
from typing import Any

from fastapi import APIRouter, Request, Response, WebSocket
from starlette.responses import JSONResponse
from starlette.websockets import WebSocketDisconnect

from sandbox.answers import PiecewiseResponse, close, nothing, retry_after, until_gone
from sandbox.config import config_of
from sandbox.deepgram_results import NovaOptions, NovaResults
from sandbox.deepgram_turns import Confidences
from sandbox.state import SandboxState, now_ms

_GARBAGE = ('{"type": "transcript", "data":', '{"type": "transcript", "data": {"is_final": true}}')


def router(state: SandboxState) -> APIRouter:
    """Gladia's routes."""
    routes = APIRouter(tags=["gladia"])
    sessions: dict[str, dict[str, Any]] = {}  # token -> what was asked for

    @routes.get("/v2/live")
    async def listed(request: Request) -> Response:
        """What a client asks to find out whether its key is good."""
        return JSONResponse({"items": []}) if _known(request) else _error(401, "gladia key not found")

    @routes.post("/v2/live")
    async def begin(request: Request) -> Response:
        """A session, and where its socket is."""
        if not _known(request):
            return _error(401, "gladia key not found")
        fault = state.take_fault("gladia", kinds=("status", "stall", "connect"))
        if fault is not None and fault.kind == "status":
            return _error(fault.status, "The sandbox was told to fail.", retry_after(fault))
        if fault is not None:
            if fault.kind == "stall":
                await until_gone(request)
            return PiecewiseResponse(nothing(), "application/json")
        asked = await request.json()
        if (asked.get("encoding"), asked.get("sample_rate"), asked.get("bit_depth")) != ("wav/ulaw", 8_000, 8):
            return _error(400, "the sandbox hears wav/ulaw with 8 bits at 8000 Hz only")
        if len(asked.get("language_config", {}).get("languages", [])) != 1:
            return _error(400, "the sandbox wants to be told one language")
        token = secrets.token_urlsafe(16)
        sessions[token] = asked
        url = f"ws://{request.url.netloc}/v2/live?token={token}"
        return JSONResponse({"id": token, "created_at": "2026-11-25T00:00:00Z", "url": url}, 201)

    @routes.websocket("/v2/live")
    async def listen(websocket: WebSocket, token: str = "") -> None:
        asked = sessions.pop(token, None)
        if asked is None:
            await websocket.send_denial_response(_error(403, "no such session"))
            return
        await websocket.accept()
        state.stamp("gladia", "stream", language=asked["language_config"]["languages"][0])
        try:
            await _Session(websocket, state, asked).run()
        except WebSocketDisconnect:
            return

    return routes


class _Session:
    """One socket: audio in, events out."""

    def __init__(self, websocket: WebSocket, state: SandboxState, asked: dict[str, Any]) -> None:
        options = NovaOptions(
            interim_results=bool(asked.get("messages_config", {}).get("receive_partial_transcripts")),
            endpointing_ms=1_000 * asked.get("endpointing", 0.05),
            vad_events=True,
            punctuate=True,
        )
        self._websocket = websocket
        self._state = state
        self._language = asked["language_config"]["languages"][0]
        self._results = NovaResults(options, Confidences(state.random))
        self._muted = False

    async def run(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if (audio := message.get("bytes")) is not None:
                for result in self._results.hear(audio, now_ms()):
                    if not await self._tell(result):
                        await close(self._websocket, 1011, "Internal error")
                        return
            elif json.loads(message["text"]).get("type") == "stop_recording":
                await close(self._websocket, 1000)
                return

    async def _tell(self, result: dict[str, Any]) -> bool:
        """Tell a result in the vendor's words; False if a fault ends the stream."""
        if result["type"] == "SpeechStarted":
            return await self._send("speech_start", {"time": result["timestamp"], "channel": 0})
        if result["type"] != "Results":
            return True
        reading = result["channel"]["alternatives"][0]
        text, ended = reading["transcript"], result["speech_final"]
        if ended and not await self._send("speech_end", {"time": result["start"] + result["duration"], "channel": 0}):
            return False
        if not text:
            return True
        if ended:
            self._state.stamp("gladia", "end_of_turn", text=text, speech_end_ms=self._results.speech_end_ms)
        words = [word | {"word": word.get("punctuated_word", word["word"])} for word in reading["words"]]
        utterance = {
            "text": text,
            "confidence": reading["confidence"],
            "language": self._language,
            "start": result["start"],
            "end": result["start"] + result["duration"],
            "channel": 0,
            "words": words,
        }
        return await self._send("transcript", {"id": "00-0", "is_final": result["is_final"], "utterance": utterance})

    async def _send(self, kind: str, data: dict[str, Any]) -> bool:
        text = data["utterance"]["text"] if "utterance" in data else ""
        fault = self._state.take_fault("gladia", text, ("drop", "mute", "garbage"))
        if fault is not None and fault.kind == "drop":
            return False
        if fault is not None and fault.kind == "garbage":
            for piece in _GARBAGE:
                await self._websocket.send_text(piece)
            return True
        self._muted = self._muted or fault is not None
        if not self._muted:
            message = {"session_id": "sandbox", "created_at": "2026-11-25T00:00:00Z", "type": kind, "data": data}
            await self._websocket.send_text(json.dumps(message))
        return True


def _known(request: Request) -> bool:
    return config_of(request).takes_key("gladia", request.headers.get("x-gladia-key"))


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"statusCode": status, "message": message, "request_id": "G-sandbox"}, status, headers=headers)
