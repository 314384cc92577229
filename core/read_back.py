"""Slots that are confirmed aloud: whether a value was read back, and what the caller's answer makes of it."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from core.confirming import Verdict, verdict_in
from core.memory import Memory
from core.slots import SlotType

_MONTHS: Final = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)


def was_read_back(kind: str, value: str, heard: str) -> bool:
    """Whether the caller has heard the value as a question. Unsure is no: it is asked again."""
    if "?" not in heard:
        return False
    words = re.findall(r"\w+", heard.casefold())
    if kind == SlotType.DATE:
        day = date.fromisoformat(value)
        numbers = {re.sub(r"(?<=\d)(?:st|nd|rd|th)$", "", word) for word in words}
        return value in heard or (str(day.day) in numbers and _MONTHS[day.month - 1] in words)
    if kind == SlotType.TIME:
        hour, minute = value.split(":")
        spoken = {str(int(hour)), str((int(hour) - 1) % 12 + 1), hour}
        return bool(spoken & set(words)) and (minute == "00" or minute in words)
    if kind == SlotType.YES_NO:
        return True
    return "".join(re.findall(r"\w+", value.casefold())) in "".join(words)


def hear_answer(memory: Memory, confirms: Mapping[str, str], heard: str, said: str, language: str) -> Verdict | None:
    """Take the caller's words as the answer to what was read back just before. None: nothing was.

    Args:
        confirms: slots that are to be confirmed -> their type.
        heard: what the caller heard last.
    """
    memory.leave_open()  # only the last words count
    for name in _read_back(memory, confirms, heard):
        memory.ask(name)
    if not memory.asked:
        return None
    verdict = verdict_in(said, language)
    if verdict is not Verdict.UNCLEAR:
        memory.answer(yes=verdict is Verdict.YES)
    return verdict


def has_read_back(memory: Memory, confirms: Mapping[str, str], heard: str) -> bool:
    """Whether the caller's next words may be a yes to a value."""
    return bool(_read_back(memory, confirms, heard))


def _read_back(memory: Memory, confirms: Mapping[str, str], heard: str) -> list[str]:
    return [
        name
        for name, known in memory.slots.items()
        if name in confirms and not known.confirmed and was_read_back(confirms[name], known.value, heard)
    ]
