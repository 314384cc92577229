"""The part of a playbook that says what happens after the call."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from core.playbook_parts import Line, Misplaced, Name, Part
from core.quiet_hours import QuietHours, time_zones

TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]

Ending = Literal[  # core.outcome.Disposition
    "completed",
    "caller_hung_up",
    "transferred",
    "taken_over",
    "ended_by_operator",
    "caller_silent",
    "vendor_failure",
    "connection_lost",
    "no_answer",
    "busy",
    "failed",
    "canceled",
    "voicemail",
    "not_allowed",
]
RECORDED: Final = "recorded"
BUILT_IN: Final = ("caller_number", "our_number")
_PLACE: Final = re.compile(r"\{([^{}]*)\}")
_VARIABLE: Final = re.compile(r"variables\.[A-Za-z_][A-Za-z0-9_]*")
_NO_BOUND: Final = ("$ref", "allOf", "oneOf", "not", "if", "patternProperties")


class QuietChoice(Part):
    """When nobody is written to, by the person's own clock."""

    begin: TimeOfDay = "20:00"
    end: TimeOfDay = "09:00"
    timezone: str | None = Field(None, description="IANA name; without one the phone number tells")

    @property
    def hours(self) -> QuietHours:
        """As decisions use them."""
        return QuietHours(_minutes(self.begin), _minutes(self.end), self.timezone or "")


class FollowUp(Part):
    """A message to the person once the call is over. It is sent only with consent."""

    name: Name
    by: Literal["sms", "email"]
    text: Annotated[str, Field(min_length=1, max_length=1_600)]
    subject: Line | None = Field(None, description="of an e-mail")
    to: Annotated[str, Field(max_length=120)] | None = Field(
        None, description="the field that holds the address, as {email}; an SMS goes to the caller"
    )
    consent: str = Field(
        RECORDED,
        description="'recorded': the caller has consented by key; or the extracted yes-or-no field that tells it",
    )
    when: tuple[Ending, ...] = Field((), description="only after calls that ended so; none: after every one")
    only_if: str | None = Field(None, description="an extracted field that must be there and not be false")


class AfterCallChoice(Part):
    """What happens after the call."""

    extract: dict[str, Any] = Field(
        default_factory=dict, description="JSON Schema of an object: the fields that the model fills from the call"
    )
    crm: bool = Field(True, description="whether the CRM gets a note")
    follow_ups: tuple[FollowUp, ...] = Field((), max_length=10)
    quiet_hours: QuietChoice = QuietChoice()

    @property
    def properties(self) -> dict[str, Any]:
        """The fields to extract."""
        properties = self.extract.get("properties", {})
        return properties if isinstance(properties, dict) else {}

    def follow_up(self, name: str) -> FollowUp | None:
        """The follow-up of that name."""
        return next((follow_up for follow_up in self.follow_ups if follow_up.name == name), None)


def check_after_call(choice: AfterCallChoice) -> None:
    """Raises Misplaced."""
    if choice.extract:
        _extract_fits(choice)
    if (zone := choice.quiet_hours.timezone) is not None and zone not in time_zones():
        raise Misplaced(
            ("after_call", "quiet_hours", "timezone"), f"no time zone is named {zone!r}", zone, time_zones()
        )
    names = [follow_up.name for follow_up in choice.follow_ups]
    for index, follow_up in enumerate(choice.follow_ups):
        at = ("after_call", "follow_ups", index)
        if follow_up.name in names[:index]:
            raise Misplaced((*at, "name"), f"{follow_up.name!r} is used twice")
        _follow_up_fits(follow_up, choice, at)


def _extract_fits(choice: AfterCallChoice) -> None:
    at = ("after_call", "extract")
    if choice.extract.get("type") != "object" or not choice.properties:
        raise Misplaced(at, "must be the JSON Schema of an object, with properties")
    for name, schema in choice.properties.items():
        if not isinstance(schema, dict) or not ({"type", "enum"} & schema.keys()):
            raise Misplaced((*at, "properties", name), "must be a JSON Schema with a type or an enum")
        for word in _NO_BOUND:
            if word in schema:
                raise Misplaced((*at, "properties", name, word), "is more than a model can be asked for here")
    required = choice.extract.get("required", [])
    if not isinstance(required, list):
        raise Misplaced((*at, "required"), "must be a list")
    for place, name in enumerate(required):
        if name not in choice.properties:
            raise Misplaced((*at, "required", place), f"no field is named {name!r}", str(name), list(choice.properties))


def _follow_up_fits(follow_up: FollowUp, choice: AfterCallChoice, at: tuple[str | int, ...]) -> None:
    fields = list(choice.properties)
    if follow_up.by == "email":
        for field in ("to", "subject"):
            if getattr(follow_up, field) is None:
                raise Misplaced((*at, field), "is missing: an e-mail needs it")
    elif follow_up.to is not None or follow_up.subject is not None:
        raise Misplaced((*at, "by"), "an SMS goes to the caller and has no subject: leave `to` and `subject` out")
    for field in ("text", "subject", "to"):
        for place in placeholders(getattr(follow_up, field) or ""):
            if place not in (*fields, *BUILT_IN) and not _VARIABLE.fullmatch(place):
                raise Misplaced((*at, field), f"nothing is named {place!r}", place, [*fields, *BUILT_IN])
    if follow_up.consent != RECORDED:
        if follow_up.consent not in fields:
            raise Misplaced((*at, "consent"), "is no extracted field", follow_up.consent, [RECORDED, *fields])
        if choice.properties[follow_up.consent].get("type") != "boolean":
            raise Misplaced((*at, "consent"), f"{follow_up.consent!r} must be of type boolean")
    if follow_up.only_if is not None and follow_up.only_if not in fields:
        raise Misplaced((*at, "only_if"), "is no extracted field", follow_up.only_if, fields)


def placeholders(text: str) -> list[str]:
    """The names in braces."""
    return _PLACE.findall(text)


def filled(text: str, values: dict[str, Any]) -> str:
    """The text with its names replaced. Raises KeyError with the name that has no value."""

    def value(found: re.Match[str]) -> str:
        known = values.get(found[1])
        if known is None or known == "":
            raise KeyError(found[1])
        if isinstance(known, bool):
            return "yes" if known else "no"
        return " ".join(str(known).split())

    return _PLACE.sub(value, text)


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)
