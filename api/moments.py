"""Moments as clients see them: our ms since the epoch as times in UTC."""

from datetime import UTC, datetime


def moment(ms: float) -> datetime:
    """A moment."""
    return datetime.fromtimestamp(ms / 1_000, UTC)


def moment_or_none(ms: float | None) -> datetime | None:
    """A moment, if there was one."""
    return None if ms is None else moment(ms)
