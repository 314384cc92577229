"""Answers so plain that no model is needed: found before the reply, so that it can build on them."""

import re
from typing import Final

from core.confirming import Verdict, verdict_in
from core.memory import Memory
from core.paths import missing_slots
from core.playbook import PlaybookStep
from core.playbook_dialogue import Slot
from core.slots import read_value

_RUN: Final = re.compile(r"\d(?:[\d\s.,-]*\d)?")
_IN_DIGITS: Final = ("number", "phone")


def plain_answers(step: PlaybookStep, memory: Memory, text: str, turn: int, language: str) -> dict[str, str]:
    """Slots of the step that the words fill beyond doubt, or none: one number, a choice's own name, a plain yes."""
    missing = missing_slots(step, memory)
    found = _one_number([slot for slot in missing if _in_digits(slot)], text)
    found |= {slot.name: named for slot in missing if slot.type == "choice" and (named := _named(slot, text))}
    if not found and missing and missing[0].type == "yes_no" and memory.answered != turn:
        verdict = verdict_in(text, language)
        if verdict is not Verdict.UNCLEAR and len(text.split()) <= 3:
            found = {missing[0].name: verdict.value}
    return found


def _in_digits(slot: Slot) -> bool:
    return slot.type in _IN_DIGITS or (slot.type == "text" and slot.pattern is not None)


def _one_number(slots: list[Slot], text: str) -> dict[str, str]:
    """One number, and one slot that takes it."""
    runs = [match[0] for match in _RUN.finditer(text)]
    if len(runs) != 1:
        return {}
    read = {slot.name: read_value(slot.rules, runs[0]) for slot in slots}
    good = {name: reading.value for name, reading in read.items() if not reading.problem}
    return good if len(good) == 1 else {}


def _named(slot: Slot, text: str) -> str:
    said = text.casefold()
    named = [choice for choice in slot.choices if re.search(rf"\b{re.escape(choice.casefold())}\b", said)]
    return named[0] if len(named) == 1 else ""
