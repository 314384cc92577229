"""REST: customers' webhook endpoints."""

import secrets
import time
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.after_schemas import (
    ChangedWebhook,
    Deliveries,
    HowMany,
    NewWebhook,
    TestResult,
    Webhook,
    Webhooks,
    WebhookWithSecret,
)
from api.deps import ApiDeps
from api.openapi import problems
from api.problems import Refusal, wrong_field
from core import webhooks
from core.ports.after_call import Attempt, Delivery, Endpoint, Tried

MOST = 20  # each is a step of what follows every call
MOST_OF_CAMPAIGNS = 500  # endpoints that only hear of campaigns

EndpointId = Annotated[
    str, Path(pattern=r"^we_[0-9a-f]{20}$", description="The endpoint's id", examples=["we_9c0d1e2f3a4b5c6d7e8f"])
]


def router(deps: ApiDeps) -> APIRouter:
    """/v1/webhooks."""
    routes = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
    keeping = Keeping(deps)
    _add_collection(routes, keeping)
    _add_actions(routes, keeping)
    return routes


def _add_collection(routes: APIRouter, keeping: "Keeping") -> None:
    @routes.post("", status_code=201, summary="Register an endpoint", responses=problems(400, 409, 413))
    async def create_webhook(body: NewWebhook) -> WebhookWithSecret:
        """The answer holds the secret, which is not shown again. Messages are signed by Standard Webhooks."""
        return WebhookWithSecret.with_secret(*await keeping.register(body))

    @routes.get("", summary="List endpoints")
    async def list_webhooks() -> Webhooks:
        """Oldest first."""
        return Webhooks(webhooks=[Webhook.of(endpoint) for endpoint in await keeping.all()])

    @routes.get("/{endpoint_id}", summary="Get an endpoint", responses=problems(404))
    async def get_webhook(endpoint_id: EndpointId) -> Webhook:
        """Without its secret."""
        return Webhook.of((await keeping.one(endpoint_id))[0])

    @routes.patch("/{endpoint_id}", summary="Change an endpoint", responses=problems(400, 404, 413))
    async def change_webhook(endpoint_id: EndpointId, body: ChangedWebhook) -> Webhook:
        """Counts for messages that wait for another try, too."""
        return Webhook.of(await keeping.change(endpoint_id, body))

    @routes.delete("/{endpoint_id}", status_code=204, summary="Remove an endpoint", responses=problems(404))
    async def delete_webhook(endpoint_id: EndpointId) -> None:
        """With the list of its deliveries. Messages that wait are not sent any more."""
        await keeping.remove(endpoint_id)


def _add_actions(routes: APIRouter, keeping: "Keeping") -> None:
    @routes.post("/{endpoint_id}/rotate-secret", summary="Exchange an endpoint's secret", responses=problems(404))
    async def rotate_webhook_secret(endpoint_id: EndpointId) -> WebhookWithSecret:
        """For 24 hours messages are signed with the old one as well, so that nothing is refused meanwhile."""
        return WebhookWithSecret.with_secret(*await keeping.rotate(endpoint_id))

    @routes.post("/{endpoint_id}/test", summary="Send a test message", responses=problems(404))
    async def test_webhook(endpoint_id: EndpointId) -> TestResult:
        """Sends a signed `webhook.test` once, now, and tells what the endpoint answered."""
        return TestResult.of(await keeping.test(endpoint_id))

    @routes.get("/{endpoint_id}/deliveries", summary="List deliveries", responses=problems(404))
    async def list_webhook_deliveries(endpoint_id: EndpointId, many: Annotated[HowMany, Query()]) -> Deliveries:
        """What became of the newest messages to the endpoint; those that wait for another try are there, too."""
        return Deliveries.of(await keeping.deliveries(endpoint_id, many.limit))


