"""Which calls a worker knows to be at each gateway, and which of them are lost when a gateway dies.

The worker's kept playback socket is the control socket: it breaks within milliseconds of a SIGKILL, also while nobody
but the caller speaks, and pings find out a gateway that hangs.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import httpx
import msgspec
import structlog

from core.contracts.call import GatewayAddress
from core.ports.errors import PlaybackLost
from core.ports.playback import LostCall

log = structlog.get_logger()

CALLS_KNOWN = 1_000  # newest first; ended ones among them cost a signal that finds nobody
LOOK_DEADLINE = 1.0  # seconds, for a gateway to say which calls it holds
LOOK_AGAIN = 0.2

Reopen = Callable[[], Awaitable[object]]


class GatewayWatch:
    """core.ports.playback.LostCalls: notes whose calls are where, and looks after a gateway whose socket broke."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._at: OrderedDict[str, tuple[str, int]] = OrderedDict()  # call -> playback_url and attachment
        self._lost: asyncio.Queue[LostCall] = asyncio.Queue()
        self._looking: dict[str, asyncio.Task[None]] = {}

    def note(self, call_id: str, gateway: GatewayAddress) -> None:
        """The call is there."""
        self._at[call_id] = gateway.playback_url, gateway.attachment
        self._at.move_to_end(call_id)
        if len(self._at) > CALLS_KNOWN:
            self._at.popitem(last=False)

    async def lost_call(self) -> LostCall:
        """The next one, as soon as its gateway is known to be dead."""
        return await self._lost.get()

    def broken(self, url: str, reopen: Reopen) -> None:
        """The socket to this gateway broke, with no goodbye. ``reopen`` opens another, raising PlaybackLost."""
        if url not in self._looking and any(at == url for at, _ in self._at.values()):
            self._looking[url] = looking = asyncio.create_task(self._look(url, reopen))
            looking.add_done_callback(lambda _: self._looking.pop(url, None))

    def left(self, url: str) -> None:
        """This gateway has said goodbye: its calls were handed over."""
        for call_id in [call_id for call_id, (at, _) in self._at.items() if at == url]:
            del self._at[call_id]

    async def close(self) -> None:
        """Look after nobody any more."""
        looking = list(self._looking.values())
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)

    async def _look(self, url: str, reopen: Reopen) -> None:
        while known := [(call, attachment) for call, (at, attachment) in reversed(self._at.items()) if at == url]:
            holds = await self._held_by(url, dict(known))
            gone = [(call, attachment) for call, attachment in known if holds.get(call) != attachment]
            if gone:
                log.warning("gateway_lost_calls", calls=len(gone), left=len(holds))
            for call_id, attachment in gone:
                if self._at.get(call_id) == (url, attachment):
                    del self._at[call_id]
                self._lost.put_nowait(LostCall(call_id, attachment))
            if not holds:
                return
            try:
                await reopen()
            except PlaybackLost:
                await asyncio.sleep(LOOK_AGAIN)
            else:
                return

    async def _held_by(self, url: str, known: dict[str, int]) -> dict[str, int]:
        """The attachments of the calls that the gateway holds; none: it is dead. An older one does not tell."""
        calls = url.replace("ws", "http", 1).removesuffix("/playback") + "/calls"
        try:
            async with asyncio.timeout(LOOK_DEADLINE):
                response = await self._http.get(calls)
            return msgspec.json.decode(response.raise_for_status().content, type=dict[str, int])
        except httpx.HTTPStatusError:
            return known
        except (httpx.HTTPError, TimeoutError, msgspec.DecodeError):
            return {}
