"""What a tool may do to the world, and what follows from it. Pure: no I/O, no clock."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, Final

from core.dates import spoken_date


class Effect(StrEnum):
    """What a tool call changes, the mildest first."""

    READ = "read"
    WRITE = "write"  # can be changed back
    IRREVERSIBLE = "irreversible"  # cannot: never tried again unless the system itself does nothing twice

    def at_least(self, other: "Effect") -> "Effect":
        """The graver of the two."""
        return max(self, other, key=_GRAVITY.index)


_GRAVITY: Final = (Effect.READ, Effect.WRITE, Effect.IRREVERSIBLE)


# Trying again


class Move(StrEnum):
    """How an attempt at a tool call begins."""

    RUN = "run"
    LOOK_UP = "look_up"  # what became of the attempt before; it is run only if that had no effect
    STOP = "stop"  # nobody can tell whether the attempt before had its effect


def opening_move(attempt: int, effect: Effect, *, idempotent: bool, looks_up: bool) -> Move:
    """Attempts are counted from 1; one that a dead worker began is one. A write is never done twice."""
    if attempt == 1 or effect is Effect.READ:
        return Move.RUN
    if looks_up:
        return Move.LOOK_UP
    return Move.RUN if idempotent else Move.STOP


def may_run_once_more(effect: Effect, *, idempotent: bool) -> bool:
    """Whether a write may be run that the look-up has not found: an answer so lost may still be on its way."""
    return idempotent or effect is not Effect.IRREVERSIBLE


# Who fills in what


def bindings(schema: Mapping[str, Any]) -> dict[str, str]:
    """The arguments that the server fills in: name -> what with, see ``is_binding``."""
    properties = schema.get("properties", {})
    return {name: part["bind"] for name, part in properties.items() if isinstance(part, Mapping) and "bind" in part}


def is_binding(text: object) -> bool:
    """Whether the server knows such a thing of every call."""
    return isinstance(text, str) and (text in BINDINGS or (text.startswith(VARIABLES) and text != VARIABLES))


BINDINGS: Final = ("caller_number", "our_number", "direction", "call_id")
VARIABLES: Final = "variables."  # and the name of one: what the caller's record told beforehand


def bound_value(binding: str, known: Mapping[str, str], variables: Mapping[str, str]) -> str | None:
    """What the server fills in; None: it is not known in this call."""
    found = variables.get(binding.removeprefix(VARIABLES)) if binding.startswith(VARIABLES) else known.get(binding)
    return found or None


def bind(
    schema: Mapping[str, Any], arguments: Mapping[str, Any], known: Mapping[str, str], variables: Mapping[str, str]
) -> dict[str, Any]:
    """The arguments with the server's in place of whatever the model has given for them."""
    bound = bindings(schema)
    own = {name: value for name, value in arguments.items() if name not in bound}
    values = ((name, bound_value(what, known, variables)) for name, what in bound.items())
    return own | {name: value for name, value in values if value is not None}


def shown_to_model(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema without what the server fills in."""
    bound = bindings(schema)
    if not bound:
        return schema
    properties = {name: part for name, part in schema["properties"].items() if name not in bound}
    required = [name for name in schema.get("required", ()) if name not in bound]
    return {**schema, "properties": properties, "required": required}


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema, which allows no argument beyond those it names, unless it says what else it allows."""
    says = ("additionalProperties", "unevaluatedProperties", "patternProperties", "$ref", "allOf", "anyOf", "oneOf")
    return dict(schema) if any(name in schema for name in says) else {**schema, "additionalProperties": False}


# Templates: "{order_number}", "{answer.case.id}"

_PLACE: Final = re.compile(r"\{([a-z_][\w.-]*)\}", re.IGNORECASE)


class Unfilled(Exception):
    """A template names something that is not there."""


def places_in(template: Any) -> Iterator[str]:
    """The names in a template, however deep."""
    if isinstance(template, str):
        yield from _PLACE.findall(template)
    elif isinstance(template, Mapping):
        for part in template.values():
            yield from places_in(part)
    elif isinstance(template, list | tuple):
        for part in template:
            yield from places_in(part)


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """The template with values in it. One that is nothing but a name keeps the value's type.

    Raises:
        Unfilled: a value is missing. In a mapping or a list, the entry is left out instead.
    """
    if isinstance(template, str):
        whole = _PLACE.fullmatch(template)
        return at_path(values, whole[1]) if whole else _PLACE.sub(lambda m: plain(at_path(values, m[1])), template)
    if isinstance(template, Mapping):
        return dict(_filled(template.items(), values))
    if isinstance(template, list | tuple):
        return [part for _, part in _filled(enumerate(template), values)]
    return template


def _filled(parts: Any, values: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    for name, part in parts:
        try:
            yield name, fill(part, values)
        except Unfilled:
            continue


def at_path(values: Any, path: str) -> Any:
    """What stands at "delivery.items.0.day". Raises Unfilled."""
    found = values
    for part in path.split("."):
        if isinstance(found, Mapping) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            raise Unfilled(path)
    if found is None:
        raise Unfilled(path)
    return found


def plain(value: Any) -> str:
    """A value as it stands in an address or a header."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# Reading back

_LONG_NUMBER: Final = re.compile(r"\d{4,}")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_back(template: str, arguments: Mapping[str, Any], language: str = "en") -> str:
    """What the caller is to confirm, as it is spoken. Arguments that were not given leave nothing behind."""
    spoken = {name: _spoken(value, language) for name, value in arguments.items() if value is not None}
    line = _PLACE.sub(lambda match: spoken.get(match[1], ""), template)
    return re.sub(r"\s+([,.?!;])", r"\1", " ".join(line.split()))


def _spoken(value: Any, language: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(_spoken(part, language) for part in value.values())
    if isinstance(value, list | tuple):
        return ", ".join(_spoken(part, language) for part in value)
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return spoken_date(date.fromisoformat(value), language)
        except ValueError:
            return value
    if isinstance(value, str):  # digit by digit: a number that is not counted with
        return _LONG_NUMBER.sub(lambda match: " ".join(match[0]), value)
    return str(value)


def was_read_back(line: str, heard: str, arguments: Mapping[str, Any], language: str = "en") -> bool:
    """Whether what was heard is the line up to the last value in it: nobody waits for the end of "is that right?"."""
    values = [_spoken(value, language) for value in arguments.values() if value is not None and value != ""]
    needed = max((line.rfind(value) + len(value) for value in values if value in line), default=len(line))
    told = _letters(heard)
    return _letters(line).startswith(told) and len(told) >= len(_letters(line[:needed])) > 0


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
