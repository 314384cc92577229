"""Runs a gateway: both servers in one loop, and an end that leaves live calls their time."""

import asyncio
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager

import structlog
from picows import ws_create_server

from media_gateway import speech_detector
from media_gateway.carrier_socket import MAX_MESSAGE_BYTES
from media_gateway.deps import GatewayDeps, GatewaySettings
from media_gateway.internal_routes import internal_routes
from media_gateway.metrics import GatewayMetrics
from media_gateway.playback_protocol import MAX_MESSAGE_BYTES as MAX_PLAYBACK_BYTES
from media_gateway.stream import MediaEndpoint
from media_gateway.streams import Streams

log = structlog.get_logger()

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PING_CARRIERS_AFTER = 20.0  # seconds without a frame
PING_WORKERS_AFTER = 3.0  # without a message: a worker that hangs is found out
PONG_DEADLINE = 3.0
SPEECH_MODELS = 8  # loaded before the first call: for callers who speak over the assistant at the same moment
LOOK_FOR_REST = 0.1
CLOSE_DEADLINE = 5  # for sockets to close once the gateway has given up waiting


async def serve(
    deps: GatewayDeps, media: socket.socket, internal: socket.socket, *, stop: asyncio.Event | None = None
) -> None:
    """Serve carriers on ``media`` and workers on ``internal`` until told to stop, by a signal or ``stop``.

    Then no stream is let in any more; the live ones may go on for ``settings.drain`` seconds. After that each is closed
    from our side in its next quiet moment, so that the carrier asks for the call's next TwiML and another gateway goes
    on with it. A second signal cuts all that short.
    """
    speech_detector.make_ready(SPEECH_MODELS)
    stop = stop or asyncio.Event()
    hurry = asyncio.Event()
    streams = Streams(deps.settings.stream_secret, deps.settings.capacity, deps.settings.digits)
    endpoint = MediaEndpoint(deps, streams, GatewayMetrics())
    with _signals(stop, hurry):
        carriers = await ws_create_server(
            endpoint.route,
            sock=media,
            max_frame_size=MAX_MESSAGE_BYTES,
            enable_auto_ping=True,
            auto_ping_idle_timeout=PING_CARRIERS_AFTER,
            auto_ping_reply_timeout=PING_CARRIERS_AFTER,
        )
        workers = await ws_create_server(
            internal_routes(streams, deps.settings.internal_secret),
            sock=internal,
            max_frame_size=MAX_PLAYBACK_BYTES,
            enable_auto_ping=True,
            auto_ping_idle_timeout=PING_WORKERS_AFTER,
            auto_ping_reply_timeout=PONG_DEADLINE,
        )
        try:
            await stop.wait()
            await _drain(streams, deps.settings, hurry)
        finally:
            carriers.close()
            workers.close()
            for worker in list(streams.workers):
                worker.close()


async def _drain(streams: Streams, settings: GatewaySettings, hurry: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    streams.draining = True
    log.info("draining", seconds=settings.drain)
    left = asyncio.create_task(streams.all_left())
    hurried = asyncio.create_task(hurry.wait())
    try:
        await asyncio.wait([left, hurried], timeout=settings.drain, return_when=asyncio.FIRST_COMPLETED)
        quiet_until = loop.time() + settings.rest
        while not (left.done() or hurried.done()) and loop.time() < quiet_until:
            streams.hand_over_at_rest()
            await asyncio.wait([left, hurried], timeout=LOOK_FOR_REST, return_when=asyncio.FIRST_COMPLETED)
        if not left.done():
            log.warning("streams_cut_short")
            streams.hand_over_all()
            await asyncio.wait([left], timeout=CLOSE_DEADLINE)
    finally:
        left.cancel()
        hurried.cancel()


@contextmanager
def _signals(stop: asyncio.Event, hurry: asyncio.Event) -> Generator[None, None, None]:
    """The first signal asks to stop, the second to hurry."""
    loop = asyncio.get_running_loop()

    def told() -> None:
        (hurry if stop.is_set() else stop).set()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, told)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
