"""Calendly's API v2 on this machine: two event types, what is free, bookings and cancellations.

Event types are ``/event_types/CALL`` (30 minutes) and ``/event_types/VISIT`` (an hour) at ``https://api.calendly.com``,
as the real one's URIs are, wherever it is reached. ``GET /_calendly/events`` (open) lists all bookings. Faults: see
``sandbox.rest``.
"""

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from sandbox.config import config_of
from sandbox.diary import Diary
from sandbox.rest import Desk, Failed, bearer
from sandbox.state import Fault, SandboxState

_HOME = "https://api.calendly.com"
_USER, _ORGANIZATION = f"{_HOME}/users/SAM", f"{_HOME}/organizations/SUNFIELD"
_EVENT_TYPES = {f"{_HOME}/event_types/CALL": ("Consultation call", 30), f"{_HOME}/event_types/VISIT": ("Visit", 60)}
_LONGEST = timedelta(days=31)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class _Calendar:
    """Its events, each with its invitee."""

    def __init__(self) -> None:
        self.diary = Diary()
        self.events: list[dict[str, Any]] = []
        self.invitees: dict[str, dict[str, Any]] = {}  # event URI -> who is invited

    def free(self, query: dict[str, str]) -> list[dict[str, Any]]:
        length = _length(query.get("event_type"))
        first, last = _time(query.get("start_time"), "start_time"), _time(query.get("end_time"), "end_time")
        if first < datetime.now(UTC) or last <= first:
            raise Failed(400, _invalid("start_time", "must be in the future and before end_time"))
        if last - first > _LONGEST:
            raise Failed(400, _invalid("end_time", "must be no more than 31 days from start_time"))
        return [
            {"status": "available", "invitees_remaining": 1, "start_time": _text(start), "scheduling_url": ""}
            for start in self.diary.free(first, last, length)
        ]

    def book(self, asked: dict[str, Any]) -> dict[str, Any]:
        length = _length(asked.get("event_type"))
        start = _time(asked.get("start_time"), "start_time")
        invitee = asked.get("invitee")
        if not isinstance(invitee, dict) or not (invitee.get("name") or invitee.get("first_name")):
            raise Failed(400, _invalid("invitee.name", "can't be blank"))
        if not _EMAIL.fullmatch(str(invitee.get("email"))):
            raise Failed(400, _invalid("invitee.email", f"{invitee.get('email')} is invalid"))
        if not invitee.get("timezone"):
            raise Failed(400, _invalid("invitee.timezone", "can't be blank"))
        if not self.diary.is_free(start, length):
            raise Failed(400, _invalid("start_time", "is not available"))
        self.diary.take(start, length)
        event = self._event(asked, start, length)
        uri = f"{event['uri']}/invitees/{secrets.token_hex(8)}"
        self.invitees[event["uri"]] = {
            "uri": uri,
            "event": event["uri"],
            "status": "active",
            "rescheduled": False,
            "old_invitee": None,
            "new_invitee": None,
            "cancel_url": f"https://calendly.com/cancellations/{uri.rpartition('/')[2]}",
            "reschedule_url": f"https://calendly.com/reschedulings/{uri.rpartition('/')[2]}",
            "tracking": asked.get("tracking", {}),
            "text_reminder_number": None,
            "created_at": _text(datetime.now(UTC)),
            "updated_at": _text(datetime.now(UTC)),
            **invitee,
        }
        return self.invitees[event["uri"]]

    def listed(self, query: dict[str, str]) -> list[dict[str, Any]]:
        if "organization" not in query and "user" not in query:
            raise Failed(400, _invalid("user", "one of user, organization or group is required"))
        if query.get("organization", _ORGANIZATION) != _ORGANIZATION or query.get("user", _USER) != _USER:
            raise Failed(403, _problem("Permission Denied", "You do not have permission to access this resource."))
        email, status = query.get("invitee_email"), query.get("status")
        earliest = _time(query.get("min_start_time", "2000-01-01T00:00:00Z"), "min_start_time")
        latest = _time(query.get("max_start_time", "2100-01-01T00:00:00Z"), "max_start_time")
        found = [
            event
            for event in self.events
            if (email is None or self.invitees[event["uri"]]["email"] == email)
            and status in (None, event["status"])
            and earliest <= _time(event["start_time"], "") <= latest
        ]
        return sorted(found, key=lambda event: str(event["start_time"]))

    def invited(self, uuid: str, query: dict[str, str]) -> list[dict[str, Any]]:
        invitee = self.invitees[self.find(uuid)["uri"]]
        fits = query.get("status") in (None, invitee["status"]) and query.get("email") in (None, invitee["email"])
        return [invitee] if fits else []

    def cancel(self, uuid: str, asked: dict[str, Any]) -> dict[str, Any]:
        event = self.find(uuid)
        if event["status"] == "canceled":
            raise Failed(403, _problem("Permission Denied", "Event is already canceled"))
        cancellation = {"canceled_by": "Sam", "reason": asked.get("reason"), "canceler_type": "host"}
        event |= {"status": "canceled", "cancellation": cancellation}
        self.invitees[event["uri"]]["status"] = "canceled"
        self.diary.give_back(_time(event["start_time"], ""), _length(event["event_type"]))
        return cancellation

    def find(self, uuid: str) -> dict[str, Any]:
        found = next((event for event in self.events if event["uri"].endswith(f"/{uuid}")), None)
        if found is None:
            raise Failed(404, _problem("Resource Not Found", "The server could not find the requested resource."))
        return found

    def _event(self, asked: dict[str, Any], start: datetime, length: timedelta) -> dict[str, Any]:
        event = {
            "uri": f"{_HOME}/scheduled_events/{secrets.token_hex(8)}",
            "name": _EVENT_TYPES[asked["event_type"]][0],
            "status": "active",
            "start_time": _text(start),
            "end_time": _text(start + length),
            "event_type": asked["event_type"],
            "location": asked.get("location"),
            "invitees_counter": {"total": 1, "active": 1, "limit": 1},
            "event_memberships": [{"user": _USER}],
            "created_at": _text(datetime.now(UTC)),
            "updated_at": _text(datetime.now(UTC)),
        }
        self.events.append(event)
        return event


