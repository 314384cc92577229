"""Slots: what the caller is asked for, and whether what was understood can be right."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from core.conditions import number_of


class SlotType(StrEnum):
    """What kind of value it is; each is kept in one form."""

    TEXT = "text"
    NUMBER = "number"  # 1200.5
    DATE = "date"  # 2026-03-31
    TIME = "time"  # 14:30
    PHONE = "phone"  # +12025550123
    EMAIL = "email"
    POSTCODE = "postcode"
    CHOICE = "choice"  # as the playbook writes it
    YES_NO = "yes_no"  # yes | no


ORDERED: Final = ("number", "date", "time")
LONGEST_VALUE: Final = 300


@dataclass(frozen=True, slots=True)
class SlotRules:
    """What makes a value a good one."""

    type: SlotType
    pattern: str | None = None
    min: float | str | None = None
    max: float | str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What was made of a value: ``problem`` "" and the value in its one form, or why it cannot be right."""

    value: str
    problem: str = ""


def read_value(rules: SlotRules, said: str) -> Reading:
    """Check what was understood, and bring it into its one form."""
    said = " ".join(said.split())
    if not said:
        return Reading("", "is empty")
    if len(said) > LONGEST_VALUE:
        return Reading(said[:LONGEST_VALUE], f"is longer than {LONGEST_VALUE} characters")
    value = _choice(rules.choices, said) if rules.type is SlotType.CHOICE else _READERS[rules.type](said)
    if value is None:
        known = f": {', '.join(rules.choices)}" if rules.choices else ""
        return Reading(said, f"is no {_NAMES[rules.type]}{known}")
    if rules.pattern is not None and (value := _matching(rules.pattern, value)) is None:
        return Reading(said, "does not have the right form")
    return Reading(value, _out_of_bounds(rules, value))


def _out_of_bounds(rules: SlotRules, value: str) -> str:
    if rules.min is not None and _before(rules.type, value, rules.min):
        return f"is below {_plain(rules.min)}"
    if rules.max is not None and _before(rules.type, rules.max, value):
        return f"is above {_plain(rules.max)}"
    return ""


def _before(kind: SlotType, one: float | str, other: float | str) -> bool:
    return float(one) < float(other) if kind is SlotType.NUMBER else str(one) < str(other)


def _matching(pattern: str, value: str) -> str | None:
    """Numbers are spoken in groups, letters in any case."""
    bare = re.sub(r"[\s.,-]", "", value)
    tried = (value, bare, value.upper(), bare.upper())
    return next((form for form in tried if re.fullmatch(pattern, form)), None)


def _number(said: str) -> str | None:
    bare = re.sub(r"(?<=\d)[,\s](?=\d{3}\b)|[$€£%]", "", said).strip()
    number = number_of(bare)
    return _plain(number) if number is not None and abs(number) < 1e15 else None


def _plain(number: float | str) -> str:
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


def _date(said: str) -> str | None:
    try:
        return date.fromisoformat(said).isoformat()
    except ValueError:
        return None


_CLOCK: Final = re.compile(r"(\d{1,2})(?::([0-5]\d))?\s*(?:o'clock\s*)?([ap])?\.?\s?(?:m\.?)?", re.I)


def _time(said: str) -> str | None:
    match = _CLOCK.fullmatch(said)
    if match is None or (match[2] is None and match[3] is None and "clock" not in said):
        return None
    hour, half = int(match[1]), (match[3] or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + (12 if half == "p" else 0) if half else hour
    return f"{hour:02}:{match[2] or '00'}" if hour < 24 else None


def _phone(said: str) -> str | None:
    bare = re.sub(r"[\s().-]", "", said)
    return bare if re.fullmatch(r"\+?\d{7,15}", bare) else None


def _email(said: str) -> str | None:
    found = said.replace(" ", "").lower()
    return found if re.fullmatch(r"[^@\s]+@[a-z0-9-]+(\.[a-z0-9-]+)+", found) else None


def _postcode(said: str) -> str | None:
    return said.upper() if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 -]{2,9}", said) else None


def _choice(choices: tuple[str, ...], said: str) -> str | None:
    return next((choice for choice in choices if choice.casefold() == said.casefold()), None)


def _yes_no(said: str) -> str | None:
    return {"yes": "yes", "true": "yes", "no": "no", "false": "no"}.get(said.casefold())


_READERS: Final[dict[SlotType, Callable[[str], str | None]]] = {
    SlotType.TEXT: str,
    SlotType.NUMBER: _number,
    SlotType.DATE: _date,
    SlotType.TIME: _time,
    SlotType.PHONE: _phone,
    SlotType.EMAIL: _email,
    SlotType.POSTCODE: _postcode,
    SlotType.YES_NO: _yes_no,
}
_NAMES: Final = {
    SlotType.TEXT: "text",
    SlotType.NUMBER: "number",
    SlotType.DATE: "date like 2026-03-31",
    SlotType.TIME: "time like 14:30",
    SlotType.PHONE: "phone number",
    SlotType.EMAIL: "e-mail address",
    SlotType.POSTCODE: "postcode",
    SlotType.CHOICE: "known choice",
    SlotType.YES_NO: "yes or no",
}
