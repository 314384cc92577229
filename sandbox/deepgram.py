"""Deepgram on this machine: streaming recognition (Flux on /v2/listen, nova-3 on /v1/listen) and kept audio.

Words come out of the received audio and of nothing else (see audio_code).
"""

import asyncio
import hashlib
import json
import uuid
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response, WebSocket
from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse
from starlette.websockets import WebSocketDisconnect

from core import g711
from sandbox.answers import PiecewiseResponse, close, nothing, retry_after, until_gone
from sandbox.config import config_of
from sandbox.deepgram_results import NovaOptions, NovaResults, transcript_of
from sandbox.deepgram_turns import Confidences, FluxOptions, FluxTurns, TurnInfo
from sandbox.state import SandboxState, now_ms, pause
from sandbox.tongues import languages_of
from sandbox.wav import mulaw_of

_GARBAGE = ('{"type": "TurnInfo", "event":', '{"type": "TurnInfo", "event": "EndOfTurn"}', '{"type": "Results"}')
_MID_STREAM = ("drop", "mute", "garbage")


def router(state: SandboxState) -> APIRouter:
    """Deepgram's routes."""
    routes = APIRouter(tags=["deepgram"])

    @routes.websocket("/v2/listen")
    async def listen_v2(websocket: WebSocket) -> None:
        await _serve(websocket, state, FluxStream)

    @routes.websocket("/v1/listen")
    async def listen_v1(websocket: WebSocket) -> None:
        await _serve(websocket, state, NovaStream)

    @routes.post("/v1/listen")
    async def transcribe(request: Request) -> Response:
        return await _transcribe(request, state)

    return routes


class BadRequest(Exception):
    """A parameter that Deepgram refuses; the message names it."""


