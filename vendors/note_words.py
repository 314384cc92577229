"""A call's note as a representative reads it, in whichever system it is kept."""

from datetime import UTC, datetime

from core.contracts.call import SyncCrm
from vendors.phone_numbers import known_number


def note_lines(note: SyncCrm) -> list[str]:
    """What was talked about, what is to be done, and what the playbook wants to be known of each call."""
    summary = note.summary
    follow_up = [f"Follow up: {summary.follow_up}"] if summary.follow_up else []
    known = [f"{name.replace('_', ' ').capitalize()}: {_plain(value)}" for name, value in note.fields.items()]
    return [summary.summary, *follow_up, *known]


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return "not known" if value is None else str(value)


def ended_at(note: SyncCrm) -> datetime:
    """When the call ended; now, if nobody has told."""
    return datetime.fromtimestamp(note.ended_ms / 1_000, UTC) if note.ended_ms else datetime.now(UTC)


def caller_line(number: str) -> str:
    """Who called, for a record that has no other place for it."""
    return f"Caller: {known_number(number) or 'number withheld'}"
