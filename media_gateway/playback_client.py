"""The worker's end of the playback socket: one kept socket to each gateway, shared by all replies."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import count

import httpx
import structlog
from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from core.contracts.call import GatewayAddress, Heard, ReplyKey, ReplyTimings
from core.playback import Kept
from core.ports.errors import PlaybackLost
from core.ports.speech import SpokenWord
from core.turns import Listen
from media_gateway.gateway_watch import GatewayWatch
from media_gateway.playback_protocol import (
    MAX_MESSAGE_BYTES,
    Audio,
    BadPlaybackMessage,
    Began,
    BreakOff,
    Closed,
    Finish,
    FromGateway,
    FromWorker,
    HeardOf,
    HeardSoFar,
    HoldingLines,
    Open,
    Opened,
    decode_from_gateway,
    encode,
)

log = structlog.get_logger()

CONNECT_DEADLINE = 2.0  # seconds
ANSWER_DEADLINE = 2.0
AUDIO_DEADLINE = 5.0
HEARD_DEADLINE = 4.0  # beyond the reply's own length
BYTES_PER_S = 8_000
PING_AFTER = 3.0  # without a message
PONG_DEADLINE = 3.0
MOST_WAITING_BYTES = 4 * 1024 * 1024  # a gateway that takes no more of this is as good as gone


class SocketReply:
    """A reply on its way; core.ports.playback.ReplyPlayback."""

    def __init__(self, number: int, socket: "GatewaySocket") -> None:
        self._number = number
        self._socket = socket
        self._kept = Kept()
        self._answered = asyncio.Event()
        self._ended = asyncio.Event()  # closed, or the gateway is gone
        self._closed = False
        self._whole = False
        self._hears = False  # HeardOf is to come
        self._heard: Heard | None = None
        self._told = asyncio.Event()  # HeardOf has come, or never will
        self._heard_so_far = ""
        self._pushed = 0  # bytes

    async def kept(self) -> Kept:
        """What the gateway has of earlier attempts; nothing if it wants no reply at all. Raises PlaybackLost."""
        try:
            async with asyncio.timeout(ANSWER_DEADLINE):
                await self._answered.wait()
        except TimeoutError as error:
            raise PlaybackLost("the gateway does not answer") from error
        self._socket.check()
        return self._kept

    def began(self, timings: ReplyTimings) -> None:
        """Tell the worker's stamps up to the first audio."""
        self._send(Began(self._number, timings))

    def push(self, sentence: int, audio: bytes, words: Sequence[SpokenWord], *, last: bool, text: str = "") -> None:
        """Hand over audio. Raises PlaybackLost."""
        self._pushed += len(audio)
        spoken = tuple((word.text, word.start_ms, word.end_ms) for word in words)
        self._send(Audio(self._number, sentence, audio, spoken, last, text))

    def finish(self, *, hear: bool) -> None:
        """The reply is whole. Raises PlaybackLost."""
        self._whole, self._hears = True, hear
        self._send(Finish(self._number, hear))

    async def heard(self) -> Heard | None:
        """What the caller heard, once it is known; None if the gateway does not say in time or is gone."""
        try:
            async with asyncio.timeout(self._pushed / BYTES_PER_S + HEARD_DEADLINE):
                await self._told.wait()
        except TimeoutError:
            return None
        return self._heard

    @property
    def heard_so_far(self) -> str:
        """What the caller has heard of it by the gateway's last word."""
        return self._heard_so_far

    @property
    def closed(self) -> bool:
        """Whether the gateway wants no more."""
        return self._closed

    async def wait_closed(self) -> None:
        """Return once the gateway wants no more. Raises PlaybackLost."""
        await self._ended.wait()
        if not self._closed:
            self._socket.check()

    def leave(self) -> None:
        """Break the reply off unless it is whole; nobody waits for what is heard of it any more."""
        wanted = not self._whole or (self._hears and not self._told.is_set())
        if wanted and not (self._closed or self._socket.lost):
            self._socket.send(BreakOff(self._number))

    def hear(self, message: FromGateway) -> None:
        """The gateway's word on this reply."""
        match message:
            case Opened():
                self._kept = Kept(message.kept, message.rest)
            case HeardSoFar():
                self._heard_so_far = message.heard
            case HeardOf():
                self._heard = message.heard
                self._told.set()
            case Closed():
                self._closed = True
                self._ended.set()
                self._told.set()
        self._answered.set()

    def lose(self) -> None:
        """The socket is gone; whoever waits shall find out."""
        self._answered.set()
        self._ended.set()
        self._told.set()

    def _send(self, message: FromWorker) -> None:
        if not self._closed:
            self._socket.check()
            self._socket.send(message)


