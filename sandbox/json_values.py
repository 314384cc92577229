"""Valid values for JSON schemas: what a model with structured output would answer at least.

Understood: $ref within the schema, type, const, enum, anyOf, oneOf, allOf, not; for objects properties, required,
additionalProperties, minProperties, maxProperties, dependentRequired; for arrays items, prefixItems, contains,
minItems, maxItems, uniqueItems; for strings format, pattern, minLength, maxLength; for numbers all bounds and
multipleOf. Every value made is checked against the schema, so an answer is valid or there is none.
"""

import math
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from sandbox.json_patterns import BadPattern, text_for

Schema = Mapping[str, Any] | bool

_DEEP = 6  # nesting below which optional parts are left out, so that recursive schemas end
_TOO_DEEP = 24
_CANDIDATES = 64
_FORMATS = {
    "date-time": "2026-11-20T09:{:02}:00Z",
    "date": "2026-11-{:02}",
    "time": "09:{:02}:00Z",
    "duration": "PT{}M",
    "email": "person{}@example.com",
    "hostname": "host{}.example.com",
    "uri": "https://example.com/{}",
    "ipv4": "192.0.2.{}",
    "ipv6": "2001:db8::{}",
    "uuid": "123e4567-e89b-42d3-a456-4266141740{:02}",
}
_TYPE_SIGNS = {
    "object": ("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
    "array": ("items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems"),
    "string": ("pattern", "format", "minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}


class NoValue(Exception):
    """No value fits the schema, or none could be found."""


def valid_value(schema: Schema) -> Any:
    """A value that the schema allows, the same each time. Raises NoValue."""
    for value in _Maker(schema).values(schema, 0):
        return value
    raise NoValue("no value fits the schema")


def fits(value: Any, schema: Schema, root: Schema | None = None) -> bool:
    """Whether the schema (a part of ``root``, which its references mean) allows the value."""
    root = schema if root is None else root
    if isinstance(schema, bool):
        return schema
    return (
        ("$ref" not in schema or fits(value, resolve(schema["$ref"], root), root))
        and ("const" not in schema or _same(value, schema["const"]))
        and ("enum" not in schema or any(_same(value, one) for one in schema["enum"]))
        and _fits_type(value, schema)
        and all(fits(value, part, root) for part in schema.get("allOf", ()))
        and ("anyOf" not in schema or any(fits(value, part, root) for part in schema["anyOf"]))
        and ("oneOf" not in schema or sum(fits(value, part, root) for part in schema["oneOf"]) == 1)
        and ("not" not in schema or not fits(value, schema["not"], root))
        and _fits_kind(value, schema, root)
    )


def resolve(ref: str, root: Schema) -> Schema:
    """What a reference within the schema points at. Raises NoValue."""
    found: Any = root
    for key in ref.removeprefix("#").split("/")[1:]:
        name = key.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(name)] if isinstance(found, list) else found[name]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise NoValue(f"nothing is at {ref}") from error
    if not isinstance(found, Mapping | bool) or (ref and ref[0] != "#"):
        raise NoValue(f"no schema is at {ref}")
    return found


class _Maker:
    """Tries candidates in a fixed order and keeps those that fit."""

    def __init__(self, root: Schema) -> None:
        self._root = root

    def values(self, schema: Schema, depth: int) -> Iterator[Any]:
        if depth > _TOO_DEEP:
            return
        for value in islice(self._candidates(schema, depth), _CANDIDATES):
            if fits(value, schema, self._root):
                yield value

    def _candidates(self, schema: Schema, depth: int) -> Iterator[Any]:
        if isinstance(schema, bool):
            yield from ("text",) if schema else ()
            return
        if "const" in schema:
            yield schema["const"]
        elif "enum" in schema:
            yield from schema["enum"]
        elif "$ref" in schema:
            rest = {key: part for key, part in schema.items() if key != "$ref"}
            yield from self.values(_both(rest, resolve(schema["$ref"], self._root)), depth + 1)
        elif any(key in schema for key in ("allOf", "anyOf", "oneOf")):
            yield from self._combined(schema, depth)
        else:
            for kind in _types(schema):
                yield from self._of_type(kind, schema, depth)

    def _combined(self, schema: Mapping[str, Any], depth: int) -> Iterator[Any]:
        rest: Schema = {key: part for key, part in schema.items() if key not in ("allOf", "anyOf", "oneOf")}
        for part in schema.get("allOf", ()):
            rest = _both(rest, self._whole(part))
        choices = [self._whole(choice) for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))]
        if depth > _DEEP:  # the way out of a recursion is the choice that refers to nothing
            choices.sort(key=lambda choice: "$ref" in str(choice))
        for choice in choices or [{}]:
            yield from islice(self.values(_both(rest, choice), depth + 1), 8)

    def _whole(self, schema: Schema) -> Schema:
        seen = 0
        while isinstance(schema, Mapping) and "$ref" in schema and seen < _TOO_DEEP:
            rest = {key: part for key, part in schema.items() if key != "$ref"}
            schema, seen = _both(rest, resolve(schema["$ref"], self._root)), seen + 1
        return schema

    def _of_type(self, kind: str, schema: Mapping[str, Any], depth: int) -> Iterator[Any]:
        match kind:
            case "object":
                yield from self._objects(schema, depth)
            case "array":
                yield from self._arrays(schema, depth)
            case "string":
                yield from _strings(schema)
            case "number" | "integer":
                yield from _numbers(schema, whole=kind == "integer")
            case "boolean":
                yield from (True, False)
            case "null":
                yield None

    def _objects(self, schema: Mapping[str, Any], depth: int) -> Iterator[dict[str, Any]]:
        properties: Mapping[str, Schema] = schema.get("properties", {})
        required = list(dict.fromkeys(schema.get("required", ())))
        optional = [name for name in properties if name not in required] if depth <= _DEEP else []
        optional = optional[: max(0, schema.get("maxProperties", len(properties) + len(required)) - len(required))]
        for keep in (optional, []):
            made: dict[str, Any] = {}
            for name in (*required, *keep):
                for value in self.values(self._property(schema, name), depth + 1):
                    made[name] = value
                    break
            for names in (needed for name, needed in schema.get("dependentRequired", {}).items() if name in made):
                made |= {name: self._any(self._property(schema, name), depth) for name in names if name not in made}
            extra = 1
            while len(made) < schema.get("minProperties", 0) and extra <= _CANDIDATES:
                for value in islice(self.values(schema.get("additionalProperties", True), depth + 1), 1):
                    made[f"extra{extra}"] = value
                extra += 1
            yield made

    def _property(self, schema: Mapping[str, Any], name: str) -> Schema:
        found: Schema = schema.get("properties", {}).get(name, schema.get("additionalProperties", True))
        return found

    def _any(self, schema: Schema, depth: int) -> Any:
        return next(self.values(schema, depth + 1), None)

    def _arrays(self, schema: Mapping[str, Any], depth: int) -> Iterator[list[Any]]:
        prefix = [self._any(part, depth) for part in schema.get("prefixItems", ())]
        items: Schema = schema.get("items", True)
        least = schema.get("minItems", 0)
        most = schema.get("maxItems", math.inf)
        if "contains" in schema:
            prefix += list(islice(self.values(_both(schema["contains"], items), depth + 1), 1))
        for wish in (1, 0, len(prefix)) if depth <= _DEEP else (0, len(prefix)):
            count = int(min(max(least, wish, 0), most))
            made = prefix[:count]
            for value in self._items(items, depth, distinct=bool(schema.get("uniqueItems"))):
                if len(made) >= count:
                    break
                if not schema.get("uniqueItems") or not any(_same(value, one) for one in made):
                    made.append(value)
            yield made

    def _items(self, items: Schema, depth: int, *, distinct: bool) -> Iterator[Any]:
        if items is True:
            yield from (f"text {number}" for number in range(1, _CANDIDATES + 1))
        elif distinct:
            yield from self.values(items, depth + 1)
        else:
            for value in islice(self.values(items, depth + 1), 1):
                while True:
                    yield value


