"""How the rule-based model fills in a tool's arguments from what was said, and asks for what is missing."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox import model_calendar, model_words
from sandbox.json_values import fits
from sandbox.model_prompt import Conversation, ToolOutcome

_LOOKS_UP = re.compile(r"^(get|look|find|check|search|list|read)", re.I)
_NEEDS_YES = re.compile(r"^(confirm|accept|agree)", re.I)
_IN_OWN_WORDS = {"subject", "reason", "description", "problem", "topic", "message", "note", "summary", "details"}
_MISSING: Any = object()


def ready(tool: Mapping[str, Any], conversation: Conversation) -> dict[str, Any] | None:
    """The arguments with which to call the tool now; None if it is not time."""
    if not _properties(tool) and not _NEEDS_YES.search(tool["name"]):
        return None
    if _NEEDS_YES.search(tool["name"]) and not (
        model_words.agrees(conversation.caller_text) and _names_a_day(conversation.asked, conversation)
    ):
        return None
    if done(tool, conversation):
        return None
    arguments = arguments_for(tool, conversation)
    if arguments == {} and not (_LOOKS_UP.search(tool["name"]) or _NEEDS_YES.search(tool["name"])):
        return None
    outcomes = conversation.outcomes if needs_something(tool) else _since_last_change(conversation)
    called = any(one.name == tool["name"] and one.arguments == arguments for one in outcomes)
    return None if called else arguments


def _since_last_change(conversation: Conversation) -> list[ToolOutcome]:
    """What was looked up after something was changed: before that it may be old."""
    outcomes = conversation.outcomes
    changes = [place for place, one in enumerate(outcomes) if one.result and not _LOOKS_UP.search(one.name)]
    return outcomes[changes[-1] + 1 :] if changes else outcomes


def needs_something(tool: Mapping[str, Any]) -> bool:
    """Whether it cannot be called without knowing anything."""
    return bool(_required(tool))


def after_looking_up(
    tools: Sequence[Mapping[str, Any]], conversation: Conversation
) -> tuple[str, dict[str, Any]] | None:
    """The tool that a booking was looked up for, and nothing else has to be asked for."""
    for tool in tools:
        if "booking_uid" in _required(tool) and not done(tool, conversation):
            arguments = ready(tool, conversation)
            return (tool["name"], arguments) if arguments else None
    return None


def done(tool: Mapping[str, Any], conversation: Conversation) -> bool:
    """Whether the tool changes something and has done so in this conversation."""
    return not _LOOKS_UP.search(tool["name"]) and any(
        one.name == tool["name"] and one.result is not None and not one.failed for one in conversation.outcomes
    )


def arguments_for(tool: Mapping[str, Any], conversation: Conversation) -> dict[str, Any] | None:
    """All arguments that were said or are known; None while a required one is missing."""
    found = {}
    for name, schema in _properties(tool).items():
        value = _value(name, schema, conversation)
        if value is not _MISSING and fits(value, schema, tool["input_schema"]):
            found[name] = value
        elif name in _required(tool):
            return None
    return found


def value_of(name: str, schema: Mapping[str, Any], conversation: Conversation) -> Any:
    """What the conversation tells of one argument; None: nothing."""
    value = _value(name, schema, conversation)
    return None if value is _MISSING else value


def question(tool: Mapping[str, Any], conversation: Conversation) -> str:
    """The question that brings the tool forward; "" if there is none."""
    if _NEEDS_YES.search(tool["name"]):
        return _proposal(conversation)
    for name in _required(tool):
        schema = _properties(tool).get(name, {})
        said = model_words.digits(conversation.caller_text)
        if "pattern" in schema and said and not any(fits(run, schema) for run in said):
            return f"That does not look right. {_question_for(name, schema)}"
        if _value(name, schema, conversation) is not _MISSING:
            continue
        if model_calendar.knows(name, schema):
            return "Which of these times would suit you?" if "start" in _properties(tool) else ""
        return _question_for(name, schema)
    return ""


def _proposal(conversation: Conversation) -> str:
    when = [value for name, value in conversation.known.items() if name.endswith(("_date", "_day", "day", "date"))]
    hour = [value for name, value in conversation.known.items() if name.endswith("time")]
    if not when:
        return "Shall I confirm it?"
    told = f"It is on {when[0]}{f' at {hour[0]}' if hour else ''}"
    return f"{told.rstrip('.')}. Does that suit you?"


def _names_a_day(asked: str, conversation: Conversation) -> bool:
    known = [value for name, value in conversation.known.items() if name.endswith(("_date", "_day", "day", "date"))]
    return not known or any(value.lower() in asked.lower() for value in known)


def _question_for(name: str, schema: Mapping[str, Any]) -> str:
    words = name.replace("_", " ")
    if len(schema.get("enum", ())) > 1:
        *most, last = map(str, schema["enum"])
        return f"Which {words} would you like: {', '.join(most)} or {last}?"
    if words.endswith(("day", "date")):
        return "Which day would suit you?"
    if words.endswith("time"):
        return "What time would suit you?"
    if name in _IN_OWN_WORDS:
        return "Could you tell me in a few words what happened?"
    asked = re.split(r"[,:;(]", str(schema.get("description", "")))[0].strip()
    return asking_for(asked or f"the {words}")


def asking_for(told: str) -> str:
    """The question for something that is told of in the caller's third person."""
    asked = re.sub(r"\bthey\b", "you", re.sub(r"\btheir\b", "your", told))
    if asked.startswith(("whether ", "when ", "how ", "what ", "which ", "where ", "why ")):
        return f"Could you tell me {asked}?"
    return f"Could you tell me your {asked.removeprefix('the ').removeprefix('your ')}?"