class GatewaySocket(WSListener):
    """One open socket to a gateway, with its replies. Messages are read in the socket's own callback."""

    def __init__(self, gone: Callable[[bool], None]) -> None:
        """``gone`` is told once when the gateway is, and whether it had said goodbye."""
        self._transport: WSTransport
        self._replies: dict[int, SocketReply] = {}
        self._numbers = count(1)
        self._gone = gone
        self._goodbye = False
        self.lost = False

    def check(self) -> None:
        """Raises PlaybackLost if the gateway is gone."""
        if self.lost:
            raise PlaybackLost("the gateway, or the way to it, is gone")

    def open(self, call_id: str, key: ReplyKey, listen: Listen, hold: str) -> tuple[int, SocketReply]:
        """Begin a reply."""
        number = next(self._numbers)
        reply = self._replies[number] = SocketReply(number, self)
        self.send(Open(number, call_id, key, listen, hold, follow=True))
        return number, reply

    def forget(self, number: int) -> None:
        """The reply is over for the worker."""
        self._replies.pop(number, None)

    def send(self, message: FromWorker) -> None:
        """Send a message now. Raises PlaybackLost if the gateway has taken nothing for too long."""
        self._transport.send(WSMsgType.BINARY, encode(message))
        if self._transport.underlying_transport.get_write_buffer_size() > MOST_WAITING_BYTES:
            self._give_up("it takes nothing any more")
            self.check()

    async def close(self) -> None:
        """Release the socket."""
        if not self.lost:
            self._goodbye = True
            self._transport.send_close(WSCloseCode.OK)
            self._transport.disconnect()
            await self._transport.wait_disconnected()

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The gateway has let us in."""
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """The gateway's word on a reply."""
        if frame.msg_type is WSMsgType.CLOSE:
            self._goodbye = True
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif frame.msg_type is WSMsgType.BINARY:
            try:
                message = decode_from_gateway(frame.get_payload_as_bytes())
            except BadPlaybackMessage as error:
                self._give_up(str(error))
                return
            if (reply := self._replies.get(message.reply)) is not None:
                reply.hear(message)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is gone."""
        self._lose()

    def _give_up(self, reason: str) -> None:
        log.warning("gateway_lost", reason=reason)
        self._lose()
        self._transport.disconnect(graceful=False)

    def _lose(self) -> None:
        if self.lost:
            return
        self.lost = True
        self._gone(self._goodbye)
        for reply in self._replies.values():
            reply.lose()


class PlaybackClient:
    """core.ports.playback.PlaybackLine over WebSockets. One for a worker process; close it at the end."""

    def __init__(self, internal_secret: str) -> None:
        self._headers = {"Authorization": f"Bearer {internal_secret}"}
        self._sockets: dict[str, GatewaySocket] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._http = httpx.AsyncClient(headers=self._headers, timeout=AUDIO_DEADLINE, trust_env=False)
        self.watch = GatewayWatch(self._http)

    @asynccontextmanager
    async def open(
        self, call_id: str, gateway: GatewayAddress, key: ReplyKey, listen: Listen, hold: str = ""
    ) -> AsyncIterator[SocketReply]:
        """A reply at the gateway that holds the call. Raises PlaybackLost."""
        self.watch.note(call_id, gateway)
        socket = await self._socket(gateway.playback_url)
        number, reply = socket.open(call_id, key, listen, hold)
        try:
            yield reply
        finally:
            reply.leave()
            socket.forget(number)

    async def keep_holding_lines(
        self, call_id: str, gateway: GatewayAddress, lines: Sequence[tuple[str, bytes]], language: str = ""
    ) -> None:
        """Give the gateway the call's holding lines. Raises PlaybackLost."""
        socket = await self._socket(gateway.playback_url)
        socket.send(HoldingLines(call_id, gateway.attachment, tuple(lines), language))

    async def fetch_digits(self, digits_url: str, name: str) -> str | None:
        """Sensitive digits that the caller has keyed in; None if the gateway has none. Raises PlaybackLost."""
        try:
            response = await self._http.get(f"{digits_url}/{name}")
            if response.status_code == httpx.codes.NOT_FOUND:
                return None
            response.raise_for_status()
        except httpx.HTTPError as error:
            raise PlaybackLost("the digits cannot be had") from error
        return response.text

    async def fetch_turn_audio(self, audio_url: str, turn: int) -> bytes:
        """A turn's kept mu-law audio. Raises PlaybackLost."""
        try:
            response = await self._http.get(f"{audio_url}/{turn}/audio")
            response.raise_for_status()
        except httpx.HTTPError as error:
            raise PlaybackLost("the turn's audio cannot be had") from error
        return response.content

    async def close(self) -> None:
        """Release all sockets."""
        await self.watch.close()
        for socket in list(self._sockets.values()):
            await socket.close()
        await self._http.aclose()

    async def _socket(self, url: str) -> GatewaySocket:
        """The kept socket, or a new one where there is none or it was lost."""
        async with self._opening.setdefault(url, asyncio.Lock()):
            kept = self._sockets.get(url)
            if kept is not None and not kept.lost:
                return kept
            self._sockets[url] = fresh = await self._connect(url)
            return fresh

    def _gone(self, url: str, goodbye: bool) -> None:
        if goodbye:
            self.watch.left(url)
        else:
            self.watch.broken(url, lambda: self._socket(url))

    async def _connect(self, url: str) -> GatewaySocket:
        socket = GatewaySocket(partial(self._gone, url))
        try:
            async with asyncio.timeout(CONNECT_DEADLINE):
                await ws_connect(
                    lambda: socket,
                    url,
                    extra_headers=self._headers,
                    max_frame_size=MAX_MESSAGE_BYTES,
                    enable_auto_ping=True,
                    auto_ping_idle_timeout=PING_AFTER,
                    auto_ping_reply_timeout=PONG_DEADLINE,
                )
        except (OSError, TimeoutError, WSError) as error:
            raise PlaybackLost(f"no way to the gateway: {type(error).__name__}") from error
        return socket
