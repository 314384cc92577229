"""How the rule-based model books, moves and cancels: what calendars have told, and which time the caller takes."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sandbox import model_words
from sandbox.model_prompt import Conversation, as_json

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PLACES = {"first": 0, "earliest": 0, "second": 1, "third": 2, "last": -1, "latest": -1}
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))? ?([ap])\.?m", re.I)
_MOST_TOLD = 3


def knows(name: str, schema: Mapping[str, Any]) -> bool:
    """Whether this argument is one of a calendar's, by name and description."""
    told = str(schema.get("description", ""))
    return name in ("booking_uid", "spoken_time", "notes") or (
        name in ("start", "earliest", "latest") and "time" in told
    )


def value(name: str, conversation: Conversation) -> str | None:
    """What such an argument is now; None: not known, or better left out."""
    match name:
        case "start":
            chosen = _chosen(conversation)
            return chosen["start"] if chosen else None
        case "booking_uid":
            return next((str(one["booking_uid"]) for one in _bookings(conversation)), None)
        case "spoken_time":
            booked = next(iter(_bookings(conversation)), None)
            known = _chosen(conversation) or booked
            return in_words(known["start"]) if known else None
        case "earliest":
            return _day_to_look_at(conversation)
    return None


def tell(found: Mapping[str, Any]) -> str | None:
    """What a calendar's or a contacts' tool has answered, in words; None for an answer of something else."""
    if "contact_id" in found and "found" not in found:
        return "I have written that down."
    if isinstance(times := found.get("free_times"), list):
        told = [in_words(one["start"]) for one in _to_tell(times)]
        if not told:
            return "There is nothing free in those days. Which other day would suit you?"
        *most, last = told
        return f"I can offer {', '.join(most)}{' or ' if most else ''}{last}. Which would suit you?"
    if isinstance(bookings := found.get("bookings"), list):
        if not bookings:
            return "I do not see a visit under your number."
        return f"Your visit is on {in_words(bookings[0]['start'])}."
    if "booking_uid" in found and "start" not in found:
        return f"It is {found.get('status', 'done')}."
    if "booking_uid" in found:
        return f"It is booked for {in_words(str(found['start']))}."
    return None


def in_words(start: str) -> str:
    """ "Monday, November 30 at 9:30 a.m." """
    at = datetime.fromisoformat(start)
    minutes = f":{at.minute:02}" if at.minute else ""
    return f"{at:%A, %B} {at.day} at {(at.hour - 1) % 12 + 1}{minutes} {'a.m.' if at.hour < 12 else 'p.m.'}"


def _chosen(conversation: Conversation) -> Mapping[str, Any] | None:
    """The free time that the caller's last words take, of those that were found last."""
    times = _told_last(conversation, "free_times")
    said = model_words.words(conversation.caller_text)
    for word, place in _PLACES.items():
        if word in said and (told := _to_tell(times)):
            return told[min(place, len(told) - 1)]
    day = next((day for day in _DAYS if day in said), None)
    clock = _CLOCK.search(conversation.caller_text)
    if day is None and clock is None:
        return None
    fits = (one for one in times if day is None or str(one["day"]).lower() == day)
    return next((one for one in fits if clock is None or _is_at(one["start"], clock)), None)


def _is_at(start: str, clock: re.Match[str]) -> bool:
    at = datetime.fromisoformat(start)
    hour = int(clock[1]) % 12 + (12 if clock[3].lower() == "p" else 0)
    return (at.hour, at.minute) == (hour, int(clock[2] or 0))


def _to_tell(times: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Every fourth: callers do not want to choose between half hours."""
    return times[::4][:_MOST_TOLD]


def _bookings(conversation: Conversation) -> Iterable[Mapping[str, Any]]:
    return _told_last(conversation, "bookings")


def _told_last(conversation: Conversation, what: str) -> list[Mapping[str, Any]]:
    for outcome in reversed(conversation.outcomes):
        found = as_json(outcome.result or "") or {}
        if isinstance(listed := found.get(what), list):
            return listed
    return []


def _day_to_look_at(conversation: Conversation) -> str | None:
    """The weekday that the caller names, if none of the times that were found is on it."""
    day = next((day for day in _DAYS if day in model_words.words(conversation.caller_text)), None)
    times = _told_last(conversation, "free_times")
    today = next(
        (re.search(r'"today": "\w+, (\S+)"', one.result or "") for one in reversed(conversation.outcomes)), None
    )
    if day is None or today is None or any(str(one["day"]).lower() == day for one in times):
        return None
    begin = date.fromisoformat(today[1])
    return (begin + timedelta(days=(_DAYS.index(day) - begin.weekday() - 1) % 7 + 1)).isoformat()
