"""Cal.com's API v2 on this machine: event types 101 (a call of 30 minutes) and 102 (a visit of an hour).

Both are booked by phone number alone, too. Jamie Rivera (+1 202 555 0161) has a visit from the start. ``GET
/v2/_bookings`` (open) lists all there is, ``POST`` makes a visit for somebody else. Faults: see ``sandbox.rest``.
"""

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from sandbox.config import config_of
from sandbox.diary import Diary
from sandbox.rest import Desk, Failed, bearer
from sandbox.state import SandboxState

_EVENT_TYPES = {101: ("Consultation call", "call", 30), 102: ("Visit", "visit", 60)}
_SLOTS_VERSION, _BOOKINGS_VERSION = "2024-09-04", "2024-08-13"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TAKEN = "User either already has booking at this time or is not available"


class WebBooking(BaseModel):
    """Who books, and the number they are known by."""

    name: str
    number: str


class _Account:
    """Its bookings."""

    def __init__(self) -> None:
        self.diary = Diary()
        self.bookings: list[dict[str, Any]] = []
        self.book_on_the_web("Jamie Rivera", "+12025550161")

    def book_on_the_web(self, name: str, number: str) -> dict[str, Any]:
        """A visit of an hour, three days on."""
        start = self.diary.first_free(datetime.now(UTC) + timedelta(days=3), timedelta(hours=1))
        attendee = {"name": name, "timeZone": "America/New_York", "phoneNumber": number}
        return self.book({"eventTypeId": 102, "start": _text(start), "attendee": attendee})

    def free(self, query: dict[str, str]) -> dict[str, list[dict[str, str]]]:
        """By day, in the time zone that was asked for."""
        _, length = _event_type(query.get("eventTypeId", ""))
        zone = ZoneInfo(query.get("timeZone", "UTC"))
        days: dict[str, list[dict[str, str]]] = {}
        for start in self.diary.free(_time(query.get("start"), "start"), _time(query.get("end"), "end"), length):
            local = start.astimezone(zone)
            days.setdefault(local.date().isoformat(), []).append({"start": local.isoformat(timespec="milliseconds")})
        return days

    def book(self, asked: dict[str, Any], moved_from: str | None = None) -> dict[str, Any]:
        event_type, length = _event_type(asked.get("eventTypeId"))
        start = _time(asked.get("start"), "start")
        attendee = _attendee(asked.get("attendee"))
        self._take(start, length)
        title, slug, minutes = _EVENT_TYPES[event_type]
        now = _text(datetime.now(UTC))
        booking = {
            "id": 1_000 + len(self.bookings),
            "uid": secrets.token_urlsafe(16),
            "title": f"{title} between Sam and {attendee['name']}",
            "description": "",
            "hosts": [{"id": 1, "name": "Sam", "email": "sam@example.com", "username": "sam"}],
            "status": "accepted",
            "start": _text(start),
            "end": _text(start + length),
            "duration": minutes,
            "eventTypeId": event_type,
            "eventType": {"id": event_type, "slug": slug},
            "absentHost": False,
            "createdAt": now,
            "updatedAt": now,
            "metadata": asked.get("metadata", {}),
            "attendees": [attendee],
            "guests": [],
            "bookingFieldsResponses": asked.get("bookingFieldsResponses", {}),
            **({"rescheduledFromUid": moved_from} if moved_from else {}),
        }
        self.bookings.append(booking)
        return booking

    def move(self, uid: str, asked: dict[str, Any]) -> dict[str, Any]:
        old = self.find(uid)
        if old["status"] == "cancelled":
            why = "it has been rescheduled" if "rescheduledToUid" in old else "it has been cancelled"
            what = (
                f"Can't reschedule booking with uid={uid} because {why}. Please provide uid of a booking that is not."
            )
            raise Failed(400, _problem("BadRequestException", what))
        length = timedelta(minutes=old["duration"])
        self.diary.give_back(_time(old["start"], "start"), length)
        again = {name: old[name] for name in ("eventTypeId", "metadata", "bookingFieldsResponses")}
        try:
            new = self.book(again | {"start": asked.get("start"), "attendee": old["attendees"][0]}, moved_from=uid)
        except Failed:
            self.diary.take(_time(old["start"], "start"), length)
            raise
        old |= {"status": "cancelled", "rescheduledToUid": new["uid"]}
        return new | {"reschedulingReason": asked.get("reschedulingReason", "")}

    def cancel(self, uid: str, asked: dict[str, Any]) -> dict[str, Any]:
        booking = self.find(uid)
        if booking["status"] == "cancelled":
            what = f"Can't cancel booking with uid={uid} because it has been cancelled already."
            raise Failed(400, _problem("BadRequestException", what))
        self.diary.give_back(_time(booking["start"], "start"), timedelta(minutes=booking["duration"]))
        booking |= {"status": "cancelled", "cancellationReason": asked.get("cancellationReason", "")}
        return booking

    def find(self, uid: str) -> dict[str, Any]:
        found = next((booking for booking in self.bookings if booking["uid"] == uid), None)
        if found is None:
            what = f"Booking with uid={uid} was not found in the database"
            raise Failed(404, _problem("NotFoundException", what))
        return found

    def listed(self, query: dict[str, str]) -> dict[str, Any]:
        email, status = query.get("attendeeEmail"), query.get("status")
        now = datetime.now(UTC)
        found = [
            booking
            for booking in self.bookings
            if (email is None or any(attendee["email"] == email for attendee in booking["attendees"]))
            and (status != "upcoming" or (booking["status"] == "accepted" and _time(booking["start"], "") > now))
        ]
        found.sort(key=lambda booking: str(booking["start"]), reverse=query.get("sortStart") == "desc")
        take, skip = min(int(query.get("take", "100")), 250), int(query.get("skip", "0"))
        page = found[skip : skip + take]
        rest = max(0, len(found) - skip - take)
        pages = {"totalItems": len(found), "remainingItems": rest, "returnedItems": len(page), "itemsPerPage": take}
        return {"data": page, "pagination": pages | {"hasNextPage": rest > 0, "hasPreviousPage": skip > 0}}

    def _take(self, start: datetime, length: timedelta) -> None:
        if start <= datetime.now(UTC):
            raise Failed(400, _problem("BadRequestException", "Attempting to book a meeting in the past."))
        if not self.diary.is_free(start, length):
            raise Failed(400, _problem("BadRequestException", _TAKEN))
        self.diary.take(start, length)


