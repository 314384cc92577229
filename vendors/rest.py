"""One vendor's REST API over JSON: limited answers, one reading of what goes wrong. Retries nothing."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from core.ports.errors import VendorError
from vendors.failures import failure_of_status

MAX_ANSWER_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor answered; ``body`` is decoded JSON, None if there was none."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether it did what it was asked for."""
        return 200 <= self.status < 300


Explain = Callable[[Answer], VendorError | None]
"""What the vendor's own words say of an answer that is no success; None: its status says it all."""


def no_explanation(_: Answer) -> VendorError | None:
    """For vendors whose statuses say it all."""
    return None


class Rest:
    """Requests to one vendor.

    Args:
        http: pooled, others' to close.
        explain: is asked first about each answer that is no success; its errors hold no personal data.
        timeout_seconds: for a whole request; None where somebody else minds the time.
    """

    def __init__(
        self,
        vendor: str,
        http: httpx.AsyncClient,
        base_url: str,
        headers: Mapping[str, str] | None = None,
        *,
        explain: Explain = no_explanation,
        timeout_seconds: float | None = None,
    ) -> None:
        self.vendor = vendor
        self._http = http
        self._origin = base_url.rstrip("/")
        self._headers = {"accept": "application/json", **(headers or {})}
        self._explain = explain
        self._timeout_seconds = timeout_seconds

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        expected: tuple[int, ...] = (),
    ) -> Answer:
        """Send one request. Raises VendorError for whatever is no success and not among ``expected``."""
        content = None if body is None else msgspec.json.encode(body)
        kind = {} if body is None else {"content-type": "application/json"}
        try:
            async with asyncio.timeout(self._timeout_seconds):  # httpx' own limit is for each read
                request = self._http.stream(
                    method,
                    f"{self._origin}{path}",
                    params=params,
                    content=content,
                    data=form,
                    headers={**self._headers, **kind, **(headers or {})},
                )
                async with request as response:
                    text = await self._limited(response)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise VendorError(self.vendor, "timeout", "no answer in time", curable=True) from error
        except httpx.InvalidURL:
            raise self.refused("this cannot be asked for") from None  # the cause quotes what was said
        except httpx.HTTPError as error:
            what = f"connection failed ({type(error).__name__})"
            raise VendorError(self.vendor, "unavailable", what, curable=True) from error
        return self._judged(response, text, expected)

    def broken(self, what: str) -> VendorError:
        """For an answer nobody can use."""
        return VendorError(self.vendor, "broken", what, curable=True)

    def refused(self, what: str) -> VendorError:
        """For what cannot be done; the model may read ``what`` to the caller."""
        return VendorError(self.vendor, "refused", what, curable=False)

    def _judged(self, response: httpx.Response, text: bytes, expected: tuple[int, ...]) -> Answer:
        try:
            body = msgspec.json.decode(text) if text else None
        except msgspec.DecodeError as error:
            if response.is_success:
                raise self.broken("an answer that is no JSON") from error
            body = None
        answer = Answer(response.status_code, body, response.headers)
        if answer.ok or answer.status in expected:
            return answer
        raise self._explain(answer) or failure_of_status(self.vendor, answer.status, headers=response.headers)

    async def _limited(self, response: httpx.Response) -> bytes:
        text = bytearray()
        async for piece in response.aiter_bytes():
            text += piece
            if len(text) > MAX_ANSWER_BYTES:
                raise self.broken("an answer that is far too long")
        return bytes(text)