def _types(schema: Mapping[str, Any]) -> list[str]:
    named = schema.get("type")
    if isinstance(named, list):
        return sorted(named, key=lambda kind: kind == "null")
    if named is not None:
        return [named]
    signs = [kind for kind, keys in _TYPE_SIGNS.items() if any(key in schema for key in keys)]
    return [*signs, "string", "boolean", "null", "integer", "array", "object"]


def _strings(schema: Mapping[str, Any]) -> Iterator[str]:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if "pattern" in schema:
        for size in (0, 1, 2, 4, 8, least):
            try:
                yield text_for(schema["pattern"], size)
            except BadPattern:
                return
    for number in range(1, _CANDIDATES):
        text = _FORMATS.get(schema.get("format", ""), "text {}" if number > 1 else "text").format(number)
        if "format" not in schema or schema["format"] not in _FORMATS:
            text = text.ljust(least, "x")
            if most is not None and len(text) > most:
                text = str(number).rjust(most, "x")[:most] if most else ""
        yield text


def _numbers(schema: Mapping[str, Any], *, whole: bool) -> Iterator[float | int]:
    step = schema.get("multipleOf", 1 if whole else None)
    low = schema.get("exclusiveMinimum", schema.get("minimum"))
    high = schema.get("exclusiveMaximum", schema.get("maximum"))
    low = max(low, schema.get("minimum", low)) if low is not None else None
    high = min(high, schema.get("maximum", high)) if high is not None else None
    if step:
        start = math.ceil(low / step) if low is not None else (math.floor(high / step) if high is not None else 1)
        for offset in range(_CANDIDATES // 2):
            for number in (start + offset, start - offset):
                value = number * step
                yield int(value) if whole and value == int(value) else value
        return
    if low is not None and high is not None:
        yield from (low + (high - low) * part / 16 for part in (8, *range(17)))
    elif low is not None or high is not None:
        start, sign = (low, 1) if low is not None else (high, -1)
        yield from (start + sign * offset for offset in (0, *range(1, _CANDIDATES)))
    else:
        yield from range(1, _CANDIDATES)


def _both(one: Schema, other: Schema) -> Schema:
    """A schema that allows what both allow, as far as merging goes; candidates are checked against the whole."""
    if isinstance(one, bool):
        return other if one else False
    if isinstance(other, bool):
        return one if other else False
    merged = dict(one)
    for key, part in other.items():
        if key not in merged:
            merged[key] = part
        elif key == "properties":
            theirs = merged[key]
            merged[key] = {**theirs, **{name: _both(theirs.get(name, True), part[name]) for name in part}}
        elif key == "required":
            merged[key] = [*merged[key], *part]
        elif key in ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"):
            merged[key] = max(merged[key], part)
        elif key in ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"):
            merged[key] = min(merged[key], part)
        elif key == "enum":
            merged[key] = [value for value in merged[key] if value in part]
        elif merged[key] != part and key not in ("title", "description", "default", "examples", "$defs", "$schema"):
            merged.setdefault("allOf", [])
            merged["allOf"] = [*merged["allOf"], {key: part}] if key != "allOf" else [*merged["allOf"], *part]
    return merged


def _fits_type(value: Any, schema: Mapping[str, Any]) -> bool:
    named = schema.get("type")
    kinds: list[str] = named if isinstance(named, list) else [str(named)]
    return named is None or any(_is_kind(value, kind) for kind in kinds)


def _is_kind(value: Any, kind: str) -> bool:
    match kind:
        case "integer":
            return not isinstance(value, bool) and isinstance(value, int | float) and value == int(value)
        case "number":
            return not isinstance(value, bool) and isinstance(value, int | float)
        case "null":
            return value is None
    python = {"object": dict, "array": list, "string": str, "boolean": bool}[kind]
    return isinstance(value, python)


def _fits_kind(value: Any, schema: Mapping[str, Any], root: Schema) -> bool:
    match value:
        case dict():
            return _fits_object(value, schema, root)
        case list():
            return _fits_array(value, schema, root)
        case str():
            return schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", math.inf) and (
                "pattern" not in schema or _matches(schema["pattern"], value)
            )
        case bool() | None:
            return True
    return _fits_number(value, schema)


