"""The children of a stack that chaos strikes: which of them are well, and how long those take that are told to stop."""

import asyncio
import time
from collections.abc import Mapping

import httpx

from cli.stack import Stack


class Children:
    """Implements evals.chaos.Victims for the children of one role; SIGKILL or, with ``drains``, SIGTERM."""

    def __init__(self, stack: Stack, http: httpx.AsyncClient, role: str, count: int, *, drains: bool) -> None:
        self.drained_ms: list[float] = []  # from being told to stop until it had ended
        self._stack = stack
        self._http = http
        self._role = role
        self._count = count
        self._drains = drains
        self._ending: dict[str, asyncio.Task[None]] = {}

    @property
    def count(self) -> int:
        """How many there are when all are well."""
        return self._count

    async def ready(self) -> Mapping[str, int]:
        """Those that take work."""
        return {
            child.name: child.pid
            for child in self._stack.children()
            if child.role == self._role
            and child.pid is not None
            and child.name not in self._ending
            and await self._takes_work(child.port or 0)
        }

    def strike(self, name: str) -> None:
        """Send it the signal; the stack starts another once it has ended."""
        if not self._drains:
            self._stack.kill(name)
            return
        ending = asyncio.create_task(self._end(name), name=f"{name} ends")
        self._ending[name] = ending
        ending.add_done_callback(lambda _: self._ending.pop(name))

    async def all_ended(self) -> None:
        """Wait for those that were told to stop."""
        await asyncio.gather(*self._ending.values())

    async def _end(self, name: str) -> None:
        began = time.monotonic()
        await self._stack.end(name)
        self.drained_ms.append((time.monotonic() - began) * 1_000)

    async def _takes_work(self, port: int) -> bool:
        try:
            return (await self._http.get(f"http://127.0.0.1:{port}/readyz")).is_success
        except httpx.HTTPError:
            return False
