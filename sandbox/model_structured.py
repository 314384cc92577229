"""Structured output of the rule-based model: a value that fits the schema, with sense where it finds some."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from core.agenda import NO_STEP
from sandbox import model_agenda, model_words
from sandbox.json_values import fits, valid_value
from sandbox.model_notes import notes
from sandbox.model_prompt import Conversation, read_request

_CALLER = re.compile(r"^Caller: (.*)$", re.M)
_ASSISTANT = re.compile(r"^Assistant: (.*)$", re.M)
_TOOL = re.compile(r"^\((\w+)( failed)?: .*\)$", re.M)
_YES = re.compile(r"^(yes|sure|please do)\b", re.I | re.M)
_QUOTED = re.compile(r'"([^"]+)"')
_NOTED = re.compile(r"^Lines to note:$", re.M)
_STAYS = re.compile(r"in the step '([^']+)'")


def structured_answer(request: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """A value for the schema. Raises NoValue if none fits."""
    value = valid_value(schema)
    if not isinstance(value, dict):
        return value
    conversation = read_request(request)
    if _NOTED.search(text := _transcript(request)):
        taken = notes(conversation, text, schema)
        return taken if fits(taken, schema) else value
    likely = _summary(request) | _choices(conversation, schema)
    for name, part in schema.get("properties", {}).items():
        if name in likely and isinstance(part, Mapping) and fits(likely[name], part, schema):
            value[name] = likely[name]
        elif isinstance(part, Mapping) and {"type": "null"} in part.get("anyOf", ()):
            told = _told(name, part["anyOf"][0], "\n".join(_CALLER.findall(_transcript(request))))
            value[name] = told if fits(told, part, schema) else None
    return value


def _told(name: str, part: Mapping[str, Any], caller: str) -> Any:
    """What the caller told of a field that may be unknown: None unless it is plain."""
    match part.get("type"):
        case "boolean":
            return True if _YES.search(caller) else None
        case "integer" | "number":
            found = re.search(r"\d+", caller)
            return int(found[0]) if found else None
        case "string" if part.get("format") == "email" or "email" in name:
            found = re.search(r"[\w.+-]+@[\w-]+\.\w+", caller)
            return found[0] if found else None
        case "string" if "number" in name or "order" in name:
            found = re.search(r"\d{4,}", caller)
            return found[0] if found else None
    return None


def _choices(conversation: Conversation, schema: Mapping[str, Any]) -> dict[str, Any]:
    """For each property with an enum the value the caller's words speak of, and how sure that is."""
    found: dict[str, Any] = {}
    several = model_agenda.asks_several(schema)
    for name, part in schema.get("properties", {}).items():
        options = part.get("enum") if isinstance(part, Mapping) else None
        if several and name in ("instead", "also"):
            found.setdefault(name, [] if name == "also" else options[-1] if options else "")
            continue
        if name == "mood":
            found[name] = model_words.mood(conversation.caller_text)
        elif options and all(isinstance(option, str) for option in options):
            if NO_STEP in options and model_words.is_other_matter(conversation.caller_text):
                found |= {name: NO_STEP, "confidence": 0.9}
                continue
            options = [option for option in options if option != NO_STEP]
            found[name], found["confidence"] = _choose(options, conversation)
            if several and name == "step":
                found |= model_agenda.step_of(conversation, options, partial(_rated, conversation)) or {}
    return found


def _rated(conversation: Conversation, option: str, words: str) -> float:
    return _score(option, _with_person(words), conversation.system)


def _choose(options: list[str], conversation: Conversation) -> tuple[str, float]:
    caller = _with_person(conversation.caller_text)
    rated = {option: _score(option, caller, conversation.system) for option in options}
    best = max(options, key=lambda option: rated[option])
    if rated[best] < 0.1:
        stays = _STAYS.search(conversation.system)
        if stays is None or stays[1] not in options:
            return options[0], 0.4
        return stays[1], 0.7 if model_words.asks_for_something(conversation.asked) else 0.4
    return best, round(min(0.97, 0.55 + rated[best] / 2), 2)


def _with_person(caller: str) -> str:
    return f"{caller} real person human representative" if model_words.wants_person(caller) else caller


def _score(option: str, caller: str, system: str) -> float:
    """How well the caller's words fit what the prompt says of the option: its name, description and examples."""
    line = next((line for line in system.splitlines() if line.startswith(f"- {option}:")), "")
    examples = _QUOTED.findall(line)
    told = model_words.overlap(caller, f"{option.replace('_', ' ')} {line}")
    return max([told, *(model_words.overlap(caller, example) for example in examples)])


def _summary(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a transcript in the last message comes to."""
    text = _transcript(request)
    callers, assistants, tools = _CALLER.findall(text), _ASSISTANT.findall(text), _TOOL.findall(text)
    if not callers:
        return {"summary": "Nothing was said by the caller.", "topic": "No conversation", "resolved": False}
    wanted = next((line for line in callers if len(model_words.keywords(line)) >= 2), callers[0])
    told = next((line for line in reversed(assistants) if "goodbye" not in line.lower()), "")
    parts = [f"The caller said: {wanted.rstrip('.')}."]
    parts += [f"The assistant used {name.replace('_', ' ')}." for name in dict.fromkeys(name for name, _ in tools)]
    parts += [f"It answered: {told}"] if told else []
    failed = bool(tools) and bool(tools[-1][1])
    topic = " ".join(model_words.weighty(wanted)[:3]) or wanted[:40]
    return {
        "summary": " ".join(parts),
        "topic": topic.capitalize(),
        "resolved": bool(told) and not failed and not any(map(model_words.wants_person, callers)),
        "follow_up": "Call the person back." if failed else "",
    }


def _transcript(request: Mapping[str, Any]) -> str:
    content = request["messages"][-1].get("content") or ""
    return content if isinstance(content, str) else " ".join(block.get("text", "") for block in content)
