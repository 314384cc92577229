"""The WebSocket under vendors' streams, over picows: sending waits for nothing and costs a tenth of other libraries'.

It is also the ``transport_factory`` of Deepgram's SDK, whose own is the websockets library's legacy client: a lock, a
task switch and a dozen calls for each 20 ms of each call, two fifths of a gateway's CPU.

Source: deepgram-sdk, deepgram.transport_interface.AsyncTransport.
"""

import asyncio
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

PING_AFTER = 20.0  # seconds without a message
PONG_DEADLINE = 20.0
CLOSE_DEADLINE = 1.0
MAX_MESSAGE_BYTES = 1024 * 1024


class SocketLost(ConnectionError):
    """The connection is gone, or was never there."""


class VendorSocket(WSListener):
    """One WebSocket, unconnected at first. ``pings``: a peer that is silent for long is asked whether it is there."""

    def __init__(self, url: str, headers: dict[str, str], *, pings: bool = True) -> None:
        self._url = url
        self._headers = headers
        self._pings = pings
        self._transport: WSTransport | None = None
        self._messages: asyncio.Queue[str | None] = asyncio.Queue()
        self._parts = b""
        self._closing = False
        self.close_code: int | None = None

    async def connect(self) -> None:
        """Do the handshake. Raises OSError, or picows' WSError: WSInvalidStatusError for a refusal."""
        await ws_connect(
            lambda: self,
            self._url,
            extra_headers=self._headers,
            websocket_handshake_timeout=None,  # whoever opens has a deadline
            max_frame_size=MAX_MESSAGE_BYTES,
            max_redirects=0,
            proxy=_proxy_to(self._url),
            enable_auto_ping=self._pings,
            auto_ping_idle_timeout=PING_AFTER,
            auto_ping_reply_timeout=PONG_DEADLINE,
        )

    def send_audio(self, audio: bytes) -> None:
        """Send a binary message now; what the socket does not take at once is buffered. Raises SocketLost."""
        self._send(WSMsgType.BINARY, audio)

    def send_text(self, text: bytes) -> None:
        """The same with a text message, as UTF-8."""
        self._send(WSMsgType.TEXT, text)

    def _send(self, kind: WSMsgType, message: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_disconnected:
            raise SocketLost
        transport.send(kind, message)

    # What Deepgram's SDK calls

    async def send(self, data: str | bytes) -> None:
        """Send a message. Raises SocketLost."""
        if isinstance(data, bytes):
            self.send_audio(data)
        else:
            self.send_text(data.encode())

    async def recv(self) -> str:
        """The next message. Raises SocketLost."""
        message = await self._messages.get()
        if message is None:
            self._messages.put_nowait(None)
            raise SocketLost(f"closed with {self.close_code or 'no code'}")
        return message

    async def __aiter__(self) -> AsyncIterator[str]:
        """Messages until the connection is closed. Raises SocketLost if that was no normal end."""
        while (message := await self._messages.get()) is not None:
            yield message
        self._messages.put_nowait(None)
        if not self._closing and self.close_code != WSCloseCode.OK.value:
            raise SocketLost(f"closed with {self.close_code or 'no code'}")

    async def close(self) -> None:
        """End the connection; a peer that does not answer is left after a second."""
        self._closing = True
        transport = self._transport
        if transport is None or transport.is_disconnected:
            return
        transport.send_close(WSCloseCode.OK)
        try:
            async with asyncio.timeout(CLOSE_DEADLINE):
                await transport.wait_disconnected()
        except TimeoutError:
            transport.disconnect(graceful=False)

    # What picows calls

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame has come."""
        if frame.msg_type is WSMsgType.CLOSE:
            self.close_code = frame.get_close_code().value
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            payload = self._parts + frame.get_payload_as_bytes()
            self._parts = b"" if frame.fin else payload
            if frame.fin:
                self._messages.put_nowait(payload.decode(errors="replace"))  # vendors answer in text only

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is gone."""
        self._messages.put_nowait(None)


def _proxy_to(url: str) -> str | None:
    """The proxy that the environment names for this address."""
    address = urlsplit(url)
    if not address.hostname or proxy_bypass(address.hostname):
        return None
    return getproxies().get("https" if address.scheme == "wss" else "http")


_made: ContextVar[VendorSocket] = ContextVar("vendor_socket")


def make_socket(url: str, headers: dict[str, Any]) -> VendorSocket:
    """The SDK's transport_factory: one a process, and always this one."""
    socket = VendorSocket(url, {name: str(value) for name, value in headers.items()})
    _made.set(socket)
    return socket


def made_socket() -> VendorSocket:
    """The socket that the SDK has just had made in this task."""
    return _made.get()