def _fits_object(value: dict[str, Any], schema: Mapping[str, Any], root: Schema) -> bool:
    properties = schema.get("properties", {})
    patterns: Mapping[str, Schema] = schema.get("patternProperties", {})
    others: Schema = schema.get("additionalProperties", True)
    for name, part in value.items():
        wanted = [properties[name]] if name in properties else []
        wanted += [kind for pattern, kind in patterns.items() if _matches(pattern, name)]
        if not all(fits(part, kind, root) for kind in wanted or [others]):
            return False
    return (
        all(name in value for name in schema.get("required", ()))
        and all(
            set(needs) <= set(value) for name, needs in schema.get("dependentRequired", {}).items() if name in value
        )
        and schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", math.inf)
    )


def _fits_array(value: list[Any], schema: Mapping[str, Any], root: Schema) -> bool:
    prefix = schema.get("prefixItems", [])
    rest = value[len(prefix) :]
    return (
        all(fits(one, part, root) for one, part in zip(value, prefix, strict=False))
        and all(fits(one, schema.get("items", True), root) for one in rest)
        and schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf)
        and ("contains" not in schema or any(fits(one, schema["contains"], root) for one in value))
        and (not schema.get("uniqueItems") or not any(_same(a, b) for n, a in enumerate(value) for b in value[:n]))
    )


def _fits_number(value: float, schema: Mapping[str, Any]) -> bool:
    step = schema.get("multipleOf")
    return (
        schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf)
        and schema.get("exclusiveMinimum", -math.inf) < value < schema.get("exclusiveMaximum", math.inf)
        and (step is None or math.isclose(value / step, round(value / step), rel_tol=0, abs_tol=1e-9))
    )


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False


def _same(one: Any, other: Any) -> bool:
    """JSON equality: 1 is 1.0 but not true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return (type(one) is type(other) and bool(one == other)) or (
        isinstance(one, int | float) and isinstance(other, int | float) and one == other
    )
