"""The carrier's media socket. Its messages are read in the socket's own callback: no task or queue in between."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from core.stream_token import BadToken
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

log = structlog.get_logger()

MAX_MESSAGE_BYTES = 1024 * 1024
BAD_MESSAGES_BORNE = 50  # of one live stream: a carrier's new event must not end calls, garbage without end must
CLOSE_DEADLINE = 5.0  # seconds for the other side to answer our close


class Ear(Protocol):
    """Who listens to a stream that has started."""

    def hear(self, audio: bytes) -> None:
        """The next frame of the caller's audio."""
        ...

    def mark_returned(self, name: str) -> None:
        """The carrier has played, or dropped, all before this mark."""
        ...

    def key_pressed(self, key: str) -> None:
        """The caller has pressed a key."""
        ...

    def ended(self, *, stopped: bool, reason: str) -> None:
        """The stream is over; told once."""
        ...


class Door(Protocol):
    """Where sockets come in."""

    def entered(self) -> None:
        """One has come in."""
        ...

    def start(self, socket: "CarrierSocket", start: Started) -> Ear:
        """Its stream begins. Raises BadToken."""
        ...

    def bad_message(self) -> None:
        """A live stream has sent what cannot be read."""
        ...

    def left(self) -> None:
        """It is closed, however far it came."""
        ...


class CarrierSocket(WSListener):
    """One media socket, from handshake to end; to the call it is its ``CarrierLine``."""

    def __init__(self, door: Door, start_deadline: float) -> None:
        self.frames = 0
        self._door = door
        self._start_deadline = start_deadline
        self._transport: WSTransport
        self._writer: StreamWriter
        self._ear: Ear | None = None
        self._closing = False
        self._timer: asyncio.TimerHandle | None = None
        self._parts = b""
        self._bad = 0

    # To the carrier

    def play(self, audio: bytes) -> None:
        """Queue audio at the carrier."""
        self._transport.send(WSMsgType.TEXT, self._writer.media(audio))

    def mark(self, name: str) -> None:
        """Set a mark after the audio sent so far."""
        self._transport.send(WSMsgType.TEXT, self._writer.mark(name))

    def clear(self) -> None:
        """Drop what was not played."""
        self._transport.send(WSMsgType.TEXT, self._writer.clear())

    def close(self, reason: str, code: WSCloseCode = WSCloseCode.OK) -> None:
        """End the stream from our side: the carrier then asks what comes next."""
        self._finish(code, reason, stopped=False)

    # From the carrier

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self._transport = transport
        self._door.entered()
        self._set_timer(self._start_deadline, lambda: self._refuse("no start in time"))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """The hot path: 50 of these a second in every call."""
        if frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif not self._closing and frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            payload = frame.get_payload_as_bytes()
            if not frame.fin or self._parts:
                payload = self._put_together(payload, whole=frame.fin)
            if frame.fin:
                self._take(payload)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is gone."""
        self._set_timer(0, None)
        received = transport.close_handshake.recv if transport.close_handshake is not None else None
        self._end(stopped=False, reason=f"socket closed with {received.code}" if received else "socket lost")
        self._door.left()

    def _put_together(self, payload: bytes, *, whole: bool) -> bytes:
        self._parts += payload
        if len(self._parts) > MAX_MESSAGE_BYTES:
            self.close("message too long", WSCloseCode.MESSAGE_TOO_BIG)
        payload = self._parts
        if whole:
            self._parts = b""
        return payload

    def _take(self, payload: bytes) -> None:
        try:
            message = decode(payload)
        except BadMessage as error:
            self._take_bad(str(error))
            return
        if type(message) is Media and self._ear is not None:
            self.frames += 1
            if message.media.track == "inbound":
                self._ear.hear(message.media.payload)
        else:
            self._take_rare(message)

    def _take_rare(self, message: Message) -> None:
        if self._ear is None:
            self._take_first(message)
            return
        match message:
            case MarkReturned():
                self._ear.mark_returned(message.mark.name)
            case Dtmf():
                self._ear.key_pressed(message.dtmf.digit)
            case Stopped():
                self._finish(WSCloseCode.OK, "", stopped=True)
            case _:
                self._refuse("out of order")

    def _take_first(self, message: Message) -> None:
        if isinstance(message, Started):
            self._set_timer(0, None)
            self._writer = StreamWriter(message.start.stream_sid)
            try:
                self._ear = self._door.start(self, message)
            except BadToken as error:
                self._refuse(str(error))
        elif not isinstance(message, Connected):
            self._refuse("out of order")

    def _take_bad(self, reason: str) -> None:
        self._bad += 1
        if self._ear is None:
            self._refuse(reason)
            return
        self._door.bad_message()
        if self._bad == 1:
            log.warning("bad_message", reason=reason)
        if self._bad > BAD_MESSAGES_BORNE:
            self._refuse("too many bad messages")

    def _refuse(self, reason: str) -> None:
        log.warning("stream_refused", reason=reason)
        self.close(reason, WSCloseCode.POLICY_VIOLATION)

    def _finish(self, code: WSCloseCode, reason: str, *, stopped: bool) -> None:
        if not self._closing:
            self._transport.send_close(code, reason)
            self._set_timer(CLOSE_DEADLINE, self._transport.disconnect)
            self._end(stopped=stopped, reason=reason)

    def _end(self, *, stopped: bool, reason: str) -> None:
        self._closing = True
        ear, self._ear = self._ear, None
        if ear is not None:
            ear.ended(stopped=stopped, reason=reason)

    def _set_timer(self, seconds: float, then: Callable[[], None] | None) -> None:
        """One deadline at a time; None for none."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, then) if then is not None else None
