"""Twilio: placing, finding, ending and redirecting legs.

A REST request to Twilio is not idempotent: when the answer to ``dial`` is lost, look the leg up before dialling again.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client
from twilio.rest.api.v2010.account.call import CallInstance

from core.outcome import CarrierState
from core.ports.errors import VendorError
from core.ports.telephony import CarrierLeg, LegOfTransfer
from vendors.failures import failure_of_status

VENDOR = "twilio"
STATUS_EVENTS = ["initiated", "ringing", "answered", "completed"]
NOT_IN_PROGRESS = 21220
CLOCKS_APART = timedelta(seconds=3)  # ours and Twilio's; its dates are whole seconds
NEWEST = 20  # how many legs between two numbers are looked at


class TwilioTelephony:
    """Implements core.ports.telephony.Telephony with the vendor's SDK. Create it in a running loop; ``aclose`` it.

    Args:
        public_url: where Twilio reaches our webhooks.
        base_url: another origin than Twilio's own.
        timeout: seconds for one request; the SDK itself would wait forever.
    """

    def __init__(
        self, account_sid: str, auth_token: str, public_url: str, base_url: str | None = None, *, timeout: float = 5.0
    ) -> None:
        self._account_sid = account_sid
        self._public_url = public_url.rstrip("/")
        self._timeout = timeout
        self._http = AsyncTwilioHttpClient(timeout=timeout)
        self._client = Client(account_sid, auth_token, http_client=self._http)
        if base_url is not None:
            self._client.api.base_url = base_url.rstrip("/")

    async def dial(
        self, call_id: str, to: str, from_: str, ring_seconds: int, *, detect_machine: bool = False
    ) -> CarrierLeg:
        """Place a call. Raises VendorError; "timeout" and "unavailable" may have dialled all the same."""
        amd = {}
        if detect_machine:
            amd = {
                "machine_detection": "DetectMessageEnd",
                "async_amd": "true",
                "async_amd_status_callback": self._webhook("amd", call_id),
            }
        async with self._asking("dial", garbled="unavailable"):
            call = await self._client.calls.create_async(
                to=to,
                from_=from_,
                url=self._webhook("voice", call_id),
                status_callback=self._webhook("status", call_id),
                status_callback_event=STATUS_EVENTS,
                timeout=ring_seconds,
                **amd,
            )
            return _leg(call)

    async def dial_representative(self, leg: LegOfTransfer, to: str, from_: str, ring_seconds: int) -> CarrierLeg:
        """Call a representative. Raises VendorError, as ``dial`` does.

        Whether a machine has answered is found out beside the briefing (AsyncAmd): a person need not wait for it.
        """
        query = f"?call_id={quote(leg.call_id, safe='')}&transfer={leg.transfer}&leg={leg.leg}"
        webhook = f"{self._public_url}/twilio/representative"
        async with self._asking("dial_representative", garbled="unavailable"):
            call = await self._client.calls.create_async(
                to=to,
                from_=from_,
                url=webhook + query,
                status_callback=f"{webhook}/status{query}",
                status_callback_event=["completed"],
                machine_detection="Enable",
                async_amd="true",
                async_amd_status_callback=f"{webhook}/status{query}",
                timeout=ring_seconds,
            )
            return _leg(call)

    async def find_dialled(self, call_id: str, to: str, from_: str, since_ms: float) -> CarrierLeg | None:
        """The newest leg that our account placed between these numbers since then. Raises VendorError.

        A Twilio call has no field of the customer's own, so it cannot be asked for by ``call_id``: it is ours if it
        was placed by REST, from and to the same numbers, at or after ``since_ms``. That is sure as long as nobody
        dials one person twice within seconds. The dates are compared here: Twilio's own filter is by start time,
        which a leg that still waits to be dialled does not have.
        """
        since = datetime.fromtimestamp(since_ms / 1_000, UTC) - CLOCKS_APART
        async with self._asking("find_dialled"):
            calls = await self._client.calls.list_async(to=to, from_=from_, limit=NEWEST, page_size=NEWEST)
            ours = [
                call
                for call in calls
                if call.direction == "outbound-api" and call.date_created is not None and call.date_created >= since
            ]
            newest = max(ours, key=lambda call: call.date_created or since, default=None)
            return _leg(newest) if newest is not None else None

    async def hang_up(self, carrier_call_id: str) -> None:
        """End a leg, answered or not; one that has ended already is fine. Raises VendorError."""
        try:
            async with self._asking("hang_up"):
                await self._client.calls(carrier_call_id).update_async(status="completed")
        except VendorError as error:
            if not _was_over(error):
                raise

    async def ask_again(self, call_id: str, carrier_call_id: str) -> None:
        """Have a live leg ask the resume webhook. Raises VendorError, kind "refused" if it has ended."""
        async with self._asking("ask_again"):
            await self._client.calls(carrier_call_id).update_async(url=self._webhook("resume", call_id))

    async def check(self) -> None:
        """Ask for the account, which costs nothing. Raises VendorError, "unauthorized" for wrong credentials."""
        async with self._asking("check"):
            await self._client.api.accounts(self._account_sid).fetch_async()

    async def aclose(self) -> None:
        """Release the sockets."""
        await self._http.close()

    def _webhook(self, name: str, call_id: str) -> str:
        return f"{self._public_url}/twilio/{name}?call_id={quote(call_id, safe='')}"

    @asynccontextmanager
    async def _asking(self, what: str, garbled: str = "broken") -> AsyncIterator[None]:
        """Bound the request, and turn whatever the SDK raises into a VendorError without numbers in it."""
        try:
            async with asyncio.timeout(self._timeout):
                yield
        except TimeoutError as error:
            raise VendorError(VENDOR, "timeout", f"{what} took longer than {self._timeout} s", curable=True) from error
        except (aiohttp.ClientError, OSError) as error:
            raise VendorError(VENDOR, "unavailable", f"{what}: {type(error).__name__}", curable=True) from error
        except TwilioException as error:
            raise _failure(what, error) from error
        except (json.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise VendorError(VENDOR, garbled, f"{what} was answered with nonsense", curable=True) from error


def _leg(call: CallInstance) -> CarrierLeg:
    """Raises ValueError for an answer that is no call."""
    if not call.sid:
        raise ValueError("a call without sid")
    return CarrierLeg(call.sid, CarrierState(call.status))


def _failure(what: str, error: TwilioException) -> VendorError:
    if isinstance(error, TwilioRestException | TwilioServiceException):
        return failure_of_status(VENDOR, error.status, f"{what} (code {error.code})")
    answer = error.args[1] if len(error.args) > 1 else None  # how the SDK says that a list was refused
    if isinstance(answer, Response):
        return failure_of_status(VENDOR, answer.status_code, what, answer.headers)
    return VendorError(VENDOR, "broken", f"{what} was answered with nonsense", curable=True)


def _was_over(error: VendorError) -> bool:
    cause = error.__cause__
    return isinstance(cause, TwilioRestException | TwilioServiceException) and cause.code == NOT_IN_PROGRESS
