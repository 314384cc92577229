"""Signed requests to the product, as the carrier makes them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

import httpx
from twilio.request_validator import RequestValidator

from sandbox.state import SandboxState, now_ms

LATE_SECONDS = 2.0
WEBHOOK_SECONDS = 15.0  # Twilio's read timeout


class WebhookFailed(Exception):
    """The product did not answer as it must; ``code`` is Twilio's number for why."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Webhooks:
    """Makes the signed requests."""

    def __init__(self, state: SandboxState, auth_token: str) -> None:
        self._state = state
        self._validator = RequestValidator(auth_token)
        self._client: httpx.AsyncClient | None = None

    def signature(self, url: str, params: Mapping[str, str] | None = None) -> str:
        """X-Twilio-Signature of a request; a GET and a socket's handshake have no ``params``."""
        return str(self._validator.compute_signature(url, dict(params or {})))

    async def ask(self, url: str, method: str, params: Mapping[str, str]) -> str:
        """The body of the product's answer. One more try if it cannot be reached. Raises WebhookFailed."""
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=WEBHOOK_SECONDS, trust_env=False)
        request = self._request(self._client, url, method, params)
        try:
            try:
                answer = await self._client.send(request)
            except httpx.ConnectError:
                answer = await self._client.send(request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise WebhookFailed(11200, f"HTTP retrieval failure: {type(error).__name__}") from error
        path = urlsplit(url).path
        self._state.stamp("twilio", "webhook", path=path, status=answer.status_code, sid=params.get("CallSid", ""))
        if answer.status_code >= 400:
            raise WebhookFailed(11200, f"HTTP retrieval failure: {answer.status_code}")
        return answer.text

    async def close(self) -> None:
        """Release the sockets."""
        if self._client is not None:
            await self._client.aclose()

    def _request(self, client: httpx.AsyncClient, url: str, method: str, params: Mapping[str, str]) -> httpx.Request:
        if method.upper() == "GET":
            url = str(httpx.URL(url).copy_merge_params(dict(params)))
            return client.build_request("GET", url, headers={"X-Twilio-Signature": self.signature(url)})
        return client.build_request(
            "POST", url, data=dict(params), headers={"X-Twilio-Signature": self.signature(url, params)}
        )


@dataclass
class SentCallback:
    """A callback, as the control routes show it."""

    url: str
    params: dict[str, str]
    at_ms: float
    result: str = "pending"  # "ok" or what went wrong

    def to_json(self) -> dict[str, Any]:
        """As the control routes show it."""
        return {"url": self.url, "params": self.params, "at_ms": self.at_ms, "result": self.result}


@dataclass
class CallbackQueue:
    """The callbacks of one call, posted one after the other; ``disorder`` has them doubled, reordered or late."""

    webhooks: Webhooks
    disorder: str | None = None
    sent: list[SentCallback] = field(default_factory=list)
    _waiting: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None
    _ended: bool = False

    def post(self, url: str, params: dict[str, str], *, last: bool = False) -> None:
        """Post in the background; ``last``: none comes after this one."""
        self._ended = self._ended or last
        self._waiting.append((url, {**params, "Timestamp": formatdate(usegmt=True)}))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    async def settle(self) -> None:
        """Return once all have been posted."""
        if self._task is not None:
            await self._task

    def cancel(self) -> None:
        """Post no more."""
        if self._task is not None:
            self._task.cancel()

    async def _work(self) -> None:
        while self._waiting:
            batch = self._waiting[:1]
            if self.disorder == "reordered":
                if len(self._waiting) == 1 and not self._ended:
                    return  # it waits until it can be overtaken
                batch = self._waiting[1::-1]  # the second goes first
            del self._waiting[: len(batch)]
            for url, params in batch:
                await self._post_as_told(url, params)

    async def _post_as_told(self, url: str, params: dict[str, str]) -> None:
        if self.disorder == "late":
            await asyncio.sleep(LATE_SECONDS)
        for _ in range(2 if self.disorder == "doubled" else 1):
            callback = SentCallback(url, params, now_ms())
            self.sent.append(callback)
            try:
                await self.webhooks.ask(url, "POST", params)
                callback.result = "ok"
            except WebhookFailed as error:
                callback.result = str(error)
