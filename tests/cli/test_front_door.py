"""The front door over real sockets, with real servers behind it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from cli.front_door import Backend, Backends, BadRequest, FrontDoor, read_head
from cli.process import SideServer

Start = Callable[[FastAPI], Awaitable[tuple[Backend, SideServer]]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts servers on free ports; all are stopped at the end."""
    running: list[tuple[SideServer, asyncio.Task[None]]] = []

    async def begin(app: FastAPI) -> tuple[Backend, SideServer]:
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        server = SideServer(app)  # one that takes signals would leave its handler behind, and end every later feed
        running.append((server, asyncio.create_task(server.serve(sockets=[sock]))))
        return Backend(sock.getsockname()[1]), server

    yield begin
    for server, task in running:
        server.should_exit = True
        await task


@asynccontextmanager
async def open_door(backends: Backends) -> AsyncIterator[str]:
    door = FrontDoor(backends)
    port = await door.open("127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await door.close()


def api() -> FastAPI:
    app = FastAPI()

    @app.post("/echo")
    async def echo(request: Request) -> dict[str, object]:
        assert request.client is not None
        return {"size": len(await request.body()), "peer": request.client.port, "name": "api"}

    @app.get("/v1/calls")
    async def calls() -> dict[str, str]:
        return {"name": "api"}

    return app


def gateway(name: str) -> FastAPI:
    app = FastAPI()

    @app.websocket("/twilio/media")
    async def media(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(name)
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await socket.send_text(await socket.receive_text())

    return app


def media(at: str) -> AbstractAsyncContextManager[ClientConnection]:
    return connect(f"ws://{at}/twilio/media", proxy=None, max_size=None)


async def test_requests_of_one_kept_connection_all_reach_the_api(start: Start) -> None:
    backend, _ = await start(api())
    async with open_door(Backends(api=[backend])) as at, httpx.AsyncClient(trust_env=False) as http:
        answers = [(await http.post(f"http://{at}/echo", content=b"x" * size)).json() for size in (0, 5, 300_000)]
    assert [answer["size"] for answer in answers] == [0, 5, 300_000]
    assert len({answer["peer"] for answer in answers}) == 1


async def test_a_body_of_unknown_length_is_passed_on(start: Start) -> None:
    backend, _ = await start(api())

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"12345"

    async with open_door(Backends(api=[backend])) as at, httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"http://{at}/echo", content=pieces())
    assert answer.json()["size"] == 15


async def test_media_streams_take_turns_between_gateways(start: Start) -> None:
    one, _ = await start(gateway("one"))
    two, _ = await start(gateway("two"))
    greetings = []
    async with open_door(Backends(gateways=[one, two])) as at:
        for _ in range(4):
            async with media(at) as stream:
                greetings.append(await stream.recv())
    assert sorted(greetings[:2]) == ["one", "two"]
    assert greetings[2:] == greetings[:2]


async def test_a_large_message_comes_back_whole_through_the_splice(start: Start) -> None:
    backend, _ = await start(gateway("one"))
    message = "z" * 3_000_000
    async with open_door(Backends(gateways=[backend])) as at, media(at) as stream:
        await stream.recv()
        await stream.send(message)
        assert await stream.recv() == message


async def test_a_gateway_that_is_dead_or_not_ready_is_passed_over(start: Start) -> None:
    alive, _ = await start(gateway("alive"))
    draining, _ = await start(gateway("draining"))
    gateways = [Backend(free_port()), Backend(draining.port, ready=lambda: False), alive]
    async with open_door(Backends(gateways=gateways)) as at:
        for _ in range(3):
            async with media(at) as stream:
                assert await stream.recv() == "alive"


async def test_with_nobody_behind_it_the_door_says_503() -> None:
    async with open_door(Backends(api=[Backend(free_port())])) as at:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"http://{at}/v1/calls")
        with pytest.raises(InvalidStatus) as caught:
            async with media(at):
                pass
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["detail"] == "no API is up just now"
    assert caught.value.response.status_code == 503


async def test_a_stream_ends_when_its_gateway_dies(start: Start) -> None:
    backend, server = await start(gateway("one"))
    async with open_door(Backends(gateways=[backend])) as at, media(at) as stream:
        await stream.recv()
        server.should_exit = server.force_exit = True
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(10):
                await stream.recv()


async def test_a_connection_kept_from_a_webhook_may_become_a_media_stream(start: Start) -> None:
    behind_api, _ = await start(api())
    behind_media, _ = await start(gateway("one"))
    async with open_door(Backends(api=[behind_api], gateways=[behind_media])) as at:
        host, port = at.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /v1/calls HTTP/1.1\r\nHost: x\r\n\r\n")
        first = await reader.readuntil(b'{"name":"api"}')
        writer.write(
            b"GET /twilio/media HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        second = await reader.readuntil(b"one")
        writer.close()
    assert first.startswith(b"HTTP/1.1 200")
    assert second.startswith(b"HTTP/1.1 101")


async def test_what_is_no_http_is_refused_at_once() -> None:
    async with open_door(Backends()) as at:
        host, port = at.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"hello\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400")
        writer.close()


@pytest.mark.parametrize(
    "head",
    [b"", b"GET /", b"GET / SPDY/1", b"GET / HTTP/1.1\r\nContent-Length: -1", b"GET / HTTP/1.1\r\nContent-Length: 1x"],
)
def test_a_head_that_is_none_is_refused(head: bytes) -> None:
    with pytest.raises(BadRequest):
        read_head(head)


def test_only_what_asks_for_the_media_path_is_for_a_gateway() -> None:
    upgrade = b"\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket"
    assert read_head(b"GET /twilio/media HTTP/1.1" + upgrade).media
    assert read_head(b"GET /twilio/media HTTP/1.1").media
    assert not read_head(b"POST /twilio/voice HTTP/1.1").media
    assert not read_head(b"GET /other HTTP/1.1" + upgrade).media


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
