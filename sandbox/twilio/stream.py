"""The carrier's end of one media stream: a WebSocket client that speaks Twilio's messages.

Source: Twilio Media Streams, "WebSocket messages".
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import msgspec
import pybase64
from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from sandbox.audio_code import SILENCE

HANDSHAKE_SECONDS = 5.0


class StreamEnd(Enum):
    """How a stream came to its end."""

    CLOSED = "closed"  # the product closed the socket
    LOST = "lost"  # the connection broke, no close frame
    STOPPED = "stopped"  # the carrier ended it


class CannotConnect(Exception):
    """The product's socket was not to be had."""


class StreamSide(Protocol):
    """What the product's messages do at the carrier."""

    def audio_arrived(self, audio: bytes) -> None:
        """Media to play to the person."""
        ...

    def mark_set(self, name: str) -> None:
        """A mark after all audio so far."""
        ...

    def clear_asked(self) -> None:
        """Drop what is queued."""
        ...

    def bad_message(self, what: str) -> None:
        """A message that means nothing."""
        ...


class _Payload(msgspec.Struct):
    payload: str


class _Name(msgspec.Struct):
    name: str


class _Media(msgspec.Struct, tag_field="event", tag="media", rename="camel"):
    media: _Payload
    stream_sid: str


class _Mark(msgspec.Struct, tag_field="event", tag="mark", rename="camel"):
    mark: _Name
    stream_sid: str


class _Clear(msgspec.Struct, tag_field="event", tag="clear", rename="camel"):
    stream_sid: str


_decoder = msgspec.json.Decoder(_Media | _Mark | _Clear)
_SILENT_PAYLOAD = pybase64.b64encode(SILENCE)
_MEDIA = (
    b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d","timestamp":"%d","payload":"%s"},'
    b'"streamSid":"%s"}'
)


@dataclass(frozen=True)
class StreamStart:
    """What the stream's first message tells."""

    account_sid: str
    call_sid: str
    stream_sid: str
    parameters: Mapping[str, str] = field(default_factory=dict)


class MediaStream(WSListener):
    """One stream. ``open`` first; then ``send_audio`` every 20 ms until ``ended``."""

    def __init__(self, start: StreamStart, side: StreamSide) -> None:
        self.ended: asyncio.Future[StreamEnd] = asyncio.get_running_loop().create_future()
        self._start = start
        self._side = side
        self._sid = start.stream_sid.encode()
        self._socket: WSTransport | None = None
        self._sequence = 0
        self._chunk = 0
        self._parts = bytearray()

    async def open(self, url: str, signature: str) -> None:
        """Connect and say what this stream is. Raises CannotConnect."""
        try:
            await ws_connect(
                lambda: self,
                url,
                extra_headers={"X-Twilio-Signature": signature},
                websocket_handshake_timeout=HANDSHAKE_SECONDS,
                max_redirects=0,
            )
        except (OSError, WSError, ValueError) as error:
            raise CannotConnect(f"{type(error).__name__}: {error}") from error
        self._send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        self._send_numbered("start", self._start_message())

    def send_audio(self, audio: bytes | None) -> None:
        """The next 20 ms of the person's sound; None is silence."""
        socket = self._socket
        if socket is None:
            return
        self._sequence += 1
        self._chunk += 1
        payload = _SILENT_PAYLOAD if audio is None else pybase64.b64encode(audio)
        timestamp = self._chunk * 20
        socket.send(WSMsgType.TEXT, _MEDIA % (self._sequence, self._chunk, timestamp, payload, self._sid))

    def send_digit(self, digit: str) -> None:
        """The person pressed a key."""
        self._send_numbered("dtmf", {"track": "inbound_track", "digit": digit})

    def return_mark(self, name: str) -> None:
        """All before the mark was played, or cleared."""
        self._send_numbered("mark", {"name": name})

    def stop(self) -> None:
        """The carrier ends the stream."""
        if self._socket is not None and not self.ended.done():
            self._send_numbered("stop", {"accountSid": self._start.account_sid, "callSid": self._start.call_sid})
            self._socket.send_close(WSCloseCode.OK)
            self._socket.disconnect()
            self._socket = None
        self._end(StreamEnd.STOPPED)

    def cut(self) -> None:
        """Lose the connection, as a broken network would."""
        if self._socket is not None:
            self._socket.disconnect(graceful=False)
            self._socket = None
        self._end(StreamEnd.LOST)

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self._socket = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Something came from the product."""
        kind = frame.msg_type
        if kind == WSMsgType.CLOSE:
            self._end(StreamEnd.CLOSED)
            self._socket = None
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif kind in (WSMsgType.TEXT, WSMsgType.CONTINUATION):
            if frame.fin and not self._parts:
                self._take(frame.get_payload_as_bytes())
                return
            self._parts += frame.get_payload_as_bytes()
            if frame.fin:
                whole, self._parts = bytes(self._parts), bytearray()
                self._take(whole)
        elif kind == WSMsgType.BINARY:
            self._side.bad_message("binary frame")

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is gone; without a close frame before it is lost."""
        self._socket = None
        self._end(StreamEnd.LOST)

    def _take(self, text: bytes) -> None:
        try:
            message = _decoder.decode(text)
        except msgspec.DecodeError as error:
            self._side.bad_message(str(error))
            return
        if message.stream_sid != self._start.stream_sid:
            self._side.bad_message("streamSid of another stream")
            return
        match message:
            case _Media():
                try:
                    audio = pybase64.b64decode(message.media.payload, validate=True)
                except ValueError:
                    self._side.bad_message("payload is no base64")
                    return
                self._side.audio_arrived(audio)
            case _Mark():
                self._side.mark_set(message.mark.name)
            case _Clear():
                self._side.clear_asked()

    def _end(self, how: StreamEnd) -> None:
        if not self.ended.done():
            self.ended.set_result(how)

    def _start_message(self) -> dict[str, object]:
        return {
            "accountSid": self._start.account_sid,
            "streamSid": self._start.stream_sid,
            "callSid": self._start.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": dict(self._start.parameters),
        }

    def _send_numbered(self, event: str, body: object) -> None:
        self._sequence += 1
        self._send(
            {
                "event": event,
                "sequenceNumber": str(self._sequence),
                event: body,
                "streamSid": self._start.stream_sid,
            }
        )

    def _send(self, message: dict[str, object]) -> None:
        if self._socket is not None:
            self._socket.send(WSMsgType.TEXT, msgspec.json.encode(message))
