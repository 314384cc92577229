"""The edge of every process: settings, logs, signals, ports, and errors as one clear line."""

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from typing import Any

import anyio
import uvicorn
import uvloop

from cli.lifeline import hold_on
from cli.logging import set_up_logging
from cli.progress import complain
from cli.settings import BadSettings, Settings

EXIT_BAD_INPUT = 2
THREAD_TURN_S = 0.0005
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Complaint(Exception):
    """Something a user can put right; the message is all that needs to be said."""


@contextlib.contextmanager
def complaints(*kinds: type[Exception]) -> Iterator[None]:
    """Turn settings that cannot be used, complaints and errors of ``kinds`` into lines and exit code 2."""
    caught: tuple[type[Exception], ...] = (BadSettings, Complaint, *kinds)
    try:
        yield
    except caught as error:
        for line in str(error).splitlines():
            complain(line)
        sys.exit(EXIT_BAD_INPUT)


def run_role(role: str, main: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    """Be one role until told to stop."""
    with complaints():
        hold_on()
        settings = Settings.read()
        set_up_logging(settings, role)
        uvloop.run(main(settings))


async def until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run ``work`` with an event that SIGINT, SIGTERM and SIGHUP set."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stopping.set)
    try:
        await work(stopping)
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


def prepare_interpreter() -> None:
    """Keep garbage collection and other threads from holding up live calls.

    What was loaded at the start is left out of collections: going through it stops live calls for 100 ms. Threads that
    want the interpreter (the database's, Temporal's) get it, and the event loop gets it back, within half a
    millisecond instead of Python's five. To be called in the event loop, before the first call.
    """
    sys.setswitchinterval(THREAD_TURN_S)
    anyio.get_cancelled_exc_class()  # loads its asyncio part, 100 ms, now and not at the first request
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def listen(host: str, port: int, variable: str) -> socket.socket:
    """A listening socket, so that a port in use is told in one line. Raises Complaint."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise Complaint(f"{variable}: cannot listen on {host} port {port}: {error.strerror}") from error
    return sock


async def serve(app: Any, sock: socket.socket, *, drain_s: float = 3.0) -> None:
    """Serve an ASGI app until a signal; requests under way get ``drain_s`` to end."""
    prepare_interpreter()
    await uvicorn.Server(_config(app, drain_s)).serve(sockets=[sock])


class SideServer(uvicorn.Server):
    """A server beside a process's real work, which alone hears signals."""

    def __init__(self, app: Any) -> None:
        super().__init__(_config(app, drain_s=1.0))

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals alone."""
        yield


def _config(app: Any, drain_s: float) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=max(1, round(drain_s)),
    )
