"""One address for everything: a TCP front that sends each connection to the part it is for.

It reads request heads only: what is for /twilio/media goes to a gateway, the next one each time, all else to the
API. Bytes are then passed on as they are. A kept connection is looked at again at each request, because a tunnel may
use one for a webhook first and for a media stream later.
"""

import asyncio
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import structlog

MEDIA_PATH = "/twilio/media"
MAX_HEAD = 64 * 1024
CONNECT_DEADLINE_S = 2.0
_END_OF_HEAD = b"\r\n\r\n"

log = structlog.get_logger()


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Backend:
    """A server behind the door. ``ready``: whether it takes new connections."""

    port: int
    host: str = "127.0.0.1"
    ready: Callable[[], bool] = _always


@dataclass
class Backends:
    """Who is behind the door; may change while it is open."""

    api: Sequence[Backend] = ()
    gateways: Sequence[Backend] = ()
    _turn: "itertools.count[int]" = field(default_factory=itertools.count, repr=False)

    def for_request(self, *, media: bool) -> list[Backend]:
        """Those that may take it, in the order to try them: gateways take turns."""
        if not media:
            return list(self.api)
        able = [gateway for gateway in self.gateways if gateway.ready()]
        first = next(self._turn) % len(able) if able else 0
        return able[first:] + able[:first]


@dataclass(frozen=True, slots=True)
class RequestHead:
    """What the door must know of a request. ``body`` None: its end cannot be told from the head."""

    media: bool
    body: int | None


class BadRequest(Exception):
    """The bytes are no HTTP request."""


def read_head(head: bytes) -> RequestHead:
    """Read a request's head, without the empty line. Raises BadRequest."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest
    headers = {
        name.strip().lower(): value.strip().lower() for name, _, value in (line.partition(":") for line in lines)
    }
    upgrade = "upgrade" in headers and "upgrade" in headers.get("connection", "")
    path = words[1].partition("?")[0]
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise BadRequest
    known = not upgrade and "transfer-encoding" not in headers
    return RequestHead(path.rstrip("/") == MEDIA_PATH, int(length) if known else None)


class _Side(asyncio.Protocol):
    """One end of a connection; slows its peer down when it cannot write fast enough."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.peer: _Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by name

    def pause_writing(self) -> None:
        if self.peer is not None:
            self.peer.read(False)

    def resume_writing(self) -> None:
        if self.peer is not None:
            self.peer.read(True)

    def read(self, more: bool) -> None:
        if self.transport is not None and not self.transport.is_closing():
            (self.transport.resume_reading if more else self.transport.pause_reading)()

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


class _ToBackend(_Side):
    def __init__(self, caller: "_FromCaller", media: bool) -> None:
        super().__init__()
        self.peer = caller
        self.media = media

    def data_received(self, data: bytes) -> None:
        if self.peer is not None:
            self.peer.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        if self.peer is not None and self.peer.peer is self:
            self.peer.close()

    def let_go(self) -> None:
        """Close without closing the caller's end."""
        self.peer = None
        self.close()


class _FromCaller(_Side):
    """Cuts what the caller sends at request heads until the rest is not ours to read."""

    def __init__(self, backends: Backends, open_ones: set["_FromCaller"]) -> None:
        super().__init__()
        self._backends = backends
        self._open_ones = open_ones
        self._waiting = bytearray()
        self._body_left = 0
        self._through = False
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._open_ones.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._open_ones.discard(self)
        if self._connecting is not None:
            self._connecting.cancel()
        if isinstance(self.peer, _ToBackend):
            self.peer.let_go()

    def data_received(self, data: bytes) -> None:
        if self._through and self.peer is not None:
            self.peer.write(data)
            return
        self._waiting += data
        self._advance()

    def _advance(self) -> None:
        while self._waiting and self._connecting is None:
            if self._through:
                self._pass(len(self._waiting))
            elif self._body_left:
                self._body_left -= self._pass(min(self._body_left, len(self._waiting)))
            elif not self._begin_request():
                return

    def _pass(self, size: int) -> int:
        if self.peer is not None:
            self.peer.write(bytes(self._waiting[:size]))
        del self._waiting[:size]
        return size

    def _begin_request(self) -> bool:
        end = self._waiting.find(_END_OF_HEAD)
        if end < 0 or end > MAX_HEAD:
            if len(self._waiting) > MAX_HEAD:
                self._refuse(431, "Request Header Fields Too Large", "the request's head is too long")
            return False
        try:
            head = read_head(bytes(self._waiting[:end]))
        except BadRequest:
            self._refuse(400, "Bad Request", "this is no HTTP request")
            return False
        self._through = head.body is None
        self._body_left = end + len(_END_OF_HEAD) + (head.body or 0)
        if not isinstance(self.peer, _ToBackend) or self.peer.media != head.media:
            if isinstance(self.peer, _ToBackend):
                self.peer.let_go()
                self.peer = None
            self._connecting = asyncio.get_running_loop().create_task(self._connect(head.media))
            self.read(False)
        return True

    async def _connect(self, media: bool) -> None:
        for backend in self._backends.for_request(media=media):
            try:
                async with asyncio.timeout(CONNECT_DEADLINE_S):
                    _, peer = await asyncio.get_running_loop().create_connection(
                        lambda: _ToBackend(self, media), backend.host, backend.port
                    )
            except (OSError, TimeoutError):
                log.warning("backend_unreachable", port=backend.port, media=media)
                continue
            self.peer = peer
            break
        self._connecting = None
        if self.peer is None:
            part = "gateway" if media else "API"
            self._refuse(503, "Service Unavailable", f"no {part} is up just now")
        else:
            self.read(True)
            self._advance()

    def _refuse(self, status: int, title: str, detail: str) -> None:
        body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail}).encode()
        self._waiting.clear()
        self.write(
            f"HTTP/1.1 {status} {title}\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            + body
        )
        self.close()


class FrontDoor:
    """The listening end."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._server: asyncio.Server | None = None
        self._open_ones: set[_FromCaller] = set()

    async def open(self, host: str, port: int) -> int:
        """Listen; returns the port, which is a free one for ``port`` 0. Raises OSError if it is taken."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _FromCaller(self._backends, self._open_ones), host, port, backlog=1024
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Take no new connection and drop those that are open."""
        if self._server is not None:
            self._server.close()
        for caller in list(self._open_ones):
            caller.close()