def router(state: SandboxState) -> APIRouter:
    """Cal.com's routes."""
    routes = APIRouter(prefix="/v2", tags=["calcom"])
    account = _Account()
    desk = Desk(state, "calcom", _problem_of)

    async def answer(request: Request, version: str, act: Callable[[Any], dict[str, Any]], status: int) -> Response:
        def checked(body: Any) -> Response:
            if not config_of(request).takes_key("calcom", bearer(request)):
                raise Failed(401, _problem_of(401))
            if version and request.headers.get("cal-api-version") != version:  # an older API, which is another one
                what = f"Cannot {request.method} {request.url.path}"
                raise Failed(404, _problem("NotFoundException", what))
            return JSONResponse({"status": "success", **act(body)}, status)

        return await desk.answer(request, checked)

    @routes.get("/me")
    async def me(request: Request) -> Response:
        """Whose key it is."""
        return await answer(request, "", lambda _: {"data": {"id": 1, "username": "sam"}}, 200)

    @routes.get("/slots")
    async def slots(request: Request) -> Response:
        """What is free."""
        query = dict(request.query_params)
        return await answer(request, _SLOTS_VERSION, lambda _: {"data": account.free(query)}, 200)

    @routes.get("/bookings")
    async def bookings(request: Request) -> Response:
        """A page of bookings."""
        query = dict(request.query_params)
        return await answer(request, _BOOKINGS_VERSION, lambda _: account.listed(query), 200)

    @routes.post("/bookings")
    async def book(request: Request) -> Response:
        """A new booking."""
        return await answer(request, _BOOKINGS_VERSION, lambda body: {"data": account.book(_object(body))}, 201)

    @routes.get("/bookings/{uid}")
    async def read(request: Request, uid: str) -> Response:
        """One booking."""
        return await answer(request, _BOOKINGS_VERSION, lambda _: {"data": account.find(uid)}, 200)

    @routes.post("/bookings/{uid}/reschedule")
    async def move(request: Request, uid: str) -> Response:
        """A new booking instead of this one."""
        return await answer(request, _BOOKINGS_VERSION, lambda body: {"data": account.move(uid, _object(body))}, 201)

    @routes.post("/bookings/{uid}/cancel")
    async def cancel(request: Request, uid: str) -> Response:
        """No booking any more."""
        return await answer(request, _BOOKINGS_VERSION, lambda body: {"data": account.cancel(uid, _object(body))}, 200)

    _add_open_routes(routes, account)
    return routes


