"""A sandbox (or any other application) on a real socket, in the test's own loop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from sandbox.app import create_server


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[str]:
    """Serve ``app`` on a free port; yields its origin, ``http://127.0.0.1:<port>``.

    Starts and stops the server by its parts: its ``serve`` would take over the test process's signals.
    """
    server = create_server(app)
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        await server.shutdown()
