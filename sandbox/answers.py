"""Ways of answering badly that all emulated vendors share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.state import Fault


class Dropped(Exception):
    """The vendor hangs up in the middle of its answer."""


class PiecewiseResponse(Response):
    """An answer that is sent as it is made, and whose making may raise ``Dropped``: the connection is then cut."""

    def __init__(self, pieces: AsyncIterator[bytes], media_type: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(media_type=media_type, headers=headers)
        del self.headers["content-length"]
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, until the client has gone."""
        sending = asyncio.create_task(self._send_all(send))
        gone = asyncio.create_task(_until_disconnected(receive))
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            gone.cancel()
            sending.cancel()

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async for piece in self._pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except Dropped:
            return  # an answer without its end: the server closes the connection
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def nothing() -> AsyncIterator[bytes]:
    """Pieces of an answer that is cut before its first."""
    raise Dropped
    yield b""


def retry_after(fault: Fault) -> dict[str, str]:
    """The header with which a vendor asks to be left alone for a while, where the fault says so."""
    return {} if fault.retry_after is None else {"retry-after": f"{fault.retry_after:g}"}


async def close(websocket: WebSocket, code: int, reason: str = "") -> None:
    """Close a socket, if the client or a fault has not done so already."""
    with suppress(WebSocketDisconnect, RuntimeError):
        await websocket.close(code, reason)


async def until_gone(connection: Request | WebSocket) -> None:
    """Say nothing until the client gives up."""
    await _until_disconnected(connection.receive)


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass
