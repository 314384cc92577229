"""A supervisor's page at a live call: its socket, passed on to the call's gateway. See docs/takeover.md."""

import asyncio
import json
from typing import Any, Final

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from api.calls import CallId
from api.deps import ApiDeps
from api.temporal import CallNotRunning, TemporalUnavailable
from core.contracts.take_over import Desk

log = structlog.get_logger()

CONNECT_SECONDS: Final = 2.0
MOST_BYTES: Final = 4_096  # of a page's message
NO_CALL, NO_STREAM, GATEWAY_LOST, AWAY = 4404, 4409, 4410, 4503
TOO_BIG, NOT_UNDERSTOOD = 1009, 1003


class _Closed(Exception):
    """The page's socket is to be closed with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def router(deps: ApiDeps) -> APIRouter:
    """WebSocket /v1/calls/{call_id}/audio. Keys, sessions and origins are RequireKey's matter."""
    routes = APIRouter(prefix="/v1/calls")

    @routes.websocket("/{call_id}/audio")
    async def listen_in(page: WebSocket, call_id: CallId) -> None:
        await page.accept()  # first: a browser is told no more of a refused handshake than that it was
        with structlog.contextvars.bound_contextvars(call_id=call_id):
            try:
                await _Proxy(deps, page, call_id).run()
            except _Closed as closed:
                log.info("desk_closed", code=closed.code, reason=closed.reason)
                await page.close(closed.code, closed.reason)
            except WebSocketDisconnect:
                log.info("desk_left")

    return routes


class _Proxy:
    """One page and the gateway. Audio is passed on as it is; only a wish to take over is looked at."""

    def __init__(self, deps: ApiDeps, page: WebSocket, call_id: str) -> None:
        self._deps = deps
        self._page = page
        self._call_id = call_id

    async def run(self) -> None:
        """Until one side is gone. Raises _Closed and WebSocketDisconnect."""
        desk = await self._desk()
        if not desk.url:
            raise _Closed(
                NO_CALL if desk.refusal else NO_STREAM, desk.refusal or "the call has no media stream just now"
            )
        async with await self._gateway(desk.url) as gateway:
            from_page = asyncio.create_task(self._pass_in(gateway))
            from_gateway = asyncio.create_task(self._pass_out(gateway))
            try:
                done, _ = await asyncio.wait({from_page, from_gateway}, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in (from_page, from_gateway):
                    task.cancel()
                await asyncio.gather(from_page, from_gateway, return_exceptions=True)

    async def _gateway(self, url: str) -> ClientConnection:
        secret = self._deps.settings.internal_secret
        try:
            return await connect(
                url,
                additional_headers={"Authorization": f"Bearer {secret}"},
                open_timeout=CONNECT_SECONDS,
                close_timeout=CONNECT_SECONDS,
                compression=None,
                proxy=None,
            )
        except (OSError, TimeoutError, InvalidHandshake) as error:
            raise _Closed(NO_STREAM, "the gateway that holds the call cannot be reached") from error

    async def _pass_in(self, gateway: ClientConnection) -> None:
        while True:
            message = await self._page.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            body: bytes | str | None = message.get("bytes") or message.get("text")
            if not body:
                raise _Closed(NOT_UNDERSTOOD, "an empty message")
            if len(body) > MOST_BYTES:
                raise _Closed(TOO_BIG, "a message is too long")
            if isinstance(body, str) and (refusal := await self._refusal(body)):
                await self._page.send_json({"type": "refused", "reason": refusal})
                continue
            try:
                await gateway.send(body)
            except ConnectionClosed:
                return  # what reads from it says why

    async def _pass_out(self, gateway: ClientConnection) -> None:
        try:
            async for message in gateway:
                if isinstance(message, bytes):
                    await self._page.send_bytes(message)
                else:
                    await self._page.send_text(message)
        except ConnectionClosed as error:
            raise _Closed(GATEWAY_LOST, "the gateway that held the call is gone") from error
        raise _Closed(gateway.close_code or 1000, gateway.close_reason or "")

    async def _refusal(self, text: str) -> str:
        """Why this page may not do what it asks for; "": it may."""
        if not _wants_floor(text):
            return ""
        return (await self._desk()).refusal

    async def _desk(self) -> Desk:
        try:
            return await self._deps.temporal.desk(self._call_id)
        except CallNotRunning as error:
            raise _Closed(NO_CALL, "no such call is running") from error
        except TemporalUnavailable as error:
            raise _Closed(AWAY, "the call does not answer just now") from error


def _wants_floor(text: str) -> bool:
    try:
        message: Any = json.loads(text)
    except ValueError:
        raise _Closed(NOT_UNDERSTOOD, "this is no JSON") from None
    return isinstance(message, dict) and message.get("type") == "take_over"
