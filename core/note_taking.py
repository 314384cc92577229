"""What a model's notes on a talk may hold, and what of them is believed."""

from collections.abc import Mapping
from typing import Any, Final

from core.contracts.notes import Notes
from core.conversation import Usage
from core.memory import LONGEST_SUMMARY, Memory, Source
from core.mood import MOODS, known_mood
from core.playbook import Playbook
from core.playbook_dialogue import Slot
from core.slots import read_value

MOST_SLOTS: Final = 40
"""Of a prompt. A playbook that collects more is asked for those of the step and of where it leads."""


def slots_at(playbook: Playbook, step: str) -> dict[str, Slot]:
    """Those to listen for."""
    if len(playbook.slots) <= MOST_SLOTS:
        return playbook.slots
    near = {step} | {way.to for known in playbook.steps if known.name == step for way in known.transitions}
    slots = [slot for known in playbook.steps if known.name in near for slot in known.collect]
    return {slot.name: slot for slot in slots[:MOST_SLOTS]}


def notes_schema(playbook: Playbook, step: str, memory: Memory, *, sums_up: bool, mood: bool = False) -> dict[str, Any]:
    """The shape of the notes. Every field is required, as structured output wants it: "" is nothing."""
    text = {"type": "string"}
    properties: dict[str, Any] = {}
    if slots := slots_at(playbook, step):
        properties["slots"] = _object({name: text | {"description": told_of(slot)} for name, slot in slots.items()})
    if playbook.facts:
        properties["facts"] = _some_of(playbook.facts)
    if asked := memory.asked:
        properties["confirmed"] = _some_of(asked)
    if mood:
        properties["mood"] = text | {"enum": list(MOODS), "description": "the caller's, from the last line's words"}
    if sums_up:
        properties["summary"] = text | {"description": "what was said and done so far"}
    return _object(properties)


def told_of(slot: Slot) -> str:
    """What a slot is, for a model."""
    forms = {
        "number": "as a number",
        "date": "as YYYY-MM-DD",
        "time": "as HH:MM, 24 hours",
        "phone": "with country code if told",
        "yes_no": "yes or no",
        "choice": f"one of {', '.join(slot.choices)}",
    }
    form = f" ({forms[slot.type]})" if slot.type in forms else ""
    return f"{slot.description or slot.name.replace('_', ' ')}{form}"


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _some_of(names: Any) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string", "enum": list(names)}}


def checked_notes(
    playbook: Playbook, memory: Memory, turn: int, told: Mapping[str, Any], older_turn: int, usage: Usage
) -> Notes:
    """What of the notes is believed: slots of the playbook with values that can be right, statements it knows."""
    slots, problems = {}, {}
    for name, said in _mapping(told.get("slots")).items():
        if name not in playbook.slots or not isinstance(said, str) or not said.strip():
            continue
        reading = read_value(playbook.slots[name].rules, said)
        if reading.problem:
            problems[name] = f"{reading.value!r} {reading.problem}"
        else:
            slots[name] = reading.value
    summary = str(told.get("summary") or "")[:LONGEST_SUMMARY] if older_turn else ""
    return Notes(
        turn=turn,
        slots=slots,
        problems=problems,
        facts=tuple(name for name in _names(told.get("facts")) if name in playbook.facts),
        confirmed=tuple(name for name in _names(told.get("confirmed")) if name in memory.asked),
        summary=summary,
        summarized=older_turn if summary else 0,
        usage=usage,
        mood=known_mood(str(told.get("mood") or "")),
    )


def take_in(memory: Memory, notes: Notes) -> None:
    """Put notes into the memory, which may have learnt more since they were begun."""
    for name in notes.confirmed:
        if name in memory.asked:
            known = memory.slots[name]
            memory.learn(name, known.value, known.source, known.turn, confirmed=True)
    for name, value in notes.slots.items():
        since = memory.slots.get(name)
        if since is None or since.turn <= notes.turn:
            memory.learn(name, value, Source.CALLER, notes.turn)
    for name, problem in notes.problems.items():
        if name not in memory.slots:
            memory.doubt(name, problem)
    for name in notes.facts:
        memory.state(name, notes.turn)
    memory.noted = max(memory.noted, notes.turn)
    if notes.summarized > memory.summarized:
        memory.summary, memory.summarized = notes.summary, notes.summarized


def _names(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
