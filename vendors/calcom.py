"""Cal.com: free times, bookings, changes and cancellations over its API v2, in its cloud or hosted by yourself.

A booking carries the caller's number and, in its metadata, the idempotency key: by the number the server knows whose
booking it is, whatever uid or e-mail address is said in the call; by the key a write whose answer was lost is found.

Source: Cal.com API v2 reference, "Slots" (cal-api-version 2024-09-04) and "Bookings" (2024-08-13); a booking by phone
alone has the address "<digits>@sms.cal.com".
"""

from typing import Any, Final
from urllib.parse import quote

import httpx

from core.ports.errors import VendorError
from core.ports.tools import ToolContext
from vendors.phone_numbers import known_number, same_number
from vendors.rest import Answer, Rest
from vendors.slot_times import local_time, moment, offered, span, told_time, utc_text, zone_of

VENDOR: Final = "calcom"
DEFAULT_BASE_URL: Final = "https://api.cal.com"
SLOTS: Final = {"cal-api-version": "2024-09-04"}
BOOKINGS: Final = {"cal-api-version": "2024-08-13"}
KEY: Final = "holdfast_key"
PAGE: Final = 100
MOST_PAGES: Final = 5
MOST_MOVES: Final = 10  # that are followed to where a booking is now
_REASONS: Final = {
    "already has booking at this time": "this time is not free any more: look for free times again",
    "not available": "this time is not free any more: look for free times again",
    "can't be booked at the": "this time cannot be booked: look for free times",
    "in the past": "this time is in the past",
    "email": "an e-mail address is needed, or this one is not valid",
    "phone": "this phone number was not taken",
}


