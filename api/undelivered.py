"""Messages of the carrier for a call, kept while Temporal is away.

The carrier does not repeat a status callback that was answered with an error, so the API takes it and tells the
call later: at least once, so perhaps twice. What waits is lost if this process dies: the workflow has its own
deadlines for that.
"""

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

import structlog

from api.observe import Figures
from api.temporal import CallNotRunning, Temporal, TemporalUnavailable

log = structlog.get_logger()


@dataclass(frozen=True)
class Message:
    """One signal for a call."""

    call_id: str
    name: str
    body: object
    give_up_at: float  # by the monotonic clock


class CarrierMessages:
    """Delivers at once where it can, else in the background, oldest first.

    Args:
        most: how many may wait; beyond it ``deliver`` raises TemporalUnavailable.
        patience: seconds a message waits before it is given up.
        pause: seconds between two attempts while Temporal is away.
    """

    def __init__(
        self, temporal: Temporal, figures: Figures, *, most: int = 10_000, patience: float = 600.0, pause: float = 0.5
    ) -> None:
        self._temporal = temporal
        self._figures = figures
        self._most = most
        self._patience = patience
        self._pause = pause
        self._waiting: deque[Message] = deque()
        self._courier: asyncio.Task[None] | None = None

    async def deliver(self, call_id: str, name: str, body: object) -> None:
        """Signal the call; one that is not running needs no telling. Raises TemporalUnavailable when full."""
        message = Message(call_id, name, body, time.monotonic() + self._patience)
        if not self._waiting:
            with suppress(TemporalUnavailable):
                return await self._signal(message)
        if len(self._waiting) >= self._most:
            raise TemporalUnavailable("too many messages wait already")
        self._waiting.append(message)
        self._count()
        if self._courier is None or self._courier.done():
            self._courier = asyncio.create_task(self._deliver_waiting(), name="carrier messages")
        return None

    async def flush(self) -> None:
        """Return once nothing waits."""
        if self._courier is not None:
            await asyncio.wait([self._courier])

    async def close(self, grace_seconds: float = 1.0) -> None:
        """Deliver what waits, for so long at most, and stop; the rest is lost."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.flush(), grace_seconds)
        if self._courier is not None:
            self._courier.cancel()
            await asyncio.wait([self._courier])
        if self._waiting:
            log.warning("carrier_messages_lost", count=len(self._waiting))

    async def _deliver_waiting(self) -> None:
        while self._waiting:
            message = self._waiting[0]
            try:
                await self._signal(message)
            except TemporalUnavailable:
                if time.monotonic() < message.give_up_at:
                    await asyncio.sleep(self._pause)
                    continue
                log.warning("carrier_message_given_up", call_id=message.call_id, message=message.name)
            self._waiting.popleft()
            self._count()

    async def _signal(self, message: Message) -> None:
        try:
            await self._temporal.signal(message.call_id, message.name, message.body)
        except CallNotRunning:
            log.info("carrier_message_for_no_call", call_id=message.call_id, message=message.name)

    def _count(self) -> None:
        self._figures.undelivered.set(len(self._waiting))
