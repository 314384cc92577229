"""Writing to a socket from code that does not wait."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

MessageT = TypeVar("MessageT")


class Outgoing(Generic[MessageT]):
    """A socket's waiting messages and the one task that writes them, in order."""

    def __init__(self, write: Callable[[MessageT], Awaitable[None]]) -> None:
        self._write = write
        self._waiting: deque[MessageT] = deque()
        self._wake = asyncio.Event()

    def send(self, message: MessageT) -> None:
        """Write it as soon as the socket takes it."""
        self._waiting.append(message)
        self._wake.set()

    async def run(self) -> None:
        """Write until cancelled, or until the socket's own error ends it."""
        while True:
            while self._waiting:
                await self._write(self._waiting.popleft())
            self._wake.clear()
            await self._wake.wait()
