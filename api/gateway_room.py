"""Whether a gateway takes another call. New callers are refused before live calls lose quality."""

import asyncio
import time
from typing import Final

import httpx
import structlog

ANSWER_S: Final = 0.3  # the caller waits
PATIENCE_S: Final = 1.5  # it rings so much longer while no gateway has room: one may be restarting, a call may end
LOOK_AGAIN_S: Final = 0.25
UNREACHABLE_S: Final = 30.0  # an address that we cannot reach from here is left alone for so long

log = structlog.get_logger()


class GatewayRoom:
    """Asks where the carrier's media stream would go: a gateway answers, or, where none takes streams, the way to them.

    What cannot be asked counts as room: then the carrier's stream is refused, and the caller is asked to hold.
    """

    def __init__(self, media_url: str, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._url = f"{media_url.replace('ws', 'http', 1)}/twilio/media"
        self._http = httpx.AsyncClient(timeout=ANSWER_S, trust_env=False)
        self._left_alone_until = 0.0

    async def none_left(self) -> bool:
        """Whether no gateway takes another call, now and for a moment."""
        until = time.monotonic() + self._patience_s
        while await self._refused():
            if time.monotonic() >= until:
                return True
            await asyncio.sleep(LOOK_AGAIN_S)
        return False

    async def close(self) -> None:
        """Release the connections."""
        await self._http.aclose()

    async def _refused(self) -> bool:
        if time.monotonic() < self._left_alone_until:
            return False
        try:
            response = await self._http.get(self._url)
        except httpx.HTTPError as error:
            log.warning("gateways_not_asked", reason=type(error).__name__)
            self._left_alone_until = time.monotonic() + UNREACHABLE_S
            return False
        return response.status_code == httpx.codes.SERVICE_UNAVAILABLE
