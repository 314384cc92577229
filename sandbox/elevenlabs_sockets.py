"""ElevenLabs' WebSockets: text comes in as it is written, speech goes out as it is made.

``stream-input`` speaks one text; ``multi-stream-input`` up to five at a time, told apart by ``context_id``.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pybase64
from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from sandbox.answers import Dropped, close
from sandbox.config import config_of
from sandbox.elevenlabs_speech import SpeechPiece, TextBuffer, VoiceOptions, spoken
from sandbox.state import SandboxState

MAX_CONTEXTS = 5
_GARBAGE = "<html><body>502 Bad Gateway</body></html>"


class _Closed(Exception):
    """We end the socket."""

    def __init__(self, code: int, error: str = "", message: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.error = error
        self.message = message


async def serve_socket(websocket: WebSocket, state: SandboxState, *, several: bool) -> None:
    """Serve one socket from accept to close."""
    await websocket.accept()
    state.stamp("elevenlabs", "socket")
    socket = _Socket(websocket, state, several=several)
    try:
        async with socket.closing():
            await socket.run()
    except _Closed as closed:
        if closed.error:
            problem = {"message": closed.message, "error": closed.error, "code": closed.code}
            with suppress(WebSocketDisconnect):
                await websocket.send_text(json.dumps(problem))
        await close(websocket, closed.code, closed.message[:120])
    except WebSocketDisconnect:
        return


class _Socket:
    def __init__(self, websocket: WebSocket, state: SandboxState, *, several: bool) -> None:
        self._websocket = websocket
        self._state = state
        self._several = several
        self._auto_mode = websocket.query_params.get("auto_mode") == "true"
        asked = websocket.query_params.get("inactivity_timeout")
        self._idle_seconds = float(asked) if asked else state.latency.voice_idle_ms / 1_000
        self._known = bool(websocket.headers.get("xi-api-key"))
        self._contexts: dict[str | None, _Context] = {}  # those that take text
        self._voices: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def closing(self) -> AsyncIterator[None]:
        """Stop all voices at the end."""
        try:
            yield
        finally:
            for voice in list(self._voices):
                voice.cancel()

    async def run(self) -> None:
        """Take messages in until one side ends the socket. Raises _Closed, and WebSocketDisconnect where we speak."""
        while True:
            try:
                async with asyncio.timeout(self._idle_seconds):
                    message = await self._websocket.receive()
            except TimeoutError:
                waited = f"no new text input within the timeout of {self._idle_seconds} seconds"
                raise _Closed(1008, "input_timeout_exceeded", waited) from None
            if message["type"] == "websocket.disconnect":
                return
            await self._obey(_parsed(message.get("text") or ""))

    async def _obey(self, message: dict[str, Any]) -> None:
        self._check_key(message)
        if message.get("close_socket"):
            for open_context in self._contexts.values():
                await open_context.finish()
            raise _Closed(1000)
        name = message.get("context_id") if self._several else None
        context = self._contexts.get(name)
        if context is None:
            if message.get("close_context"):
                return
            context = self._contexts[name] = self._open(name, message)
        text = message.get("text") or ""
        ended = bool(message.get("close_context")) if self._several else "text" in message and not text
        context.add(text, flush=bool(message.get("flush")) or ended)
        if ended and self._several:
            del self._contexts[name]
            context.end()
        elif ended:
            await context.finish()
            raise _Closed(1000)

    def _check_key(self, message: dict[str, Any]) -> None:
        """The key comes with the handshake or with the first message."""
        if self._known:
            return
        self._known = config_of(self._websocket).takes_key("elevenlabs", message.get("xi_api_key"))
        if not self._known:
            raise _Closed(1008, "invalid_api_key", "Invalid API key")

    def _open(self, name: str | None, message: dict[str, Any]) -> "_Context":
        if len(self._contexts) >= MAX_CONTEXTS:
            limit = f"Maximum simultaneous contexts per WebSocket connection exceeded ({MAX_CONTEXTS})"
            raise _Closed(1008, "max_active_conversations", limit)
        settings = message.get("voice_settings") or {}
        options = VoiceOptions(float(settings.get("speed") or 1.0), config_of(self._websocket).audible)
        schedule = (message.get("generation_config") or {}).get("chunk_length_schedule")
        buffer = TextBuffer(auto_mode=self._auto_mode, schedule=schedule)
        context = _Context(self._websocket, self._state, name, buffer, options)
        self._voices.add(context.task)
        context.task.add_done_callback(self._voices.discard)
        return context


class _Context:
    """One text and the voice that speaks it, piece after piece."""

    def __init__(
        self, websocket: WebSocket, state: SandboxState, name: str | None, buffer: TextBuffer, options: VoiceOptions
    ) -> None:
        self._websocket = websocket
        self._state = state
        self._name = {} if name is None else {"contextId": name}
        self._buffer = buffer
        self._options = options
        self._texts: asyncio.Queue[tuple[str, float] | None] = asyncio.Queue()
        self.task = asyncio.create_task(self._speak_all())

    def add(self, text: str, *, flush: bool) -> None:
        """Take text in; what is enough of it will be spoken."""
        ready = self._buffer.add(text, flush=flush)
        if ready is not None:
            self._texts.put_nowait((ready, asyncio.get_running_loop().time()))

    def end(self) -> None:
        """No more text will come."""
        self._texts.put_nowait(None)

    async def finish(self) -> None:
        """No more text will come; return when all has been spoken, or the client has gone."""
        self.end()
        gone = asyncio.create_task(self._until_gone())
        await asyncio.wait({self.task, gone}, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if not self.task.done():
            raise WebSocketDisconnect

    async def _until_gone(self) -> None:
        while (await self._websocket.receive())["type"] != "websocket.disconnect":
            pass

    async def _speak_all(self) -> None:
        try:
            while item := await self._texts.get():
                text, asked_at = item
                async for piece in spoken(text, self._options, self._state, asked_at):
                    await self._send(self._audio(piece))
            await self._send({"audio": None, "isFinal": True, **self._name})
        except Dropped as dropped:
            if str(dropped) == "garbage":
                await self._websocket.send_text(_GARBAGE)
                return
            await close(self._websocket, 1011, "Internal server error")
        except WebSocketDisconnect:
            return

    def _audio(self, piece: SpeechPiece) -> dict[str, Any]:
        alignment = {
            "chars": piece.chars,
            "charStartTimesMs": piece.starts_ms,
            "charDurationsMs": piece.durations_ms,
        }
        return {
            "audio": pybase64.b64encode_as_string(piece.audio),
            "alignment": alignment if piece.chars else None,
            "normalizedAlignment": alignment if piece.chars else None,
            "isFinal": None,
            **self._name,
        }

    async def _send(self, message: dict[str, Any]) -> None:
        await self._websocket.send_text(json.dumps(message))


def _parsed(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise _Closed(1008, "invalid_message", "The message is no JSON object")
    return message