def _value(name: str, schema: Mapping[str, Any], conversation: Conversation) -> Any:
    if model_calendar.knows(name, schema):
        found = model_calendar.value(name, conversation)
        return _MISSING if found is None else found
    if "pattern" in schema and (
        named := [run for run in model_words.digits(conversation.caller_text) if fits(run, schema)]
    ):
        return named[-1]  # another one than is known already, perhaps
    if name in conversation.known:
        return _typed(conversation.known[name], schema)
    about = set(model_words.keywords(f"{name.replace('_', ' ')} {schema.get('description', '')}"))
    for asked, said in conversation.answers():
        value = _said(name, schema, said, to_the_point=bool(about & set(model_words.keywords(asked))), about=about)
        if value is not _MISSING:
            return value
    return _MISSING


def _said(name: str, schema: Mapping[str, Any], said: str, *, to_the_point: bool, about: set[str]) -> Any:
    """What one turn of the caller's says about the argument."""
    relevant = to_the_point or bool(about & set(model_words.keywords(said)))
    kind = schema.get("type", "string")
    if "enum" in schema:
        return next((one for one in schema["enum"] if str(one).lower() in said.lower()), _MISSING)
    if kind == "boolean":
        agreed = model_words.agrees(said) if relevant else None
        if agreed is None and about & set(model_words.keywords(said)):
            agreed = True
        return _MISSING if agreed is None else agreed
    if kind in ("integer", "number"):
        amount = model_words.amount(said) if relevant else None
        return _MISSING if amount is None else amount
    if kind != "string":
        return _MISSING
    return _text(name, schema, said, to_the_point=to_the_point)


def _text(name: str, schema: Mapping[str, Any], said: str, *, to_the_point: bool) -> Any:
    if name.endswith(("day", "date")):
        return model_words.day(said) or _MISSING
    if name.endswith("time"):
        return model_words.time_of_day(said) or _MISSING
    if "pattern" in schema or name.endswith(("number", "_id", "code", "zip")):
        return next((run for run in reversed(model_words.digits(said)) if fits(run, schema)), _MISSING)
    if name in _IN_OWN_WORDS:
        enough = len(model_words.keywords(said)) >= 2 and len(said.split()) >= 4
        return said[: schema.get("maxLength", 120)] if enough else _MISSING
    return said[: schema.get("maxLength", 120)] if to_the_point and model_words.agrees(said) is not False else _MISSING


def _typed(text: str, schema: Mapping[str, Any]) -> Any:
    match schema.get("type"):
        case "integer" if text.lstrip("-").isdecimal():
            return int(text)
        case "boolean":
            return text.lower() in ("true", "yes", "1")
    return text


def _properties(tool: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    found = tool.get("input_schema", {}).get("properties", {})
    return {name: schema for name, schema in found.items() if isinstance(schema, Mapping)}


def _required(tool: Mapping[str, Any]) -> list[str]:
    return list(tool.get("input_schema", {}).get("required", ()))
