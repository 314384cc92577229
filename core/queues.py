"""Queues: the representatives whom a call may go to, and when they are there. Pure: the time is an argument."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field

from core.playbook_parts import Line, Misplaced, Name, Part, PhoneNumber

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAYS: tuple[Day, ...] = DAYS[:5]


def _clock_time(written: Any) -> Any:
    """YAML takes 17:00 without quotes for a number in base 60."""
    return f"{written // 60:02}:{written % 60:02}" if isinstance(written, int) else written


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone such as Europe/Berlin") from error
    return name


ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$"), BeforeValidator(_clock_time)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]


class Hours(Part):
    """When a queue is open, on some days. What closes before it opens is open over midnight."""

    days: tuple[Day, ...] = Field(WEEKDAYS, min_length=1)
    opens: ClockTime
    closes: ClockTime


class Queue(Part):
    """Representatives who do the same work, one number after the other."""

    name: Name
    numbers: tuple[PhoneNumber, ...] = Field(min_length=1, description="called in this order")
    time_zone: TimeZone = "UTC"
    hours: tuple[Hours, ...] = Field((), description="none: always open")
    closed_on: tuple[date, ...] = Field((), description="days off, in the queue's time zone")
    ring_seconds: int = Field(20, ge=5, le=120, description="for each number")
    language: str = Field("", pattern=r"^([a-z]{2}-[A-Z]{2})?$", description="representatives', such as de-DE")
    keys_line: Line = Field("Press 1 to take the call, or 2 to decline.", description="said after the briefing")
    line: Line = "I am calling a colleague for you. Please stay on the line."
    company: Line = Field("I am still trying to reach a colleague.", description="said while nothing is said for long")
    back: Line = Field("You are back with me.", description="said to a caller whom the representative has left")
    fallback: Literal["callback", "assistant"] = Field(
        "callback", description="when nobody takes the call: note a callback, or only go on without one"
    )
    comes_back: bool = Field(True, description="whether a caller whom the representative has left is ours again")

    def is_open(self, now: datetime) -> bool:
        """Whether somebody is there. ``now`` knows its time zone."""
        local = now.astimezone(ZoneInfo(self.time_zone))
        if not self.hours:
            return local.date() not in self.closed_on
        yesterday = local.date() - timedelta(days=1)
        return any(
            self._open_since(day, hours, local, over_midnight=day == yesterday)
            for hours in self.hours
            for day in (local.date(), yesterday)
        )

    def _open_since(self, day: date, hours: Hours, local: datetime, *, over_midnight: bool) -> bool:
        """Whether it opened on that day, and has not closed since."""
        if DAYS[day.weekday()] not in hours.days or day in self.closed_on:
            return False
        opens, closes = time.fromisoformat(hours.opens), time.fromisoformat(hours.closes)
        now = local.time()
        if over_midnight:
            return closes < opens and now < closes
        return opens <= now and (closes < opens or now < closes)


class Escalation(Part):
    """When a call goes to a queue though nobody has asked for a person. 0: never."""

    when: tuple[Line, ...] = Field((), description="in words; the model heeds them")
    after_tool_failures: int = Field(0, ge=0, le=10, description="in a row")
    after_unsure_turns: int = Field(0, ge=0, le=10, description="in a row, whose step nobody was sure of")
    unsure_below: float = Field(0.5, ge=0, le=1)
    queue: Name | None = Field(None, description="where they go; default: the first one")
    line: Line = "Let me bring in a colleague who can help you better."


def queues_fit(queues: tuple[Queue, ...], escalation: Escalation, of_steps: Mapping[int, str]) -> None:
    """``of_steps``: the queue that a step names, by the step's place. Raises Misplaced."""
    names = [queue.name for queue in queues]
    for index, queue in enumerate(queues):
        if queue.name in names[:index]:
            raise Misplaced(("queues", index, "name"), f"{queue.name!r} is used twice")
        for place, hours in enumerate(queue.hours):
            if hours.opens == hours.closes:
                at = ("queues", index, "hours", place, "closes")
                raise Misplaced(at, "is when it opens; leave hours out for always open")
    for place, name in of_steps.items():
        if name not in names:
            raise Misplaced(("steps", place, "queue"), f"no queue is named {name!r}", name, names)
    if escalation.queue is not None and escalation.queue not in names:
        message = f"no queue is named {escalation.queue!r}"
        raise Misplaced(("escalation", "queue"), message, escalation.queue, names)
    for field in ("after_tool_failures", "after_unsure_turns"):
        if getattr(escalation, field) and not queues:
            raise Misplaced(("escalation", field), "needs queues, somebody to hand over to")
