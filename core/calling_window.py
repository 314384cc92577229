"""When a person may be called: by every clock that may be theirs. Moments are ms since the epoch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

DAY_MINUTES: Final = 24 * 60
EVERY_DAY: Final = (0, 1, 2, 3, 4, 5, 6)
HORIZON_DAYS: Final = 400  # a window that does not open by then never does


class ZonePolicy(StrEnum):
    """Whose clock a contact is called by."""

    STATED_OR_NUMBER = "stated_or_number"  # the list's, else every one the number may be in
    BOTH = "both"  # the list's and every one of the number's


@dataclass(frozen=True)
class Hours:
    """Local time of day, in minutes since midnight: from ``opens`` until just before ``closes``."""

    opens: int = 8 * 60
    closes: int = 21 * 60
    days: tuple[int, ...] = EVERY_DAY  # 0 is Monday


LEGAL: Final = Hours()


@dataclass(frozen=True)
class Blackout:
    """Nobody is called from ``from_ms`` until just before ``until_ms``, wherever they are."""

    from_ms: float
    until_ms: float


@dataclass(frozen=True)
class CallingWindow:
    """All of it must hold: the law's hours, some of the campaign's own, no holiday, no blackout."""

    legal: Hours = LEGAL
    hours: tuple[Hours, ...] = (LEGAL,)  # several a day are fine: 9-12 and 14-18
    holidays: tuple[str, ...] = ()  # "2026-12-25", by the local calendar
    blackouts: tuple[Blackout, ...] = ()


def is_open(window: CallingWindow, zones: Sequence[str], at_ms: float) -> bool:
    """Whether it is time in each of ``zones``, IANA names: whoever may be in any of them must be in all. None: no."""
    if not zones or any(blackout.from_ms <= at_ms < blackout.until_ms for blackout in window.blackouts):
        return False
    moment = _utc(at_ms)
    return all(_holds(window, moment.astimezone(_zone(zone))) for zone in zones)


def next_opening(window: CallingWindow, zones: Sequence[str], from_ms: float) -> float | None:
    """The first moment from ``from_ms`` on at which it is open. None: never, or not within ``HORIZON_DAYS``."""
    if not zones:
        return None
    if is_open(window, zones, from_ms):
        return from_ms
    ends = [blackout.until_ms for blackout in window.blackouts]
    earliest = min((end for end in ends if end > from_ms and is_open(window, zones, end)), default=None)
    first = _utc(from_ms).date() - timedelta(days=1)  # where the date line puts yesterday
    for ahead in range(HORIZON_DAYS):
        day = first + timedelta(days=ahead)
        if earliest is not None and _ms(datetime(day.year, day.month, day.day, tzinfo=UTC)) > earliest + 86_400_000:
            return earliest  # no zone is more than a day ahead: what this day brings comes later
        opened = (at for at in _openings(window, zones, day) if at > from_ms and is_open(window, zones, at))
        earliest = min((at for at in (earliest, *opened) if at is not None), default=None)
    return earliest


@cache
def _zone(name: str) -> ZoneInfo:
    """Kept: the library itself reads files again once more than eight zones are in use."""
    return ZoneInfo(name)


def _holds(window: CallingWindow, local: datetime) -> bool:
    if local.date().isoformat() in window.holidays:
        return False
    minute, weekday = local.hour * 60 + local.minute, local.weekday()
    return _within(window.legal, minute, weekday) and any(_within(own, minute, weekday) for own in window.hours)


def _within(hours: Hours, minute: int, weekday: int) -> bool:
    return weekday in hours.days and hours.opens <= minute < hours.closes


def _openings(window: CallingWindow, zones: Sequence[str], day: date) -> Iterator[float]:
    """Where it may begin to be open: it stays as it is between these and the ends of blackouts."""
    for minute in {0, window.legal.opens, *(own.opens for own in window.hours)}:
        if minute < DAY_MINUTES:
            local = datetime(day.year, day.month, day.day, minute // 60, minute % 60)
            for zone in zones:
                yield _ms(local.replace(tzinfo=_zone(zone)))


def _utc(at_ms: float) -> datetime:
    return datetime.fromtimestamp(at_ms / 1_000, UTC)


def _ms(moment: datetime) -> float:
    return moment.timestamp() * 1_000
