"""The carrier's media socket: lets a stream in, and passes its messages on. All thinking is done elsewhere."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from core.stream_token import BadToken
from media_gateway.call_stream import CallStream, StreamIdentity
from media_gateway.clock import StreamClock
from media_gateway.deps import GatewayDeps
from media_gateway.metrics import GatewayMetrics
from media_gateway.outgoing import Outgoing
from media_gateway.streams import Streams
from media_gateway.twilio_messages import (
    BadMessage,
    Connected,
    Dtmf,
    MarkReturned,
    Media,
    Message,
    Started,
    Stopped,
    StreamWriter,
    decode,
)
from media_gateway.twilio_signature import HandshakeSignature

log = structlog.get_logger()

NORMAL_CLOSURE, POLICY_VIOLATION, INTERNAL_ERROR = 1000, 1008, 1011
BAD_MESSAGES_BORNE = 50  # of one live stream: a carrier's new event must not end calls, garbage without end must


class Refused(Exception):
    """This stream may not go on; the text says why and goes to the other side."""


@dataclass(frozen=True, slots=True)
class _Close:
    code: int
    reason: str


class CarrierSocket:
    """The socket as a CallStream sees it."""

    def __init__(self, websocket: WebSocket, stream_id: str) -> None:
        self._websocket = websocket
        self._writer = StreamWriter(stream_id)
        self._outgoing: Outgoing[str | _Close] = Outgoing(self._write)
        self._closed = False

    def play(self, audio: bytes) -> None:
        """Queue audio at the carrier."""
        self._outgoing.send(self._writer.media(audio))

    def mark(self, name: str) -> None:
        """Set a mark after the audio sent so far."""
        self._outgoing.send(self._writer.mark(name))

    def clear(self) -> None:
        """Drop what was not played, here and at the carrier."""
        self._outgoing.drop_waiting()
        self._outgoing.send(self._writer.clear())

    def close(self, code: int, reason: str) -> None:
        """End the stream after what has been sent."""
        self._outgoing.send(_Close(code, reason))

    async def run(self) -> None:
        """Write until cancelled."""
        await self._outgoing.run()

    async def _write(self, message: str | _Close) -> None:
        if self._closed:
            return
        try:
            if isinstance(message, _Close):
                self._closed = True
                await self._websocket.close(message.code, message.reason)
            else:
                await self._websocket.send_text(message)
        except WebSocketDisconnect:
            self._closed = True  # the reading side has seen it too


class MediaEndpoint:
    """Takes the carrier's sockets."""

    def __init__(self, deps: GatewayDeps, streams: Streams, metrics: GatewayMetrics) -> None:
        self._deps = deps
        self._streams = streams
        self._metrics = metrics
        self._signature = HandshakeSignature(deps.settings.twilio_auth_token, deps.settings.stream_url)

    async def take(self, websocket: WebSocket) -> None:
        """One socket, from its handshake to the last word the workflow has to hear of it."""
        if not self._signature.valid(websocket.headers.get("x-twilio-signature")):
            await self._turn_away(websocket, 403, "signature")
            return
        if not self._streams.room:
            await self._turn_away(websocket, 503, "draining" if self._streams.draining else "capacity")
            return
        self._streams.entered()
        try:
            await websocket.accept()
            await self._let_in(websocket)
        finally:
            self._streams.left()

    async def _turn_away(self, websocket: WebSocket, status: int, reason: str) -> None:
        self._metrics.refused.labels(reason).inc()
        log.warning("stream_refused", reason=reason)
        await websocket.send_denial_response(PlainTextResponse("refused", status))

    async def _let_in(self, websocket: WebSocket) -> None:
        try:
            async with asyncio.timeout(self._deps.settings.start):
                start = await _first_start(websocket)
            identity = self._identify(start)
        except (Refused, BadToken, TimeoutError) as error:
            reason = str(error) or "no start in time"
            self._metrics.refused.labels("start").inc()
            log.warning("stream_refused", reason=reason)
            await _close(websocket, POLICY_VIOLATION, reason)
        except WebSocketDisconnect:
            log.info("stream_gone_before_start")
        else:
            await self._run(websocket, identity)

    def _identify(self, start: Started) -> StreamIdentity:
        parameters = start.start.custom_parameters
        call_id = parameters.get("call_id", "")
        attachment = self._streams.admit(call_id, parameters.get("token", ""), round(time.time() * 1_000))
        return StreamIdentity(call_id, attachment, start.start.stream_sid, start.start.call_sid)

    async def _run(self, websocket: WebSocket, identity: StreamIdentity) -> None:
        line = CarrierSocket(websocket, identity.stream_id)
        lines = self._streams.holding_lines(identity.call_id)
        stream = CallStream(self._deps, self._metrics, identity, line, lines, StreamClock())
        self._streams.join(stream)
        self._metrics.streams.inc()
        delivering = asyncio.create_task(stream.deliver())
        try:
            await self._carry(websocket, stream, line, delivering)
        finally:
            self._streams.leave(stream)
            self._metrics.streams.dec()
            if delivering.done() or not await stream.workflow.all_delivered(self._deps.settings.delivery):
                log.error("events_not_delivered", call_id=identity.call_id)
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)

    async def _carry(
        self, websocket: WebSocket, stream: CallStream, line: CarrierSocket, delivering: "asyncio.Task[None]"
    ) -> None:
        """Carry the stream until it ends; whatever goes wrong in here ends this stream and no other."""
        listening = asyncio.create_task(stream.listen())
        writing = asyncio.create_task(line.run())
        reading = asyncio.create_task(self._read(websocket, stream))
        stopped, code, reason = False, INTERNAL_ERROR, "an error of ours"
        try:
            await _until_done_or_failed(reading, listening, writing, delivering)
            stopped, reason = reading.result()
            code = NORMAL_CLOSURE
        except Refused as error:
            code, reason = POLICY_VIOLATION, str(error)
        except Exception:
            log.exception("stream_failed", call_id=stream.identity.call_id)
        finally:
            for task in (reading, listening, writing):
                task.cancel()
            await asyncio.gather(reading, listening, writing, return_exceptions=True)
            stream.end(stopped=stopped, reason=reason)
            await _close(websocket, code, reason)

    async def _read(self, websocket: WebSocket, stream: CallStream) -> tuple[bool, str]:
        """Pass messages on until the stream ends: whether the carrier said stop, and how it ended otherwise."""
        frames = bad = 0
        try:
            while True:
                try:
                    event = decode(await _receive(websocket))
                except BadMessage as error:
                    bad += 1
                    self._bad_message(str(error), bad)
                    continue
                if type(event) is Media:
                    frames += 1
                    if event.media.track == "inbound":
                        stream.hear(event.media.payload)
                elif _take(event, stream):
                    return True, ""
        except WebSocketDisconnect as gone:
            return False, f"socket closed with {gone.code}"
        finally:
            self._metrics.frames.inc(frames)

    def _bad_message(self, reason: str, count: int) -> None:
        self._metrics.bad_messages.inc()
        if count == 1:
            log.warning("bad_message", reason=reason)
        if count > BAD_MESSAGES_BORNE:
            raise Refused("too many bad messages")