class _Closed(Exception):
    """The stream is over from our side."""

    def __init__(self, code: int = 1000, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Stream(ABC):
    """One open socket: audio and control messages in, events out."""

    def __init__(self, websocket: WebSocket, state: SandboxState) -> None:
        self.websocket = websocket
        self.state = state
        self.request_id = str(uuid.uuid4())
        self.confidences = Confidences(state.random, self._made_unsure)
        self._muted = False

    @abstractmethod
    async def begin(self) -> None:
        """Say what is said first."""

    @abstractmethod
    async def hear(self, audio: bytes) -> None:
        """Take a binary message in."""

    @abstractmethod
    async def obey(self, message: dict[str, Any]) -> None:
        """Take a text message in. Raises _Closed at the end of the stream."""

    @abstractmethod
    def unreadable(self, text: str) -> dict[str, Any]:
        """What to answer to a text message that is no message."""

    async def run(self) -> None:
        """Serve the socket until one side closes it."""
        loop = asyncio.get_running_loop()
        idle_seconds = self.state.latency.recogniser_idle_ms / 1_000
        async with asyncio.timeout(idle_seconds) as idle:
            postponed = loop.time()
            await self.begin()
            while True:
                message = await self.websocket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                now = loop.time()
                if now - postponed > idle_seconds / 10:  # not for each frame: a timer costs more than a frame
                    postponed = now
                    idle.reschedule(now + idle_seconds)
                audio = message.get("bytes")
                if audio is not None:
                    await self.hear(audio)
                else:
                    await self._obey_text(message["text"])

    async def send(self, message: dict[str, Any], text: str = "") -> None:
        """Send an event that brings ``text``, unless a fault is in the way. Raises _Closed."""
        if self.state.faults:
            fault = self.state.take_fault("deepgram", text, _MID_STREAM)
            if fault and fault.kind == "drop":
                raise _Closed(1011, "Internal error")
            if fault and fault.kind == "garbage":
                for piece in _GARBAGE:
                    await self.websocket.send_text(piece)
                return
            self._muted = self._muted or fault is not None
        if not self._muted:
            await self.websocket.send_text(json.dumps(message))

    def _made_unsure(self) -> bool:
        return bool(self.state.faults) and self.state.take_fault("deepgram", kinds=("unsure",)) is not None

    async def _obey_text(self, text: str) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            await self.send(self.unreadable(text))
            raise _Closed(1008, "DATA-0000")
        await self.obey(message)


_PACE_MS = 10  # audio that comes sooner than this after the last comes faster than real time


class FluxStream(Stream):
    """A socket of /v2/listen."""

    def __init__(self, websocket: WebSocket, state: SandboxState) -> None:
        super().__init__(websocket, state)
        self._turns = FluxTurns(flux_options(websocket.query_params), state.latency, state.random, self.confidences)
        self._multilingual = websocket.query_params.get("model") == "flux-general-multi"
        self._sequence = 0
        self._heard_ms = 0.0
        self._hurried = False

    async def begin(self) -> None:
        await self._send_next({"type": "Connected", "request_id": self.request_id})

    async def hear(self, audio: bytes) -> None:
        if not audio:
            raise _Closed
        at_ms = now_ms()
        self._hurried = at_ms - self._heard_ms < _PACE_MS
        self._heard_ms = at_ms
        events = self._turns.hear(audio, at_ms)
        if events:
            await self._tell(events)

    async def obey(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "CloseStream":
                raise _Closed
            case "ForceEndTurn":
                await self._tell(self._turns.force_end())
            case "Configure":
                await self._configure(message)
            case _:
                await self.send(self.unreadable(message["type"]))
                raise _Closed(1008, "DATA-0000")

    def unreadable(self, text: str) -> dict[str, Any]:
        self._sequence += 1
        return {
            "type": "Error",
            "sequence_id": self._sequence - 1,
            "code": "UNPARSABLE_CLIENT_MESSAGE",
            "description": "The message is none that this stream knows",
        }

    async def _tell(self, events: list[TurnInfo]) -> None:
        for info in events:
            if info.event == "EndOfTurn" and self.state.take_fault("deepgram", info.transcript, ("endless",)):
                continue
            if not self._hurried:
                await pause(info.after_ms)
            if info.event != "Update":
                self.state.stamp(
                    "deepgram",
                    _STAMPED[info.event],
                    text=info.transcript,
                    speech_end_ms=info.speech_end_ms,
                    request_id=self.request_id,
                )
            await self._send_next(self._wire(info), info.transcript)

    def _wire(self, info: TurnInfo) -> dict[str, Any]:
        message = {
            "type": "TurnInfo",
            "request_id": self.request_id,
            "event": info.event,
            "turn_index": info.turn_index,
            "audio_window_start": info.window_start_ms / 1_000,
            "audio_window_end": info.window_end_ms / 1_000,
            "transcript": info.transcript,
            "words": info.words,
            "end_of_turn_confidence": info.confidence,
        }
        if info.trigger is not None:
            message["trigger"] = info.trigger
        return message | self._languages(info.transcript) if self._multilingual else message

    def _languages(self, text: str) -> dict[str, Any]:
        """What the multilingual model alone tells."""
        hints = self._turns.options.language_hints
        found = {"languages": languages_of(text, hints), "languages_hinted": hints}
        return {name: languages for name, languages in found.items() if languages}

    async def _configure(self, message: dict[str, Any]) -> None:
        options = self._turns.options
        thresholds = message.get("thresholds") or {}
        wanted = {
            "eot_threshold": options.eot_threshold,
            "eager_eot_threshold": options.eager_eot_threshold,
            "eot_timeout_ms": options.eot_timeout_ms,
        } | {name: value for name, value in thresholds.items() if value is not None}
        try:
            changed = flux_options(
                QueryParams({name: str(value) for name, value in wanted.items() if value is not None})
            )
        except BadRequest as error:
            failure = {"type": "ConfigureFailure", "code": "INVALID_CONFIGURATION", "description": str(error)}
            await self._send_next(failure | {"request_id": self.request_id})
            return
        changed.keyterms = message.get("keyterms") or options.keyterms
        changed.language_hints = message.get("language_hints") or options.language_hints
        self._turns.options = changed
        success = {
            "type": "ConfigureSuccess",
            "request_id": self.request_id,
            "thresholds": wanted,
            "keyterms": changed.keyterms,
            "language_hints": changed.language_hints,
        }
        await self._send_next(success)

    async def _send_next(self, message: dict[str, Any], text: str = "") -> None:
        message["sequence_id"] = self._sequence
        self._sequence += 1
        await self.send(message, text)


_STAMPED = {
    "StartOfTurn": "start_of_turn",
    "EagerEndOfTurn": "eager_end_of_turn",
    "TurnResumed": "turn_resumed",
    "EndOfTurn": "end_of_turn",
}


class NovaStream(Stream):
    """A socket of /v1/listen."""

    def __init__(self, websocket: WebSocket, state: SandboxState) -> None:
        super().__init__(websocket, state)
        self._results = NovaResults(nova_options(websocket.query_params), self.confidences, self.request_id)
        self._said: list[str] = []  # final pieces since the last end of speech

    async def begin(self) -> None:
        """Nova-3 says nothing before it hears something."""

    async def hear(self, audio: bytes) -> None:
        if not audio:
            await self._close()
        messages = self._results.hear(audio, now_ms())
        if messages:
            await self._tell(messages)

    async def obey(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "KeepAlive":
                pass
            case "Finalize":
                await self._tell(self._results.finalize())
            case "CloseStream":
                await self._close()
            case "Configure":
                success = {"type": "ConfigureSuccess", "request_id": self.request_id}
                await self.send(success | {"keyterms": message.get("keyterms")})
            case _:
                await self.send(self.unreadable(json.dumps(message)))

    def unreadable(self, text: str) -> dict[str, Any]:
        description = "Could not deserialize last text message"
        return {"type": "Error", "variant": "SchemaError", "description": description, "message": text}

    async def _tell(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            text = ""
            if message["type"] == "Results":
                text = message["channel"]["alternatives"][0]["transcript"]
                if message["is_final"] and text:
                    self._said.append(text)
                if message["speech_final"]:
                    self._stamp("end_of_turn")
            elif message["type"] == "UtteranceEnd":
                self._stamp("utterance_end")
            await self.send(message, text)

    def _stamp(self, what: str) -> None:
        if not self._said:
            return
        text = " ".join(self._said)
        self._said = []
        speech_end_ms = self._results.speech_end_ms
        self.state.stamp("deepgram", what, text=text, speech_end_ms=speech_end_ms, request_id=self.request_id)

    async def _close(self) -> None:
        await self._tell(self._results.close())
        await self.send(
            {
                "type": "Metadata",
                "transaction_key": "deprecated",
                "request_id": self.request_id,
                "sha256": hashlib.sha256(self.request_id.encode()).hexdigest(),
                "created": datetime.now(UTC).isoformat(),
                "duration": self._results.received_ms / 1_000,
                "channels": 1,
            }
        )
        raise _Closed


async def _serve(websocket: WebSocket, state: SandboxState, kind: type[FluxStream] | type[NovaStream]) -> None:
    """One streaming request, from the handshake to the close."""
    refusal = await _refusal(websocket, state)
    if refusal is not None:
        await websocket.send_denial_response(refusal)
        return
    try:
        stream = kind(websocket, state)
    except BadRequest as error:
        await websocket.send_denial_response(_error(400, "INVALID_QUERY_PARAMETER", str(error)))
        return
    await websocket.accept(headers=[(b"dg-request-id", stream.request_id.encode())])
    try:
        if state.take_fault("deepgram", str(websocket.url), ("connect",)):
            raise _Closed(1011, "Internal error")
        state.stamp("deepgram", "stream", path=websocket.url.path, request_id=stream.request_id)
        await stream.run()
    except _Closed as closed:
        await close(websocket, closed.code, closed.reason)
    except TimeoutError:
        await close(websocket, 1011, "NET-0001: no audio and no KeepAlive within the timeout window")
    except WebSocketDisconnect:
        return


async def _refusal(connection: Request | WebSocket, state: SandboxState) -> Response | None:
    """The answer to a request that is not even looked at: wrong key, or a fault."""
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in ("token", "bearer") or not config_of(connection).takes_key("deepgram", key):
        return _error(401, "INVALID_AUTH", "Invalid credentials.")
    fault = state.take_fault("deepgram", str(connection.url), ("status", "stall"))
    if fault is None:
        return None
    if fault.kind == "stall":
        await until_gone(connection)
    return _error(fault.status, "SANDBOX_FAULT", "This is a fault that was asked for.", retry_after(fault))


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    body = {"err_code": code, "err_msg": message, "request_id": str(uuid.uuid4())}
    return JSONResponse(body, status, headers=headers)


def flux_options(query: QueryParams) -> FluxOptions:
    """What the query of a /v2/listen asks for. Raises BadRequest."""
    _require_phone_audio(query)
    for foreign in ("interim_results", "endpointing", "utterance_end_ms", "vad_events", "punctuate", "smart_format"):
        if foreign in query:
            raise BadRequest(f"{foreign} is no parameter of /v2/listen")
    if not query.get("model", "flux-general-en").startswith("flux-"):
        raise BadRequest("model must be a Flux model on /v2/listen")
    eager = _number(query, "eager_eot_threshold", None, 0.3, 0.9)
    threshold = _number(query, "eot_threshold", 0.7, 0.5, 1.0)
    assert threshold is not None
    if eager is not None and eager > threshold:
        raise BadRequest("eager_eot_threshold must not be above eot_threshold")
    return FluxOptions(
        eot_threshold=threshold,
        eager_eot_threshold=eager,
        eot_timeout_ms=_number(query, "eot_timeout_ms", 5_000, 500, 60_000) or 0,
        keyterms=query.getlist("keyterm"),
        language_hints=query.getlist("language_hint"),
    )


def nova_options(query: QueryParams) -> NovaOptions:
    """What the query of a /v1/listen asks for. Raises BadRequest."""
    _require_phone_audio(query)
    model = query.get("model", "nova-3")
    if model.startswith("flux-"):
        raise BadRequest("Flux models are on /v2/listen")
    interim_results = _flag(query, "interim_results")
    utterance_end_ms = _number(query, "utterance_end_ms", None, 1_000, 5_000)
    if utterance_end_ms is not None and not interim_results:
        raise BadRequest("utterance_end_ms needs interim_results")
    silent = query.get("endpointing") == "false"
    return NovaOptions(
        model=model,
        interim_results=interim_results,
        endpointing_ms=None if silent else _number(query, "endpointing", 10, 0, 60_000),
        utterance_end_ms=utterance_end_ms,
        vad_events=_flag(query, "vad_events"),
        punctuate=_flag(query, "punctuate") or _flag(query, "smart_format"),
    )


def _require_phone_audio(query: QueryParams) -> None:
    if query.get("encoding", "mulaw") != "mulaw" or query.get("sample_rate", "8000") != "8000":
        raise BadRequest("the sandbox hears encoding=mulaw with sample_rate=8000 only")


def _flag(query: QueryParams, name: str) -> bool:
    value = query.get(name, "false")
    if value not in ("true", "false"):
        raise BadRequest(f"{name} must be true or false")
    return value == "true"


def _number(query: QueryParams, name: str, default: float | None, low: float, high: float) -> float | None:
    if name not in query:
        return default
    try:
        value = float(query[name])
    except ValueError:
        raise BadRequest(f"{name} must be a number") from None
    if not low <= value <= high:
        raise BadRequest(f"{name} must be between {low:g} and {high:g}")
    return value


async def _transcribe(request: Request, state: SandboxState) -> Response:
    """Kept audio, at once."""
    refusal = await _refusal(request, state)
    if refusal is not None:
        return refusal
    body = await request.body()
    try:
        options = nova_options(request.query_params)
        audio = mulaw_of(body)
    except (BadRequest, ValueError) as error:
        return _error(400, "Bad Request", f"Bad Request: {error}")
    await pause(state.latency.prerecorded_ms)
    fault = state.take_fault("deepgram", str(request.url), ("connect", "drop", "mute", "garbage"))
    if fault is not None:
        return Response("no answer", media_type="application/json") if fault.kind == "garbage" else _cut()
    heard = transcript_of(audio, options, state.random)
    state.stamp("deepgram", "prerecorded", text=heard["transcript"])
    request_id = str(uuid.uuid4())
    metadata = {
        "request_id": request_id,
        "sha256": hashlib.sha256(body).hexdigest(),
        "created": datetime.now(UTC).isoformat(),
        "duration": g711.duration_ms(audio) / 1_000,
        "channels": 1,
        "models": [options.model],
        "model_info": {options.model: {"name": options.model, "version": "sandbox", "arch": "nova-3"}},
    }
    return JSONResponse({"metadata": metadata, "results": {"channels": [{"alternatives": [heard]}]}})


def _cut() -> Response:
    return PiecewiseResponse(nothing(), "application/json")