class CalCom:
    """One account, by its API key."""

    def __init__(self, http: httpx.AsyncClient, base_url: str, api_key: str, *, page: int = PAGE) -> None:
        headers = {"authorization": f"Bearer {api_key}"}
        self._rest = Rest(VENDOR, http, base_url, headers, explain=_explain)
        self._page = page

    async def find_slots(
        self, *, event_type_id: int, time_zone: str, earliest: str = "", latest: str = ""
    ) -> dict[str, Any]:
        """Free times between two times, a week from now on if nothing is said."""
        zone = zone_of(self._rest, time_zone)
        first, last = span(self._rest, earliest, latest, zone)
        asked = {"eventTypeId": str(event_type_id), "start": utc_text(first), "end": utc_text(last)}
        days = (await self._get("/v2/slots", {**asked, "timeZone": time_zone}, SLOTS)).body.get("data")
        if not isinstance(days, dict):
            raise self._rest.broken("free times that are none")
        slots = [slot for day in days.values() for slot in (day if isinstance(day, list) else ())]
        starts = [told_time(slot.get("start")) for slot in slots if isinstance(slot, dict)]
        return offered([start for start in starts if start is not None], zone)

    async def book(
        self,
        context: ToolContext,
        *,
        event_type_id: int,
        start: str,
        name: str,
        time_zone: str,
        email: str = "",
        notes: str = "",
    ) -> dict[str, Any]:
        """Book a free time for the caller. A second time under the same key brings the first booking."""
        zone = zone_of(self._rest, time_zone)
        at = moment(self._rest, start, zone, "start")
        number = known_number(context.caller.number)
        if not number and not email:
            raise self._rest.refused("the caller's number is withheld: an e-mail address is needed")
        reached = {"phoneNumber": number, "email": email}
        attendee = {"name": name, "timeZone": time_zone, **{way: value for way, value in reached.items() if value}}
        booking = {
            "eventTypeId": event_type_id,
            "start": utc_text(at),
            "attendee": attendee,
            "metadata": {KEY: context.idempotency_key, "holdfast_call": context.call_id},
            **({"bookingFieldsResponses": {"notes": notes}} if notes else {}),
        }
        try:
            answer = await self._post("/v2/bookings", booking)
        except VendorError as error:
            if error.kind != "refused":
                raise
            before = await self.booked(context, email=email)  # the time may be taken by this very booking
            if before is None:
                raise
            return before
        return _told(self._booking(answer), context.caller.number)

    async def booked(self, context: ToolContext, *, email: str = "") -> dict[str, Any] | None:
        """What was booked under this idempotency key, if anything was."""
        for booking in await self._bookings_at(context, email):
            if _has_key(booking, context.idempotency_key):
                return _told(booking, context.caller.number)
        return None

    async def find_bookings(self, context: ToolContext, *, email: str = "") -> dict[str, Any]:
        """The caller's bookings to come. ``email``: the address they were made with, if they have one."""
        found = {booking["uid"]: booking for booking in await self._bookings_at(context, email)}
        own = [booking for booking in found.values() if _attendee(booking, context.caller.number)]
        own.sort(key=lambda booking: str(booking.get("start")))
        return {"bookings": [_told(booking, context.caller.number) for booking in own]}

    async def reschedule(self, context: ToolContext, *, booking_uid: str, start: str, time_zone: str) -> dict[str, Any]:
        """Move a booking of the caller's to another free time. One that is there already stays as it is."""
        zone = zone_of(self._rest, time_zone)
        at = moment(self._rest, start, zone, "start")
        booking = await self._own(context, booking_uid)
        for _ in range(MOST_MOVES):
            if booking.get("status") != "cancelled" or not booking.get("rescheduledToUid"):
                break
            booking = await self._own(context, str(booking["rescheduledToUid"]))
        if booking.get("status") == "cancelled":
            raise self._rest.refused("this booking was cancelled")
        if told_time(booking.get("start")) == at:
            return _told(booking, context.caller.number)
        path = f"/v2/bookings/{quote(str(booking['uid']), safe='')}/reschedule"
        reason = {"start": utc_text(at), "reschedulingReason": "Asked for on the phone"}
        return _told(self._booking(await self._post(path, reason)), context.caller.number)

    async def cancel(self, context: ToolContext, *, booking_uid: str, reason: str = "") -> dict[str, Any]:
        """Cancel a booking of the caller's. One that is cancelled already stays so."""
        booking = await self._own(context, booking_uid)
        if booking.get("status") != "cancelled":
            path = f"/v2/bookings/{quote(booking_uid, safe='')}/cancel"
            await self._post(path, {"cancellationReason": reason or "Asked for on the phone"})
        return {"booking_uid": booking_uid, "status": "cancelled"}

    async def missing(self) -> list[str]:
        """Nothing. Raises VendorError if the key is not taken."""
        await self._rest.send("GET", "/v2/me")
        return []

    async def _own(self, context: ToolContext, uid: str) -> dict[str, Any]:
        """A booking that has the caller's number, or is this tool call's own; others are not there for this caller."""
        path = f"/v2/bookings/{quote(uid, safe='')}"
        answer = await self._rest.send("GET", path, headers=BOOKINGS, expected=(400, 404))
        if answer.ok:
            booking = self._booking(answer)
            if _attendee(booking, context.caller.number) or _has_key(booking, context.idempotency_key):
                return booking
        raise self._rest.refused("the caller has no such booking")

    async def _bookings_at(self, context: ToolContext, email: str) -> list[dict[str, Any]]:
        """Bookings to come under the address that Cal.com makes of the caller's number, and under ``email``."""
        number = known_number(context.caller.number)
        addresses = filter(None, [f"{number.removeprefix('+')}@sms.cal.com" if number else "", email])
        return [booking for address in addresses for booking in await self._under(address)]

    async def _under(self, address: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in range(MOST_PAGES):
            asked = {"attendeeEmail": address, "status": "upcoming", "sortStart": "asc"}
            body = (
                await self._get(
                    "/v2/bookings", {**asked, "take": str(self._page), "skip": str(page * self._page)}, BOOKINGS
                )
            ).body
            bookings = body.get("data")
            if not isinstance(bookings, list):
                raise self._rest.broken("bookings that are none")
            found += [booking for booking in bookings if isinstance(booking, dict) and "uid" in booking]
            if not (body.get("pagination") or {}).get("hasNextPage"):
                break
        return found

    async def _get(self, path: str, params: dict[str, str], version: dict[str, str]) -> Answer:
        answer = await self._rest.send("GET", path, params=params, headers=version)
        if not isinstance(answer.body, dict):
            raise self._rest.broken("an answer that is no object")
        return answer

    async def _post(self, path: str, body: dict[str, Any]) -> Answer:
        return await self._rest.send("POST", path, body=body, headers=BOOKINGS)

    def _booking(self, answer: Answer) -> dict[str, Any]:
        booking = answer.body.get("data") if isinstance(answer.body, dict) else None
        if not isinstance(booking, dict) or not booking.get("uid"):
            raise self._rest.broken("a booking without a uid")
        return booking


def _attendee(booking: dict[str, Any], number: str) -> dict[str, Any] | None:
    attendees = booking.get("attendees")
    found = [attendee for attendee in (attendees if isinstance(attendees, list) else ()) if isinstance(attendee, dict)]
    return next((attendee for attendee in found if same_number(attendee.get("phoneNumber"), number)), None)


def _has_key(booking: dict[str, Any], key: str) -> bool:
    return (booking.get("metadata") or {}).get(KEY) == key


def _told(booking: dict[str, Any], number: str) -> dict[str, Any]:
    """What a caller may hear of it, by the clock of whom it is with."""
    attendee = _attendee(booking, number) or {}
    return {
        "booking_uid": booking["uid"],
        "title": booking.get("title"),
        **local_time(booking.get("start"), attendee.get("timeZone")),
        "minutes": booking.get("duration"),
        "status": booking.get("status"),
    }


def _explain(answer: Answer) -> VendorError | None:
    """Its reasons for a 400 are sentences of its own; they are sorted, not passed on: some quote what was sent."""
    problem = answer.body.get("error") if isinstance(answer.body, dict) else None
    message = str(problem.get("message", "")) if isinstance(problem, dict) else ""
    if answer.status not in (400, 409):
        return None
    for part, words in _REASONS.items():
        if part in message:
            return VendorError(VENDOR, "refused", words, curable=False)
    return VendorError(VENDOR, "refused", "this was not taken", curable=False)
