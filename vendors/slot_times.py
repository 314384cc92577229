"""Times as a model writes them, and as calendars want them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from vendors.rest import Rest

MOST_SLOTS = 12  # more nobody listens to
USUAL_SPAN = timedelta(days=7)
LONGEST_SPAN = timedelta(days=31)  # that Calendly takes at once


def zone_of(rest: Rest, name: str) -> ZoneInfo:
    """An IANA time zone. Raises VendorError, as the vendor would refuse it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; no name at all; a folder's name
        raise rest.refused("time_zone is no IANA time zone") from None


def moment(rest: Rest, text: str, zone: ZoneInfo, name: str) -> datetime:
    """ISO 8601 as UTC; without an offset it is meant in ``zone``. Raises VendorError, which calls it ``name``."""
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise rest.refused(f"{name} is no ISO 8601 time") from None  # the cause quotes what was said


def span(rest: Rest, earliest: str, latest: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Where to look for free times, from now on: a week where nothing else is said. Raises VendorError."""
    soon = datetime.now(UTC) + timedelta(minutes=1)
    first = max(moment(rest, earliest, zone, "earliest"), soon) if earliest else soon
    last = moment(rest, latest, zone, "latest") if latest else first + USUAL_SPAN
    if last <= first:
        raise rest.refused(
            f"latest must be after earliest, and to come; it is {soon.astimezone(zone):%A, %Y-%m-%d} now"
        )
    return first, min(last, first + LONGEST_SPAN)


def told_time(text: object) -> datetime | None:
    """A time in a vendor's answer; None if it is none."""
    try:
        read = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return read if read is not None and read.tzinfo else None


def utc_text(at: datetime) -> str:
    """With seconds and Z, as calendars want it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local_time(text: object, zone_name: object) -> dict[str, Any]:
    """A vendor's time as the invited person's clock shows it; as it is if one of the two cannot be read."""
    at = told_time(text)
    try:
        zone = ZoneInfo(zone_name) if isinstance(zone_name, str) else None
    except (KeyError, ValueError, OSError):
        zone = None
    if at is None or zone is None:
        return {"start": text}
    return _shown(at, zone)


def _shown(at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    local = at.astimezone(zone)
    return {"start": local.isoformat(timespec="minutes"), "day": f"{local:%A}"}


def offered(starts: list[datetime], zone: ZoneInfo) -> dict[str, Any]:
    """Free times as a tool's result: the first of them, in the caller's time zone."""
    shown = [_shown(start, zone) for start in sorted(starts)[:MOST_SLOTS]]
    today = f"{datetime.now(zone):%A, %Y-%m-%d}"
    return {"today": today, "free_times": shown, "more": len(starts) > MOST_SLOTS}
