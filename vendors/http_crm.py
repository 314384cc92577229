"""A CRM behind a small HTTP API: one route for operations, one for call notes.

``POST <base>/operations/<operation>`` with ``{"arguments", "caller_number", "call_id"}``, ``POST <base>/calls`` with
the note. Both carry ``Idempotency-Key``; a 4xx answer ``{"error": {"message"}}`` is a refusal the caller may hear.
"""

from dataclasses import asdict
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from core.contracts.call import SyncCrm
from core.ports.crm import ToolContext
from core.ports.errors import VendorError

VENDOR = "crm"
MAX_ANSWER_BYTES = 256 * 1024
MAX_MESSAGE_CHARS = 300  # of a refusal: it is read to the caller


class HttpCrm:
    """Knows no operation by name: playbooks name them, the CRM knows them. Retries nothing."""

    def __init__(
        self, base_url: str, api_key: str, *, timeout_seconds: float = 5.0, connect_seconds: float = 1.0
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(
            base_url=base_url.rstrip("/"),
            headers={"authorization": f"Bearer {api_key}", "accept": "application/json"},
            timeout=httpx.Timeout(timeout_seconds, connect=min(connect_seconds, timeout_seconds)),
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=60),
        )

    async def run(self, operation: str, arguments: dict[str, Any], context: ToolContext) -> dict[str, Any]:
        """Carry out one operation once per idempotency key. Raises VendorError; "refused" may be read to the caller."""
        body = {"arguments": arguments, "caller_number": context.caller_number, "call_id": context.call_id}
        return await self._post(f"/operations/{quote(operation, safe='')}", body, context.idempotency_key)

    async def log_call(self, note: SyncCrm) -> str:
        """Write the call's note once per idempotency key; returns the note's id. Raises VendorError."""
        answer = await self._post("/calls", asdict(note), note.idempotency_key)
        note_id = answer.get("id")
        if not isinstance(note_id, str | int) or note_id == "":
            raise _broken("a note without an id")
        return str(note_id)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _post(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        headers = {"idempotency-key": key, "content-type": "application/json"}
        try:
            async with self._client.stream("POST", path, content=msgspec.json.encode(body), headers=headers) as answer:
                text = await _limited(answer)
        except httpx.TimeoutException as error:
            raise VendorError(VENDOR, "timeout", "no answer in time", curable=True) from error
        except httpx.HTTPError as error:
            what = f"connection failed ({type(error).__name__})"
            raise VendorError(VENDOR, "unavailable", what, curable=True) from error
        if not answer.is_success:
            raise _failure(answer, text)
        try:
            return msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise _broken("an answer that is no JSON object") from error


async def _limited(answer: httpx.Response) -> bytes:
    text = bytearray()
    async for piece in answer.aiter_bytes():
        text += piece
        if len(text) > MAX_ANSWER_BYTES:
            raise _broken("an answer that is far too long")
    return bytes(text)


def _failure(answer: httpx.Response, text: bytes) -> VendorError:
    status = answer.status_code
    if status in (401, 403):
        return VendorError(VENDOR, "unauthorized", f"answered {status}", curable=False)
    if status == 429:
        return VendorError(VENDOR, "rate_limited", f"answered {status}", curable=True, retry_after=_retry_after(answer))
    if status >= 500 or status == 408:
        return VendorError(VENDOR, "unavailable", f"answered {status}", curable=True, retry_after=_retry_after(answer))
    if status < 400:
        return _broken(f"answered {status}")
    return VendorError(VENDOR, "refused", _message(text) or f"answered {status}", curable=False)


def _message(text: bytes) -> str:
    """The CRM's own words for a refusal."""
    try:
        found = msgspec.json.decode(text, type=_Refusal)
    except msgspec.DecodeError:
        return ""
    return " ".join(found.error.message.split())[:MAX_MESSAGE_CHARS]


class _Problem(msgspec.Struct):
    message: str


class _Refusal(msgspec.Struct):
    error: _Problem


def _retry_after(answer: httpx.Response) -> timedelta | None:
    seconds = answer.headers.get("retry-after", "")
    return timedelta(seconds=int(seconds)) if seconds.isdecimal() and len(seconds) < 6 else None


def _broken(message: str) -> VendorError:
    return VendorError(VENDOR, "broken", message, curable=True)
