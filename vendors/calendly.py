"""Calendly: free times, bookings and cancellations over its API v2. It has no way to move a booking.

A booking carries the caller's number as the invitee's ``text_reminder_number``: by it the server knows whose booking it
is, whatever e-mail address is said in the call. In its tracking it carries the idempotency key: by it a write whose
answer was lost is found.

Source: Calendly API reference, "List Event Type Available Times", "Create Event Invitee" (paid plans), "List Events",
"List Event Invitees", "Cancel Event", "Rate Limits".
"""

from collections.abc import MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import httpx

from core.ports.errors import VendorError
from core.ports.tools import ToolContext
from vendors.phone_numbers import known_number, same_number
from vendors.rest import Answer, Rest
from vendors.slot_times import local_time, moment, offered, span, told_time, utc_text, zone_of

VENDOR: Final = "calendly"
DEFAULT_BASE_URL: Final = "https://api.calendly.com"
SCOPE: Final = "calendly scope"
PAGE: Final = 20
MOST_PAGES: Final = 3
_NOT_FREE: Final = "this time is not free any more: look for free times again"


class Calendly:
    """One user or organization, by a personal access token.

    Args:
        kept: where it stays from call to call whose events the token's user may list.
    """

    def __init__(
        self, http: httpx.AsyncClient, base_url: str, token: str, kept: MutableMapping[str, Any], *, page: int = PAGE
    ) -> None:
        headers = {"authorization": f"Bearer {token}"}
        self._rest = Rest(VENDOR, http, base_url, headers, explain=_explain)
        self._kept = kept
        self._page = page

    async def find_slots(
        self, *, event_type: str, time_zone: str, earliest: str = "", latest: str = ""
    ) -> dict[str, Any]:
        """Free times between two times, a week from now on if nothing is said. ``event_type``: its URI."""
        zone = zone_of(self._rest, time_zone)
        first, last = span(self._rest, earliest, latest, zone)
        asked = {"event_type": event_type, "start_time": utc_text(first), "end_time": utc_text(last)}
        slots = await self._collection("/event_type_available_times", asked)
        starts = [told_time(slot.get("start_time")) for slot in slots if slot.get("status") == "available"]
        return offered([start for start in starts if start is not None], zone)

    async def book(
        self,
        context: ToolContext,
        *,
        event_type: str,
        start: str,
        name: str,
        email: str,
        time_zone: str,
        location_kind: str = "",
    ) -> dict[str, Any]:
        """Book a free time for the caller."""
        zone = zone_of(self._rest, time_zone)
        at = moment(self._rest, start, zone, "start")
        number = known_number(context.caller.number)
        if location_kind == "outbound_call" and not number:
            raise self._rest.refused("the caller's number is withheld: nobody could call it")
        where = {"kind": location_kind, **({"location": number} if location_kind == "outbound_call" else {})}
        booking = {
            "event_type": event_type,
            "start_time": utc_text(at),
            "invitee": {
                "name": name,
                "email": email,
                "timezone": time_zone,
                **({"text_reminder_number": number} if number else {}),
            },
            "tracking": {"utm_source": "holdfast", "utm_content": context.idempotency_key},
            **({"location": where} if location_kind else {}),
        }
        try:
            answer = await self._rest.send("POST", "/invitees", body=booking)
        except VendorError as error:
            if error.kind != "refused":
                raise
            before = await self.booked(context, event_type=event_type, start=start, email=email, time_zone=time_zone)
            if before is None:
                raise
            return before
        invitee = answer.body.get("resource") if isinstance(answer.body, dict) else None
        if not isinstance(invitee, dict) or not isinstance(invitee.get("event"), str):
            raise self._rest.broken("a booking without an event")
        return {"booking_id": _uuid(invitee["event"]), **local_time(utc_text(at), time_zone), "status": "active"}

    async def booked(
        self, context: ToolContext, *, event_type: str, start: str, email: str, time_zone: str
    ) -> dict[str, Any] | None:
        """What was booked at this very time under this idempotency key, if anything was."""
        at = moment(self._rest, start, zone_of(self._rest, time_zone), "start")
        for event in await self._events(email, at - timedelta(minutes=1), at + timedelta(minutes=1)):
            if event.get("event_type") == event_type:
                for invitee in await self._invitees(event, email):
                    if _has_key(invitee, context.idempotency_key):
                        return _told(event, invitee)
        return None

    async def find_bookings(self, context: ToolContext, *, email: str) -> dict[str, Any]:
        """The caller's bookings to come that were made with this e-mail address."""
        own = []
        for event in await self._events(email, datetime.now(UTC)):
            invitees = await self._invitees(event, email)
            own += [_told(event, one) for one in invitees if _is_of(one, context.caller.number)]
        return {"bookings": own}

    async def cancel(self, context: ToolContext, *, booking_id: str, reason: str = "") -> dict[str, Any]:
        """Cancel a booking of the caller's. One that is cancelled already stays so."""
        path = f"/scheduled_events/{quote(booking_id, safe='')}"
        answer = await self._rest.send("GET", path, expected=(403, 404))
        event = answer.body.get("resource") if answer.ok and isinstance(answer.body, dict) else None
        invitees = await self._invitees(event, "") if isinstance(event, dict) else []
        own = (_is_of(one, context.caller.number) or _has_key(one, context.idempotency_key) for one in invitees)
        if not isinstance(event, dict) or not any(own):
            raise self._rest.refused("the caller has no such booking")
        if event.get("status") != "canceled":
            why = {"reason": reason or "Asked for on the phone"}
            await self._rest.send("POST", f"{path}/cancellation", body=why)
        return {"booking_id": booking_id, "status": "canceled"}

    async def missing(self) -> list[str]:
        """Nothing. Raises VendorError if the token is not taken."""
        await self._rest.send("GET", "/users/me")
        return []

    async def _events(self, email: str, earliest: datetime, latest: datetime | None = None) -> list[dict[str, Any]]:
        asked = {
            "invitee_email": email,
            "status": "active",
            "sort": "start_time:asc",
            "count": str(self._page),
            "min_start_time": utc_text(earliest),
            **({"max_start_time": utc_text(latest)} if latest else {}),
        }
        return await self._collection("/scheduled_events", {**asked, **await self._whose()}, MOST_PAGES)

    async def _whose(self) -> dict[str, str]:
        """All events of the organization, if the token's user may see them; else the user's own."""
        if SCOPE in self._kept:
            return dict(self._kept[SCOPE])
        answer = await self._rest.send("GET", "/users/me")
        match answer.body:
            case {"resource": {"uri": str(user), "current_organization": str(organization)}}:
                probe = {"organization": organization, "count": "1"}
                seen = await self._rest.send("GET", "/scheduled_events", params=probe, expected=(403,))
            case _:
                raise self._rest.broken("a user without a URI")
        scope = {"organization": organization} if seen.ok else {"user": user}
        self._kept[SCOPE] = scope
        return scope

    async def _invitees(self, event: dict[str, Any], email: str) -> list[dict[str, Any]]:
        uuid = quote(_uuid(str(event.get("uri", ""))), safe="")
        asked = {"count": str(self._page), **({"email": email} if email else {})}
        if event.get("status") != "canceled":
            asked["status"] = "active"
        return await self._collection(f"/scheduled_events/{uuid}/invitees", asked)

    async def _collection(self, path: str, asked: dict[str, str], most_pages: int = 1) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        token: str | None = None
        for _ in range(most_pages):
            answer = await self._rest.send("GET", path, params={**asked, **({"page_token": token} if token else {})})
            body = answer.body if isinstance(answer.body, dict) else {}
            if not isinstance(body.get("collection"), list):
                raise self._rest.broken("a list that is none")
            found += [item for item in body["collection"] if isinstance(item, dict)]
            token = (body.get("pagination") or {}).get("next_page_token")
            if not token:
                break
        return found


