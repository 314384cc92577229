"""Carries messages to a webhook endpoint, each once."""

import asyncio
import time
from collections.abc import Sequence

import structlog

from core import webhooks
from core.contracts.after_call import DeliverWebhook
from core.ports.after_call import Attempt, Tried, WebhookBook, WebhookSender
from core.ports.errors import VendorError

log = structlog.get_logger()


class Courier:
    """Signs, sends, and writes down what came of it."""

    def __init__(self, book: WebhookBook, sender: WebhookSender) -> None:
        self._book = book
        self._sender = sender

    async def deliver(self, endpoint_id: str, messages: Sequence[DeliverWebhook]) -> list[Attempt] | None:
        """One attempt each, side by side, signed with the secrets that the endpoint has now.

        None: the endpoint was removed. Raises StorageUnavailable, perhaps with messages that were sent.
        """
        found = await self._book.endpoint(endpoint_id)
        if found is None:
            return None
        endpoint, secrets = found
        attempts = await asyncio.gather(*(self._send(endpoint.url, secrets, message) for message in messages))
        tried = [
            Tried(one.message_id, one.event, one.call_id, made) for one, made in zip(messages, attempts, strict=True)
        ]
        await self._book.note(endpoint_id, tried)
        return attempts

    async def _send(self, url: str, secrets: Sequence[str], message: DeliverWebhook) -> Attempt:
        body = webhooks.body_of(message.event, message.at_ms, message.data)
        headers = webhooks.headers_of(message.message_id, time.time() * 1_000, body, secrets)
        attempt = await self._sender.send(url, body, headers)
        log.info("webhook_sent", kind=message.event, status=attempt.status, detail=attempt.detail)
        return attempt


def failure_of(attempt: Attempt) -> VendorError | None:
    """None: it was taken. Not curable where the endpoint wants nothing more."""
    if attempt.delivered:
        return None
    gone = attempt.status == webhooks.GONE
    return VendorError("webhook", "refused" if gone else "unavailable", attempt.detail, curable=not gone)
