"""Where somebody may be, by their number and what the list says of them."""

from typing import Final
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone

from core.calling_window import ZonePolicy

UNKNOWN: Final = "Etc/Unknown"


class UnknownZone(ValueError):
    """No time zone has this name."""


def zones_of(number: str, stated: str = "", policy: ZonePolicy = ZonePolicy.STATED_OR_NUMBER) -> tuple[str, ...]:
    """Every time zone the person may be in; () if nothing is known.

    Args:
        number: E.164. One that is bound to no place has all zones of its country.
        stated: IANA name the list gives.
        policy: whether that is believed alone.

    Raises:
        UnknownZone: ``stated`` names none.
    """
    if not stated:
        return _zones_of_number(number)
    zone = _checked(stated)
    if policy is ZonePolicy.STATED_OR_NUMBER:
        return (zone,)
    return tuple(dict.fromkeys((zone, *_zones_of_number(number))))


def _zones_of_number(number: str) -> tuple[str, ...]:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ()
    found = timezone.time_zones_for_number(parsed)
    if UNKNOWN in found:  # not given out as far as is known here, so its further digits tell of no place
        country = phonenumbers.PhoneNumber(country_code=parsed.country_code, national_number=0)
        found = timezone.time_zones_for_geographical_number(country)
    return tuple(zone for zone in found if zone != UNKNOWN)


def _checked(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # a name that is a directory, or leads out of it
        raise UnknownZone(f"{name!r} is no time zone; one is Europe/Berlin") from error
    return name
