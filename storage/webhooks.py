"""Customers' webhook endpoints, and what was delivered to them."""

import time
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import delete, select, update

from core.contracts.after_call import EndpointPlan
from core.ports.after_call import Delivery, Endpoint, Tried, WebhookBook
from storage.database import Database
from storage.models import WebhookDelivery, WebhookEndpoint
from storage.rows import make_sure_of

KEPT_DELIVERIES: Final = 1_000  # of one endpoint


class SqlWebhooks(WebhookBook):
    """Each method is one transaction. All raise StorageUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def plans(self) -> Sequence[EndpointPlan]:
        """Whom to tell of what."""
        return [
            EndpointPlan(endpoint.endpoint_id, endpoint.events, urlsplit(endpoint.url).hostname or "")
            for endpoint in await self.endpoints()
            if endpoint.events  # the others are told of campaigns that name them
        ]

    async def endpoints(self) -> Sequence[Endpoint]:
        """All, oldest first."""
        wanted = select(WebhookEndpoint).order_by(WebhookEndpoint.created_ms, WebhookEndpoint.endpoint_id)
        async with self._database.read() as session:
            return [_endpoint(row) for row in await session.scalars(wanted)]

    async def endpoint(self, endpoint_id: str) -> tuple[Endpoint, tuple[str, ...]] | None:
        """One, and its secrets: the one before, too, until its time is up."""
        async with self._database.read() as session:
            row = await session.get(WebhookEndpoint, endpoint_id)
        if row is None:
            return None
        old = row.old_secret if (row.old_until_ms or 0.0) > time.time() * 1_000 else None
        return _endpoint(row), (row.secret, old) if old else (row.secret,)

    async def add(self, endpoint: Endpoint, secret: str) -> None:
        """A new one."""
        row = WebhookEndpoint(
            endpoint_id=endpoint.endpoint_id,
            url=endpoint.url,
            events=list(endpoint.events),
            description=endpoint.description,
            secret=secret,
            created_ms=endpoint.created_ms,
        )
        async with self._database.write() as session:
            session.add(row)

    async def change(self, endpoint: Endpoint) -> None:
        """All but its secrets."""
        changed = {"url": endpoint.url, "events": list(endpoint.events), "description": endpoint.description}
        ours = WebhookEndpoint.endpoint_id == endpoint.endpoint_id
        async with self._database.write() as session:
            await session.execute(update(WebhookEndpoint).where(ours).values(**changed))

    async def rotate(self, endpoint_id: str, secret: str, now_ms: float, keep_ms: float) -> bool:
        """Take a new secret; the old one goes on for so long."""
        async with self._database.write() as session:
            row = await session.get(WebhookEndpoint, endpoint_id, with_for_update=True)
            if row is None:
                return False
            row.old_secret, row.old_until_ms = row.secret, now_ms + keep_ms
            row.secret, row.rotated_ms = secret, now_ms
        return True

    async def remove(self, endpoint_id: str) -> bool:
        """With its deliveries."""
        async with self._database.write() as session:
            row = await session.get(WebhookEndpoint, endpoint_id)
            if row is None:
                return False
            await session.delete(row)
        return True

    async def note(self, endpoint_id: str, tried: Sequence[Tried]) -> None:
        """Write attempts down; of an endpoint that was removed meanwhile there is nothing to write."""
        now_ms = time.time() * 1_000
        async with self._database.write() as session:
            if await session.get(WebhookEndpoint, endpoint_id) is None:
                return
            new = {"delivered": False, "attempts": 0, "took_ms": 0, "first_ms": now_ms, "last_ms": now_ms}
            rows = [
                {"endpoint_id": endpoint_id, "message_id": one.message_id, "event": one.event, "call_id": one.call_id}
                for one in tried
            ]
            await make_sure_of(session, WebhookDelivery, [row | new for row in rows])
            attempts = {one.message_id: one.attempt for one in tried}
            ours = select(WebhookDelivery).where(
                WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.message_id.in_(attempts)
            )
            for row in await session.scalars(ours.order_by(WebhookDelivery.message_id).with_for_update()):
                attempt = attempts[row.message_id]
                row.attempts += 1
                row.delivered = row.delivered or attempt.delivered
                row.status, row.detail = attempt.status, attempt.detail
                row.last_ms, row.took_ms = now_ms, attempt.took_ms
            await session.flush()
            oldest = (
                select(WebhookDelivery.message_id)
                .where(WebhookDelivery.endpoint_id == endpoint_id)
                .order_by(WebhookDelivery.last_ms.desc())
                .offset(KEPT_DELIVERIES)
            )
            await session.execute(
                delete(WebhookDelivery).where(
                    WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.message_id.in_(oldest)
                )
            )

    async def deliveries(self, endpoint_id: str, limit: int = 100) -> Sequence[Delivery]:
        """Newest first."""
        wanted = (
            select(WebhookDelivery)
            .where(WebhookDelivery.endpoint_id == endpoint_id)
            .order_by(WebhookDelivery.last_ms.desc())
            .limit(limit)
        )
        async with self._database.read() as session:
            return [_delivery(row) for row in await session.scalars(wanted)]


def _endpoint(row: WebhookEndpoint) -> Endpoint:
    return Endpoint(row.endpoint_id, row.url, tuple(row.events), row.description, row.created_ms, row.rotated_ms)


def _delivery(row: WebhookDelivery) -> Delivery:
    return Delivery(
        message_id=row.message_id,
        endpoint_id=row.endpoint_id,
        event=row.event,
        call_id=row.call_id,
        delivered=row.delivered,
        attempts=row.attempts,
        status=row.status,
        detail=row.detail,
        first_ms=row.first_ms,
        last_ms=row.last_ms,
        took_ms=row.took_ms,
    )
