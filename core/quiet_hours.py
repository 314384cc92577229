"""Whether people may be written to now, by their own clocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones


@dataclass(frozen=True)
class QuietHours:
    """From ``begin`` to ``end``, minutes of the day; equal ones: never. ``timezone`` "": by the person's number."""

    begin: int = 20 * 60
    end: int = 9 * 60
    timezone: str = ""

    def cover(self, moment: datetime) -> bool:
        """Whether a moment of the person's own day is a quiet one."""
        minute = moment.hour * 60 + moment.minute
        if self.begin <= self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


def not_before(now_ms: float, quiet: QuietHours, zones: Sequence[str]) -> float | None:
    """When people who may be in any of these time zones can be written to next; None: now.

    Without a known zone it is judged by UTC. Zones so far apart that there is no such minute: tomorrow.
    """
    known = [zone for name in zones if (zone := _zone(name)) is not None] or [ZoneInfo("UTC")]
    moment = datetime.fromtimestamp(now_ms / 1_000, UTC)
    if not any(quiet.cover(moment.astimezone(zone)) for zone in known):
        return None
    later = moment.replace(second=0, microsecond=0)
    for _ in range(24 * 60):
        later += timedelta(minutes=1)
        if not any(quiet.cover(later.astimezone(zone)) for zone in known):
            break
    return later.timestamp() * 1_000


@cache
def time_zones() -> list[str]:
    """The names of all time zones."""
    return sorted(available_timezones())


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None
