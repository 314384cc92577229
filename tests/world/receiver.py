"""A customer's own server, which takes webhooks as a test says."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.webhooks import signature
from tests.sandbox.server import running

PATIENCE_S = 30.0


@dataclass(frozen=True)
class Came:
    """One request."""

    message_id: str
    timestamp: str
    signature: str
    body: bytes
    taken: bool

    @property
    def told(self) -> dict[str, Any]:
        """What it says."""
        message: dict[str, Any] = json.loads(self.body)
        return message

    @property
    def event(self) -> str:
        """What happened."""
        return str(self.told["type"])

    @property
    def data(self) -> dict[str, Any]:
        """To whom, and how."""
        data: dict[str, Any] = self.told["data"]
        return data

    def is_signed_with(self, secret: str) -> bool:
        """By Standard Webhooks."""
        return self.signature == signature(secret, self.message_id, self.timestamp, self.body)


@dataclass
class Receiver:
    """Answers by ``answer``; ``came`` keeps all requests."""

    origin: str = ""
    answer: Callable[[dict[str, Any]], int] = lambda _: 204
    came: list[Came] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self.origin}/hook"

    @property
    def taken(self) -> list[Came]:
        """What it has taken, in order."""
        return [one for one in self.came if one.taken]

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Wait until it is so, looking at each request."""
        async with asyncio.timeout(PATIENCE_S):
            while not wanted():
                self._news.clear()
                await self._news.wait()

    async def take(self, request: Request) -> Response:
        """A request."""
        body = await request.body()
        status = self.answer(json.loads(body))
        message_id, timestamp, signed = (request.headers[f"webhook-{it}"] for it in ("id", "timestamp", "signature"))
        self.came.append(Came(message_id, timestamp, signed, body, taken=status < 300))
        self._news.set()
        return Response(status_code=status)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """It listens as long as the block runs."""
    made = Receiver()
    async with running(Starlette(routes=[Route("/hook", made.take, methods=["POST"])])) as made.origin:
        yield made
