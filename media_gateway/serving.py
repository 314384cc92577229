"""Runs a gateway: both servers in one loop, and an end that leaves live calls their time."""

import asyncio
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager

import structlog
import uvicorn
from fastapi import FastAPI

from media_gateway.app import Gateway
from media_gateway.deps import GatewayDeps

log = structlog.get_logger()

MAX_MESSAGE_BYTES = 1024 * 1024
PING_CARRIERS_EVERY = 20.0  # seconds
PING_WORKERS_EVERY = 2.0  # a worker that hangs is found out by its pings
PONG_DEADLINE = 5.0
CLOSE_DEADLINE = 5  # seconds for sockets to close once the gateway has given up waiting


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError, for one when the port is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


async def serve(
    deps: GatewayDeps, media: socket.socket, internal: socket.socket, *, stop: asyncio.Event | None = None
) -> None:
    """Serve carriers on ``media`` and workers on ``internal`` until told to stop, by SIGTERM, SIGINT or ``stop``.

    Then no stream is let in any more; the live ones may go on for ``settings.drain`` seconds. A second signal cuts
    that short. What is still live is closed from our side, so that the carrier asks for the call's next TwiML.
    """
    gateway = Gateway(deps)
    stop = stop or asyncio.Event()
    hurry = asyncio.Event()
    servers = [
        _server(gateway.media_app, ping=PING_CARRIERS_EVERY),
        _server(gateway.internal_app, ping=PING_WORKERS_EVERY),
    ]
    with _signals(stop, hurry):
        running = [
            asyncio.create_task(server.serve(sockets=[listener]))
            for server, listener in zip(servers, (media, internal), strict=True)
        ]
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([stopping, *running], return_when=asyncio.FIRST_COMPLETED)
            await _drain(gateway, hurry)
        finally:
            stopping.cancel()
            for server in servers:
                server.should_exit = True
            await asyncio.gather(*running)


async def _drain(gateway: Gateway, hurry: asyncio.Event) -> None:
    gateway.streams.draining = True
    log.info("draining", seconds=gateway.deps.settings.drain)
    left = asyncio.create_task(gateway.streams.all_left())
    hurried = asyncio.create_task(hurry.wait())
    try:
        await asyncio.wait([left, hurried], timeout=gateway.deps.settings.drain, return_when=asyncio.FIRST_COMPLETED)
        if not left.done():
            log.warning("streams_cut_short")
            gateway.streams.close_all("the gateway stops")
            await asyncio.wait([left], timeout=CLOSE_DEADLINE)
    finally:
        left.cancel()
        hurried.cancel()


class _Server(uvicorn.Server):
    """A server that leaves signals to us: uvicorn would close live calls on SIGTERM."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _server(app: FastAPI, ping: float) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            ws_max_size=MAX_MESSAGE_BYTES,
            ws_ping_interval=ping,
            ws_ping_timeout=max(ping, PONG_DEADLINE),
            access_log=False,
            log_config=None,
            lifespan="off",
            timeout_graceful_shutdown=CLOSE_DEADLINE,
        )
    )


@contextmanager
def _signals(stop: asyncio.Event, hurry: asyncio.Event) -> Generator[None, None, None]:
    """The first signal asks to stop, the second to hurry."""
    loop = asyncio.get_running_loop()

    def told() -> None:
        (hurry if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
