"""A supervisor's socket: who may open it, how the gateway is found, and what becomes of it when either side goes."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api.auth import SESSION_COOKIE, make_session_cookie
from core.contracts.take_over import Desk
from tests.api.recording_call import AT_DESK
from tests.api.world import API_KEY, INTERNAL_SECRET, ApiWorld, listening_socket

BEARER = {"Authorization": f"Bearer {API_KEY}"}
TAKE = {"type": "take_over", "page": "page-of-grace", "by": "Grace"}


@dataclass
class Gateway:
    """A gateway that keeps what it is told, and says what a test wants."""

    secrets: list[str] = field(default_factory=list)
    heard: "asyncio.Queue[str | bytes]" = field(default_factory=asyncio.Queue)
    connections: "asyncio.Queue[ServerConnection]" = field(default_factory=asyncio.Queue)
    url: str = ""

    async def take(self, connection: ServerConnection) -> None:
        """One page."""
        assert connection.request is not None
        self.secrets.append(connection.request.headers["Authorization"])
        self.connections.put_nowait(connection)
        try:
            async for message in connection:
                self.heard.put_nowait(message)
        except ConnectionClosed:
            pass


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """One that is up."""
    gateway = Gateway()
    server: Server
    async with serve(gateway.take, "127.0.0.1", 0) as server:
        host, port = next(iter(server.sockets)).getsockname()[:2]
        gateway.url = f"ws://{host}:{port}/internal/calls/x/desk"
        yield gateway


async def call_at(world: ApiWorld, desk: Desk) -> str:
    """A running call that knows this desk."""
    call_id, _ = await world.incoming()
    await world.workflow(call_id).signal(AT_DESK, desk)
    return call_id


def address(world: ApiWorld, call_id: str) -> str:
    return world.origin.replace("http", "ws", 1) + f"/v1/calls/{call_id}/audio"


async def page_at(world: ApiWorld, call_id: str, headers: dict[str, str] = BEARER) -> ClientConnection:
    return await connect(address(world, call_id), additional_headers=headers, proxy=None)


async def close_of(page: ClientConnection) -> tuple[int | None, str | None]:
    async with asyncio.timeout(15):
        await page.wait_closed()
    return page.close_code, page.close_reason


async def told(page: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(15):
        message: dict[str, Any] = json.loads(await page.recv())
    return message


async def test_page_and_gateway_hear_each_other(world: ApiWorld, gateway: Gateway) -> None:
    page = await page_at(world, await call_at(world, Desk(gateway.url)))
    connection = await gateway.connections.get()
    assert gateway.secrets == [f"Bearer {INTERNAL_SECRET}"]
    await connection.send(b"\x00abc")
    assert await page.recv() == b"\x00abc"
    await connection.send('{"type":"clear"}')
    assert await told(page) == {"type": "clear"}
    await page.send(json.dumps(TAKE))
    await page.send(b"\x7f" * 160)
    assert json.loads(await gateway.heard.get()) == TAKE
    assert await gateway.heard.get() == b"\x7f" * 160
    await page.close()
    async with asyncio.timeout(15):
        await connection.wait_closed()


async def test_call_that_may_not_be_taken_over_says_why_and_is_heard_on(world: ApiWorld, gateway: Gateway) -> None:
    call_id = await call_at(world, Desk(gateway.url, "the call has ended or is ending"))
    page = await page_at(world, call_id)
    connection = await gateway.connections.get()
    await page.send(json.dumps(TAKE))
    assert await told(page) == {"type": "refused", "reason": "the call has ended or is ending"}
    await connection.send(b"\x00abc")
    assert await page.recv() == b"\x00abc"
    assert gateway.heard.empty()
    await page.close()


@pytest.mark.parametrize(
    ("origin", "lets_in"), [("own", True), ("https://evil.example", False), (None, False)], ids=str
)
async def test_session_opens_it_from_our_own_pages_only(
    world: ApiWorld, gateway: Gateway, origin: str | None, lets_in: bool
) -> None:
    call_id = await call_at(world, Desk(gateway.url))
    session = make_session_cookie(world.deps.settings, time.time())
    headers = {"Cookie": f"{SESSION_COOKIE}={session}"}
    if origin is not None:
        headers["Origin"] = world.origin if origin == "own" else origin
    if lets_in:
        page = await page_at(world, call_id, headers)
        await gateway.connections.get()
        await page.close()
        return
    with pytest.raises(InvalidStatus):
        await page_at(world, call_id, headers)
    assert gateway.secrets == []


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}], ids=["none", "wrong"])
async def test_nobody_listens_without_the_key(world: ApiWorld, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await page_at(world, "CA1", headers)
    assert refused.value.response.status_code == 403


async def test_page_is_told_why_there_is_nothing_to_hear(world: ApiWorld) -> None:
    with listening_socket() as sock:
        nowhere = f"ws://127.0.0.1:{sock.getsockname()[1]}/desk"
    assert await close_of(await page_at(world, "CAnone")) == (4404, "no such call is running")
    silent = await call_at(world, Desk())
    assert await close_of(await page_at(world, silent)) == (4409, "the call has no media stream just now")
    gone = await call_at(world, Desk("", "the call is being connected to somebody already"))
    assert (await close_of(await page_at(world, gone)))[0] == 4404
    unreachable = await call_at(world, Desk(nowhere))
    assert (await close_of(await page_at(world, unreachable)))[0] == 4409


async def test_call_that_does_not_answer_is_to_be_tried_again(world_without_temporal: ApiWorld) -> None:
    assert (await close_of(await page_at(world_without_temporal, "CA1")))[0] == 4503


async def test_end_of_the_gateways_stream_and_its_loss_are_told_apart(world: ApiWorld, gateway: Gateway) -> None:
    call_id = await call_at(world, Desk(gateway.url))
    page = await page_at(world, call_id)
    await (await gateway.connections.get()).close(1000, "the call has left this gateway")
    assert await close_of(page) == (1000, "the call has left this gateway")
    page = await page_at(world, call_id)
    (await gateway.connections.get()).transport.abort()
    assert (await close_of(page))[0] == 4410


@pytest.mark.parametrize(
    ("message", "code"), [("{", 1003), ("", 1003), (b"\x00" * 5_000, 1009)], ids=["bad", "empty", "long"]
)
async def test_page_that_sends_nonsense_is_closed(
    world: ApiWorld, gateway: Gateway, message: str | bytes, code: int
) -> None:
    page = await page_at(world, await call_at(world, Desk(gateway.url)))
    await gateway.connections.get()
    await page.send(message)
    assert (await close_of(page))[0] == code