def _uuid(uri: str) -> str:
    return uri.rpartition("/")[2]


def _is_of(invitee: dict[str, Any], number: str) -> bool:
    return same_number(invitee.get("text_reminder_number"), number)


def _has_key(invitee: dict[str, Any], key: str) -> bool:
    return (invitee.get("tracking") or {}).get("utm_content") == key


def _told(event: dict[str, Any], invitee: dict[str, Any]) -> dict[str, Any]:
    """What a caller may hear of it, by the invitee's clock."""
    return {
        "booking_id": _uuid(str(event.get("uri", ""))),
        "name": event.get("name"),
        **local_time(event.get("start_time"), invitee.get("timezone")),
        "status": event.get("status"),
    }


def _explain(answer: Answer) -> VendorError | None:
    """By the names of the parameters at fault: its messages quote what was sent."""
    if answer.status == 429:
        seconds = answer.headers.get("x-ratelimit-reset", "")
        wait = timedelta(seconds=int(seconds)) if seconds.isdecimal() and len(seconds) < 6 else None
        return VendorError(VENDOR, "rate_limited", "answered 429", curable=True, retry_after=wait)
    if answer.status not in (400, 404, 409, 422):
        return None
    details = answer.body.get("details") if isinstance(answer.body, dict) else None
    named = [detail.get("parameter") for detail in details or () if isinstance(detail, dict)]
    fields = sorted(name for name in named if isinstance(name, str))
    if answer.status == 409 or fields == ["start_time"]:
        return VendorError(VENDOR, "refused", _NOT_FREE, curable=False)
    what = ", ".join(fields) or "this"
    return VendorError(VENDOR, "refused", f"{what} was not taken", curable=False)
