"""What playbooks can use of Calendly."""

from collections.abc import Mapping
from typing import Any, Final

from core.ports.tools import PythonTool, ToolContext
from core.tools import Effect
from vendors.calendly import DEFAULT_BASE_URL, Calendly
from vendors.tool_schemas import (
    EARLIEST,
    EMAIL,
    LATEST,
    SPOKEN_TIME,
    START,
    TIME_ZONE,
    choice,
    described,
    text,
    unspoken,
)

SECRETS: Final = ("CALENDLY_TOKEN",)
_EVENT_TYPE: Final = text("the URI of what is booked, https://api.calendly.com/event_types/...")
_LOCATION: Final = choice(
    "where they meet, if the event type leaves it open; outbound_call: the host calls the caller's number",
    *("outbound_call", "google_conference", "zoom_conference", "microsoft_teams_conference", "webex_conference"),
)
_WHAT_IS_LOOKED_FOR: Final = described(("event_type", "time_zone"), event_type=_EVENT_TYPE, time_zone=TIME_ZONE)
_WHAT_IS_BOOKED: Final = described(
    ("event_type", "time_zone"), event_type=_EVENT_TYPE, time_zone=TIME_ZONE, location_kind=_LOCATION
)


def _calendar(context: ToolContext) -> Calendly:
    base_url = context.secret("CALENDLY_BASE_URL", DEFAULT_BASE_URL)
    return Calendly(context.http, base_url, context.secret("CALENDLY_TOKEN"), context.kept)


async def _find_slots(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _calendar(context).find_slots(**arguments, **context.settings)


async def _book(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _calendar(context).book(context, **unspoken(arguments), **context.settings)


async def _booked(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any] | None:
    return await _calendar(context).booked(
        context,
        event_type=context.settings["event_type"],
        time_zone=context.settings["time_zone"],
        start=arguments["start"],
        email=arguments["email"],
    )


async def _unbook(arguments: Mapping[str, Any], answer: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _calendar(context).cancel(context, booking_id=str(answer["booking_id"]))


async def _find_bookings(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _calendar(context).find_bookings(context, **arguments)


async def _cancel(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _calendar(context).cancel(context, **unspoken(arguments))


FIND_SLOTS: Final = PythonTool(
    "Find free times. Offer two or three of them at a time.",
    _find_slots,
    described(earliest=EARLIEST, latest=LATEST),
    timeout_seconds=8.0,
    settings=_WHAT_IS_LOOKED_FOR,
    secrets=SECRETS,
)
BOOK: Final = PythonTool(
    "Book a free time for the caller, who gets a confirmation by e-mail.",
    _book,
    described(
        ("start", "spoken_time", "name", "email"),
        start=START,
        spoken_time=SPOKEN_TIME,
        name=text("the caller's name"),
        email=EMAIL,
    ),
    Effect.WRITE,
    look_up=_booked,
    compensate=_unbook,
    timeout_seconds=10.0,
    settings=_WHAT_IS_BOOKED,
    secrets=SECRETS,
)
FIND_BOOKINGS: Final = PythonTool(
    "Tell the caller's bookings to come.",
    _find_bookings,
    described(("email",), email=text("the e-mail address they were made with", 254, 3)),
    timeout_seconds=10.0,
    secrets=SECRETS,
)
CANCEL: Final = PythonTool(
    "Cancel one of the caller's bookings.",
    _cancel,
    described(
        ("booking_id", "spoken_time"),
        booking_id=text("the booking_id of one of the caller's bookings", 100) | {"said_as": "spoken_time"},
        spoken_time=SPOKEN_TIME,
        reason=text("why, in a few words"),
    ),
    Effect.IRREVERSIBLE,
    idempotent=True,
    timeout_seconds=10.0,
    secrets=SECRETS,
)
