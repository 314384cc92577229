"""Notes of the rule-based model: what a caller's lines tell of each slot it is asked for."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sandbox import model_tools, model_words
from sandbox.model_prompt import Conversation, Line

_LINE = re.compile(r"^(Caller|Assistant): (.*)$", re.M)
_TODAY = re.compile(r"Today is \w+, (\d{4}-\d\d-\d\d)")
_UNTELLING = {"wants", "want", "asks", "asked", "says", "said", "needs", "need", "has", "is", "caller"}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def notes(conversation: Conversation, text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Every property of the notes. ``text``: the message that holds the lines."""
    noted, _, older = text.partition("older lines")
    lines = [Line(who == "Caller", said) for who, said in _LINE.findall(noted)]
    talk = Conversation(system=conversation.system, lines=lines)
    properties = schema["properties"]
    found: dict[str, Any] = {}
    if "slots" in properties:
        found["slots"] = {name: _slot(name, part, talk) for name, part in properties["slots"]["properties"].items()}
    if "facts" in properties:
        found["facts"] = [name for name in properties["facts"]["items"]["enum"] if _stated(name, talk)]
    if "confirmed" in properties:
        found["confirmed"] = []
    if "summary" in properties:
        told = [said for who, said in _LINE.findall(older) if who == "Caller"]
        before = re.search(r"The summary so far: (.*)", noted)
        found["summary"] = " ".join([*([before[1]] if before else []), *(f"The caller said: {line}" for line in told)])
    return found


def _slot(name: str, part: Mapping[str, Any], talk: Conversation) -> str:
    told = str(part.get("description", ""))
    if choices := re.search(r"\(one of (.*)\)$", told):
        return model_tools.value_of(name, {"type": "string", "enum": choices[1].split(", ")}, talk) or ""
    kinds = {"(yes or no)": "boolean", "(as a number)": "number"}
    kind = next((kind for form, kind in kinds.items() if told.endswith(form)), "string")
    value = model_tools.value_of(name, {"type": kind, "description": told}, talk)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _date(str(value), talk.system) if "YYYY-MM-DD" in told else str(value)


def _date(said: str, system: str) -> str:
    """The next day of that name."""
    today, wanted = _TODAY.search(system), said.lower()
    if today is None or wanted not in _DAYS:
        return ""
    begin = date.fromisoformat(today[1])
    ahead = (_DAYS.index(wanted) - begin.weekday() - 1) % 7 + 1
    return (begin + timedelta(days=ahead)).isoformat()


def _stated(name: str, talk: Conversation) -> bool:
    """Whether the caller used a telling word of the statement's name."""
    telling = set(model_words.keywords(name.replace("_", " "))) - _UNTELLING
    return any(line.caller and telling & set(model_words.keywords(line.text)) for line in talk.lines)