class Keeping:
    """Keeps endpoints. All raise Refusal."""

    def __init__(self, deps: ApiDeps) -> None:
        self._book = deps.webhooks
        self._sender = deps.webhook_sender

    async def register(self, wanted: NewWebhook) -> tuple[Endpoint, str]:
        """A new one with a secret of its own."""
        self._check("url", wanted.url)
        known = [endpoint for endpoint in await self._book.endpoints() if endpoint.events]
        return await self._add(wanted.url, tuple(dict.fromkeys(wanted.events)), wanted.description, len(known), MOST)

    async def for_campaigns(self, url: str) -> tuple[Endpoint, str | None]:
        """The endpoint of this address; a new one, with its secret, if there is none yet."""
        self._check("webhook_url", url)
        endpoints = await self._book.endpoints()
        for endpoint in endpoints:
            if endpoint.url == url:
                return endpoint, None
        known = [endpoint for endpoint in endpoints if not endpoint.events]
        return await self._add(url, (), "campaigns", len(known), MOST_OF_CAMPAIGNS)

    async def _add(
        self, url: str, events: tuple[str, ...], description: str, known: int, most: int
    ) -> tuple[Endpoint, str]:
        if known >= most:
            raise Refusal(409, "too-many-webhooks", f"There are {most} endpoints already.")
        endpoint = Endpoint(f"we_{secrets.token_hex(10)}", url, events, description, time.time() * 1_000)
        secret = _new_secret()
        await self._book.add(endpoint, secret)
        return endpoint, secret

    async def all(self) -> list[Endpoint]:
        """Oldest first."""
        return list(await self._book.endpoints())

    async def one(self, endpoint_id: str) -> tuple[Endpoint, tuple[str, ...]]:
        """One with its secrets."""
        found = await self._book.endpoint(endpoint_id)
        if found is None:
            raise _unknown()
        return found

    async def change(self, endpoint_id: str, wanted: ChangedWebhook) -> Endpoint:
        """What was told takes the place of what was there."""
        endpoint, _ = await self.one(endpoint_id)
        if wanted.url is not None:
            self._check("url", wanted.url)
            endpoint = replace(endpoint, url=wanted.url)
        if wanted.events is not None:
            endpoint = replace(endpoint, events=tuple(dict.fromkeys(wanted.events)))
        if wanted.description is not None:
            endpoint = replace(endpoint, description=wanted.description)
        await self._book.change(endpoint)
        return endpoint

    async def remove(self, endpoint_id: str) -> None:
        """Tell it nothing more."""
        if not await self._book.remove(endpoint_id):
            raise _unknown()

    async def rotate(self, endpoint_id: str) -> tuple[Endpoint, str]:
        """A new secret."""
        secret = _new_secret()
        if not await self._book.rotate(endpoint_id, secret, time.time() * 1_000, webhooks.OLD_SECRET_MS):
            raise _unknown()
        return (await self.one(endpoint_id))[0], secret

    async def test(self, endpoint_id: str) -> Attempt:
        """One message, once."""
        endpoint, keys = await self.one(endpoint_id)
        now_ms = time.time() * 1_000
        message_id = f"msg_test_{secrets.token_hex(8)}"
        body = webhooks.body_of(webhooks.TEST, now_ms, {"endpoint_id": endpoint_id})
        attempt = await self._sender.send(endpoint.url, body, webhooks.headers_of(message_id, now_ms, body, keys))
        await self._book.note(endpoint_id, [Tried(message_id, webhooks.TEST, "", attempt)])
        return attempt

    async def deliveries(self, endpoint_id: str, limit: int) -> list[Delivery]:
        """Newest first."""
        await self.one(endpoint_id)
        return list(await self._book.deliveries(endpoint_id, limit))

    def _check(self, field: str, url: str) -> None:
        if fault := self._sender.fault(url):
            raise wrong_field(field, fault)


def _new_secret() -> str:
    return webhooks.secret_of(secrets.token_bytes(24))


def _unknown() -> Refusal:
    return Refusal(404, "unknown-webhook", "No endpoint has this id.")