async def _until_done_or_failed(reading: "asyncio.Task[Any]", *others: "asyncio.Task[None]") -> None:
    """Wait for ``reading``; raises what any of the others fails with before."""
    pending: set[asyncio.Task[Any]] = {reading, *others}
    while reading in pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    """Close our side; the other may have done so before."""
    with suppress(WebSocketDisconnect, WebSocketDisconnected):
        await websocket.close(code, reason)


async def _first_start(websocket: WebSocket) -> Started:
    """The start message; nothing but ``connected`` may come before it. Raises Refused."""
    while True:
        try:
            event = decode(await _receive(websocket))
        except BadMessage as error:
            raise Refused(str(error)) from error
        if isinstance(event, Started):
            return event
        if not isinstance(event, Connected):
            raise Refused("out of order")


async def _receive(websocket: WebSocket) -> str | bytes:
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    return message.get("text") or message.get("bytes") or ""


def _take(event: Message, stream: CallStream) -> bool:
    """Any message but audio; whether it ends the stream. Raises Refused."""
    match event:
        case MarkReturned():
            stream.mark_returned(event.mark.name)
        case Dtmf():
            log.info("key_pressed", call_id=stream.identity.call_id)
        case Stopped():
            return True
        case Started() | Connected():
            raise Refused("out of order")
    return False