def _add_open_routes(routes: APIRouter, account: _Account) -> None:
    """What the real one does not have."""

    @routes.get("/_bookings")
    def all_bookings() -> list[dict[str, Any]]:
        """All there is."""
        return account.bookings

    @routes.post("/_bookings", status_code=201)
    def book_on_the_web(visit: WebBooking) -> dict[str, Any]:
        """Somebody books a visit by themselves, so that there is one to speak of."""
        return account.book_on_the_web(visit.name, visit.number)


def _event_type(asked: Any) -> tuple[int, timedelta]:
    number = int(asked) if str(asked).isdecimal() else 0
    if number not in _EVENT_TYPES:
        raise Failed(404, _problem("NotFoundException", f"Event type with id {asked} not found."))
    return number, timedelta(minutes=_EVENT_TYPES[number][2])


def _attendee(asked: Any) -> dict[str, Any]:
    if not isinstance(asked, dict) or not asked.get("name"):
        raise Failed(400, _problem("BadRequestException", "attendee.name must be a string"))
    try:
        ZoneInfo(str(asked.get("timeZone")))
    except (KeyError, ValueError, OSError):
        raise Failed(400, _problem("BadRequestException", "attendee.timeZone must be a valid time zone")) from None
    number, email = asked.get("phoneNumber"), asked.get("email")
    if not number and not email:
        what = "At least one contact method (email or phone number) must be provided"
        raise Failed(400, _problem("BadRequestException", what))
    if email and not _EMAIL.fullmatch(email):
        raise Failed(400, _problem("BadRequestException", "attendee.email Invalid email format"))
    if number and not _is_number(number):
        what = "Invalid phone number format. Please use international format."
        raise Failed(400, _problem("BadRequestException", what))
    address = email or f"{str(number).removeprefix('+')}@sms.cal.com"
    return {
        "name": asked["name"],
        "email": address,
        "displayEmail": address,
        "timeZone": asked["timeZone"],
        "language": asked.get("language", "en"),
        "absent": False,
        **({"phoneNumber": number} if number else {}),
    }


def _is_number(text: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(text, None))
    except phonenumbers.NumberParseException:
        return False


def _time(text: Any, name: str) -> datetime:
    try:
        read = datetime.fromisoformat(str(text))
    except ValueError:
        raise Failed(400, _problem("BadRequestException", f"{name} must be a valid ISO 8601 date string")) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Failed(400, _problem("BadRequestException", "Unexpected end of JSON input"))
    return body


def _problem(code: str, message: str) -> dict[str, Any]:
    return {"status": "error", "timestamp": _text(datetime.now(UTC)), "error": {"code": code, "message": message}}


def _problem_of(status: int) -> dict[str, Any]:
    match status:
        case 401:
            return _problem("UnauthorizedException", "Invalid API Key")
        case 429:
            return _problem("ThrottlerException", "Too Many Requests")
    return _problem("InternalServerErrorException", "Internal server error")
