"""Carries one message to one webhook endpoint, once."""

import time

import structlog

from core import webhooks
from core.contracts.after_call import DeliverWebhook
from core.ports.after_call import Attempt, WebhookBook, WebhookSender
from core.ports.errors import VendorError

log = structlog.get_logger()


class Courier:
    """Signs, sends, and writes down what came of it."""

    def __init__(self, book: WebhookBook, sender: WebhookSender) -> None:
        self._book = book
        self._sender = sender

    async def deliver(self, message: DeliverWebhook) -> Attempt | None:
        """One attempt, signed with the secrets that the endpoint has now; None: the endpoint was removed.

        Raises VendorError where it was not taken (curable, unless the endpoint wants nothing more), StorageUnavailable.
        """
        found = await self._book.endpoint(message.endpoint_id)
        if found is None:
            return None
        endpoint, secrets = found
        body = webhooks.body_of(message.event, message.at_ms, message.data)
        headers = webhooks.headers_of(message.message_id, time.time() * 1_000, body, secrets)
        attempt = await self._sender.send(endpoint.url, body, headers)
        await self._book.note(message.endpoint_id, message.message_id, message.event, message.call_id, attempt)
        log.info("webhook_sent", kind=message.event, status=attempt.status, detail=attempt.detail)
        if not attempt.delivered:
            gone = attempt.status == webhooks.GONE
            raise VendorError("webhook", "refused" if gone else "unavailable", attempt.detail, curable=not gone)
        return attempt
