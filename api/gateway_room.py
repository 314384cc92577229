"""Whether a gateway takes another call. New callers are refused before live calls lose quality."""

import asyncio
from typing import Final

import httpx
import structlog

LOOK_EVERY_S: Final = 1.0
ANSWER_S: Final = 1.0
PATIENCE_S: Final = 2.0  # it rings so much longer while no gateway has room: one may be restarting, a call may end

log = structlog.get_logger()


class GatewayRoom:
    """Asks where the carrier's media stream would go: a gateway answers, or, where none takes streams, the way to them.

    It asks by the clock and not for each caller: a load balancer that takes turns would send the answer to one gateway
    and the stream to the next one, always the same. What cannot be asked counts as room.
    """

    def __init__(self, media_url: str, patience_s: float = PATIENCE_S) -> None:
        self._url = f"{media_url.replace('ws', 'http', 1)}/twilio/media"
        self._patience_s = patience_s
        self._http = httpx.AsyncClient(timeout=ANSWER_S, trust_env=False)
        self._room = asyncio.Event()
        self._room.set()
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Ask once, and go on asking."""
        await self._look()
        self._watching = asyncio.create_task(self._watch())

    async def none_left(self) -> bool:
        """Whether no gateway takes another call, now and for a moment."""
        try:
            async with asyncio.timeout(self._patience_s):
                await self._room.wait()
        except TimeoutError:
            return True
        return False

    async def close(self) -> None:
        """Ask no more."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._http.aclose()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self._look()

    async def _look(self) -> None:
        try:
            full = (await self._http.get(self._url)).status_code == httpx.codes.SERVICE_UNAVAILABLE
        except httpx.HTTPError:
            full = False
        if full and self._room.is_set():
            log.warning("no_gateway_has_room")
            self._room.clear()
        elif not full:
            self._room.set()
