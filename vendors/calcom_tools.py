"""What playbooks can use of Cal.com."""

from collections.abc import Mapping
from typing import Any, Final

from core.ports.tools import PythonTool, ToolContext
from core.tools import Effect
from vendors.calcom import DEFAULT_BASE_URL, CalCom
from vendors.tool_schemas import EARLIEST, EMAIL, LATEST, SPOKEN_TIME, START, TIME_ZONE, described, text, unspoken

SECRETS: Final = ("CALCOM_API_KEY",)
_BOOKING_UID: Final = text("the booking_uid of one of the caller's bookings", 100) | {"said_as": "spoken_time"}
_EVENT_TYPE: Final = {"type": "integer", "minimum": 1, "description": "the id of what is booked"}
_WHAT_IS_BOOKED: Final = described(("event_type_id", "time_zone"), event_type_id=_EVENT_TYPE, time_zone=TIME_ZONE)
_WHERE: Final = described(("time_zone",), time_zone=TIME_ZONE)


def _account(context: ToolContext) -> CalCom:
    base_url = context.secret("CALCOM_BASE_URL", DEFAULT_BASE_URL)
    return CalCom(context.http, base_url, context.secret("CALCOM_API_KEY"))


async def _find_slots(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _account(context).find_slots(**arguments, **context.settings)


async def _book(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _account(context).book(context, **unspoken(arguments), **context.settings)


async def _booked(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any] | None:
    return await _account(context).booked(context, email=arguments.get("email", ""))


async def _unbook(arguments: Mapping[str, Any], answer: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _account(context).cancel(context, booking_uid=str(answer["booking_uid"]))


async def _find_bookings(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _account(context).find_bookings(context, **arguments)


async def _reschedule(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _account(context).reschedule(context, **unspoken(arguments), **context.settings)


async def _cancel(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _account(context).cancel(context, **unspoken(arguments))


FIND_SLOTS: Final = PythonTool(
    "Find free times. Offer two or three of them at a time.",
    _find_slots,
    described(earliest=EARLIEST, latest=LATEST),
    timeout_seconds=8.0,
    settings=_WHAT_IS_BOOKED,
    secrets=SECRETS,
)
BOOK: Final = PythonTool(
    "Book a free time for the caller, who is reached at the number they call from.",
    _book,
    described(
        ("start", "spoken_time", "name"),
        start=START,
        spoken_time=SPOKEN_TIME,
        name=text("the caller's name"),
        email=EMAIL,
        notes=text("what the host should know", 500),
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
    described(email=text("the e-mail address they were made with, if the caller says one", 254, 3)),
    timeout_seconds=8.0,
    secrets=SECRETS,
)
RESCHEDULE: Final = PythonTool(
    "Move one of the caller's bookings to a free time.",
    _reschedule,
    described(("booking_uid", "start", "spoken_time"), booking_uid=_BOOKING_UID, start=START, spoken_time=SPOKEN_TIME),
    Effect.WRITE,
    idempotent=True,
    timeout_seconds=10.0,
    settings=_WHERE,
    secrets=SECRETS,
)
CANCEL: Final = PythonTool(
    "Cancel one of the caller's bookings.",
    _cancel,
    described(
        ("booking_uid", "spoken_time"),
        booking_uid=_BOOKING_UID,
        spoken_time=SPOKEN_TIME,
        reason=text("why, in a few words"),
    ),
    Effect.IRREVERSIBLE,
    idempotent=True,
    timeout_seconds=10.0,
    secrets=SECRETS,
)
