"""A call's note as a representative reads it, in whichever system it is kept."""

from datetime import UTC, datetime

from core.contracts.call import SyncCrm
from vendors.phone_numbers import known_number


def note_lines(note: SyncCrm) -> list[str]:
    """What was talked about, and what is to be done."""
    summary = note.summary
    return [summary.summary, *([f"Follow up: {summary.follow_up}"] if summary.follow_up else [])]


def ended_at(note: SyncCrm) -> datetime:
    """When the call ended; now, if nobody has told."""
    return datetime.fromtimestamp(note.ended_ms / 1_000, UTC) if note.ended_ms else datetime.now(UTC)


def caller_line(number: str) -> str:
    """Who called, for a record that has no other place for it."""
    return f"Caller: {known_number(number) or 'number withheld'}"
