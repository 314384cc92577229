"""The working hours of somebody who can be booked: what is free, by half hours on weekdays."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

HOST_ZONE = ZoneInfo("America/New_York")
OPENS, CLOSES = time(9), time(17)
HALF_HOUR = timedelta(minutes=30)
FARTHEST = timedelta(days=90)


class Diary:
    """Taken times are kept by their start in UTC."""

    def __init__(self) -> None:
        self._taken: set[datetime] = set()

    def free(self, earliest: datetime, latest: datetime, length: timedelta) -> list[datetime]:
        """Every start from which so long is free, in UTC; three months on at most."""
        at = _next_half_hour(max(earliest, datetime.now(UTC)))
        latest = min(latest, at + FARTHEST)
        found = []
        while at + length <= latest:
            if self.is_free(at, length):
                found.append(at)
            at += HALF_HOUR
        return found

    def is_free(self, start: datetime, length: timedelta) -> bool:
        """Whether it is within working hours, to come, and taken by nobody."""
        local, end = start.astimezone(HOST_ZONE), (start + length).astimezone(HOST_ZONE)
        open_then = (
            local.weekday() < 5 and local.time() >= OPENS and end.time() <= CLOSES and local.date() == end.date()
        )
        return open_then and start > datetime.now(UTC) and not self._taken & set(_halves(start, length))

    def take(self, start: datetime, length: timedelta) -> None:
        """Nobody else can have it."""
        self._taken |= set(_halves(start, length))

    def give_back(self, start: datetime, length: timedelta) -> None:
        """It is free again."""
        self._taken -= set(_halves(start, length))

    def first_free(self, after: datetime, length: timedelta) -> datetime:
        """The first free start some time after."""
        return self.free(after, after + timedelta(days=14), length)[0]


def _next_half_hour(at: datetime) -> datetime:
    whole = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while whole < at:
        whole += HALF_HOUR
    return whole


def _halves(start: datetime, length: timedelta) -> list[datetime]:
    first = start.astimezone(UTC)
    return [first + n * HALF_HOUR for n in range(-(-length // HALF_HOUR))]
