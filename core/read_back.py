"""Slots that are confirmed aloud: whether a value was read back, and what the caller's answer makes of it."""

import re
from collections.abc import Mapping
from datetime import date

from core.confirming import Verdict, verdict_in
from core.dates import tells_date
from core.memory import Memory
from core.slots import SlotType


def was_read_back(kind: str, value: str, heard: str, language: str = "en") -> bool:
    """Whether the caller has heard the value as a question. Unsure is no: it is asked again."""
    if not {"?", "？"} & set(heard):
        return False
    words = re.findall(r"\w+", heard.casefold())
    if kind == SlotType.DATE:
        return tells_date(heard, date.fromisoformat(value), language)
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
    for name in _read_back(memory, confirms, heard, language):
        memory.ask(name)
    if not memory.asked:
        return None
    verdict = verdict_in(said, language)
    if verdict is not Verdict.UNCLEAR:
        memory.answer(yes=verdict is Verdict.YES)
    return verdict


def has_read_back(memory: Memory, confirms: Mapping[str, str], heard: str, language: str) -> bool:
    """Whether the caller's next words may be a yes to a value."""
    return bool(_read_back(memory, confirms, heard, language))


def _read_back(memory: Memory, confirms: Mapping[str, str], heard: str, language: str) -> list[str]:
    return [
        name
        for name, known in memory.slots.items()
        if name in confirms and not known.confirmed and was_read_back(confirms[name], known.value, heard, language)
    ]