def router(state: SandboxState) -> APIRouter:
    """Calendly's routes."""
    routes = APIRouter(tags=["calendly"])
    calendar = _Calendar()
    desk = Desk(state, "calendly", _problem_of, _rate_limit)

    async def answer(request: Request, act: Callable[[Any], dict[str, Any]], status: int = 200) -> Response:
        def checked(body: Any) -> Response:
            if not config_of(request).takes_key("calendly", bearer(request)):
                raise Failed(401, _problem_of(401))
            return JSONResponse(act(body), status)

        return await desk.answer(request, checked)

    @routes.get("/users/me")
    async def me(request: Request) -> Response:
        """Whose token it is."""
        user = {"uri": _USER, "name": "Sam", "timezone": "America/New_York", "current_organization": _ORGANIZATION}
        return await answer(request, lambda _: {"resource": user})

    @routes.get("/event_type_available_times")
    async def free(request: Request) -> Response:
        """What is free."""
        query = dict(request.query_params)
        return await answer(request, lambda _: {"collection": calendar.free(query)})

    @routes.post("/invitees")
    async def book(request: Request) -> Response:
        """A new booking."""
        return await answer(request, lambda body: {"resource": calendar.book(_object(body))}, 201)

    @routes.get("/scheduled_events")
    async def events(request: Request) -> Response:
        """A page of bookings."""
        query = dict(request.query_params)
        return await answer(request, lambda _: _page(calendar.listed(query), query))

    @routes.get("/scheduled_events/{uuid}")
    async def event(request: Request, uuid: str) -> Response:
        """One booking."""
        return await answer(request, lambda _: {"resource": calendar.find(uuid)})

    @routes.get("/scheduled_events/{uuid}/invitees")
    async def invitees(request: Request, uuid: str) -> Response:
        """Who is invited."""
        query = dict(request.query_params)
        return await answer(request, lambda _: _page(calendar.invited(uuid, query), query))

    @routes.post("/scheduled_events/{uuid}/cancellation")
    async def cancel(request: Request, uuid: str) -> Response:
        """No booking any more."""
        return await answer(request, lambda body: {"resource": calendar.cancel(uuid, _object(body))}, 201)

    @routes.get("/_calendly/events")
    def all_events() -> list[dict[str, Any]]:
        """All there is."""
        return [event | {"invitee": calendar.invitees[event["uri"]]} for event in calendar.events]

    return routes


def _page(items: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    """With an opaque token for the next one, as the real one has."""
    count, start = min(int(query.get("count", "20")), 100), int(query.get("page_token", "p0")[1:])
    more = start + count < len(items)
    token = f"p{start + count}" if more else None
    pages = {"count": len(items[start : start + count]), "next_page_token": token, "previous_page_token": None}
    return {"collection": items[start : start + count], "pagination": pages}


def _length(event_type: Any) -> timedelta:
    if event_type not in _EVENT_TYPES:
        raise Failed(400, _invalid("event_type", "is invalid"))
    return timedelta(minutes=_EVENT_TYPES[event_type][1])


def _time(text: Any, name: str) -> datetime:
    try:
        read = datetime.fromisoformat(str(text))
    except ValueError:
        raise Failed(400, _invalid(name, "must be a valid ISO 8601 date-time")) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def _object(body: Any) -> dict[str, Any]:
    return body if isinstance(body, dict) else {}


def _invalid(parameter: str, message: str) -> dict[str, Any]:
    details = [{"parameter": parameter, "message": message}]
    return _problem("Invalid Argument", "The supplied parameters are invalid.") | {"details": details}


def _problem(title: str, message: str) -> dict[str, Any]:
    return {"title": title, "message": message}


def _problem_of(status: int) -> dict[str, Any]:
    match status:
        case 401:
            return _problem("Unauthenticated", "The access token is invalid")
        case 403:
            return _problem("Permission Denied", "You do not have permission to access this resource.")
        case 429:
            return _problem("Too Many Requests", "The rate limit was exceeded.")
    return _problem("Internal Server Error", "The server encountered an unexpected condition.")


def _rate_limit(fault: Fault) -> dict[str, str]:
    """Calendly tells the wait in a header of its own."""
    return (
        {}
        if fault.retry_after is None
        else {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{fault.retry_after:g}"}
    )
