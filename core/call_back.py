"""Callers who name a time at which they want to be called: what they named, and when that is. Moments are ms."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.memory import Memory, Source

LATER_TODAY_MS: Final = 2 * 3_600_000.0
LONGEST_AHEAD_MS: Final = 400 * 86_400_000.0


@dataclass(frozen=True)
class CallbackSlots:
    """The slots that hold the day and the time; "": the playbook has none."""

    date: str = ""
    time: str = ""


def wished_callback(slots: CallbackSlots, memory: Memory, confirms: Collection[str]) -> str:
    """The time the caller named, by their own clock: "2026-03-05T15:00", "2026-03-05" or "T15:00"; "" for none.

    What the playbook has read back counts only after a yes.
    """
    day, clock = (_told(name, memory, confirms) for name in (slots.date, slots.time))
    return f"{day}T{clock}" if clock else day


def _told(slot: str, memory: Memory, confirms: Collection[str]) -> str:
    known = memory.slots.get(slot)
    if known is None or known.source is Source.SYSTEM or (slot in confirms and not known.confirmed):
        return ""
    return known.value


def moment_of(wish: str, zones: Sequence[str], said_ms: float) -> float | None:
    """When that is: not before it by any clock that may be theirs. None: no time that is still to come.

    A day without a time is its first minute, which calling windows put off; today without one is two hours later.

    Args:
        wish: as ``wished_callback`` tells it.
        zones: IANA names of all that they may be in; none: UTC.
        said_ms: when the call ended.
    """
    day, _, clock = wish.partition("T")
    try:
        moments = [_in_zone(day, clock, ZoneInfo(zone), said_ms) for zone in zones or ("UTC",)]
    except ValueError:
        return None
    at_ms = max(moments)
    return at_ms if said_ms < at_ms < said_ms + LONGEST_AHEAD_MS else None


def _in_zone(day: str, clock: str, zone: ZoneInfo, said_ms: float) -> float:
    said = datetime.fromtimestamp(said_ms / 1_000, UTC).astimezone(zone)
    wanted = date.fromisoformat(day) if day else said.date()
    if not clock and wanted == said.date():
        return said_ms + LATER_TODAY_MS
    at = datetime.combine(wanted, time.fromisoformat(clock) if clock else time(), zone)
    if not day and at <= said:
        at = datetime.combine(wanted + timedelta(days=1), at.timetz())
    return at.timestamp() * 1_000
