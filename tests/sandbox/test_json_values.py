import re
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.json_patterns import text_for
from sandbox.json_values import NoValue, fits, valid_value

TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 3},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                "parent": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            },
            "required": ["name", "children", "parent"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        TREE,
        {"const": {"a": [1, None]}},
        {"enum": ["red", "green"]},
        {"type": ["null", "integer"], "minimum": 4},
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "uuid"},
        {"type": "string", "pattern": r"^\+[1-9]\d{6,14}$"},
        {"type": "string", "pattern": "^(foo|bar)-[A-F]{2}$", "maxLength": 6},
        {"type": "string", "minLength": 40, "maxLength": 40},
        {"type": "integer", "exclusiveMinimum": 6, "multipleOf": 7},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001},
        {"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "prefixItems": [{"type": "string"}, {"type": "boolean"}], "minItems": 2},
        {"type": "array", "contains": {"const": 7}, "minItems": 2},
        {"type": "object", "minProperties": 2, "additionalProperties": {"type": "integer"}},
        {"type": "object", "properties": {"a": {}, "b": {}}, "maxProperties": 1, "required": ["b"]},
        {"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 3}]},
        {"oneOf": [{"type": "integer"}, {"type": "integer", "minimum": 0}], "maximum": 5},
        {"type": "string", "not": {"enum": ["text"]}},
        {"type": "object", "required": ["a"], "dependentRequired": {"a": ["b"]}, "properties": {"b": {"const": 1}}},
    ],
)
def test_a_value_fits_the_schema(schema: Any) -> None:
    assert jsonschema_rs.is_valid(schema, valid_value(schema))


@pytest.mark.parametrize(
    "schema", [False, {"enum": []}, {"type": "integer", "minimum": 3, "maximum": 2}, {"$ref": "#/nowhere"}]
)
def test_a_schema_that_nothing_fits_is_told(schema: Any) -> None:
    with pytest.raises(NoValue):
        valid_value(schema)


def test_the_same_schema_gives_the_same_value() -> None:
    assert valid_value(TREE) == valid_value(TREE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
LIMITS = st.integers(0, 6)


def _objects(schema: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    def whole(parts: tuple[dict[str, Any], list[str], Any]) -> dict[str, Any]:
        properties, required, others = parts
        kept = [name for name in required if name in properties]
        return {"type": "object", "properties": properties, "required": kept, "additionalProperties": others}

    properties = st.dictionaries(st.sampled_from(["a", "b", "c", "long name"]), schema, max_size=4)
    names = st.lists(st.sampled_from(["a", "b", "c"]), unique=True)
    return st.tuples(properties, names, st.booleans()).map(whole)


SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.builds(lambda value: {"const": value}, JSON),
        st.builds(lambda values: {"enum": values}, st.lists(JSON, min_size=1, max_size=4)),
        st.builds(lambda low, span: {"type": "integer", "minimum": low, "maximum": low + span}, LIMITS, LIMITS),
        st.builds(lambda low, step: {"type": "integer", "minimum": low, "multipleOf": step + 1}, LIMITS, LIMITS),
        st.builds(lambda low: {"type": "number", "exclusiveMinimum": low, "maximum": low + 1}, LIMITS),
        st.builds(lambda low, span: {"type": "string", "minLength": low, "maxLength": low + span}, LIMITS, LIMITS),
        st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"type": ["string", "null"]}, {}, True]),
        st.sampled_from(["^[0-9]{5}$", "^[a-z]+[0-9]?$", "(one|two)", r"^\d{3}-\d{4}$", "^.{4}$"]).map(
            lambda pattern: {"type": "string", "pattern": pattern}
        ),
    ),
    lambda inner: st.one_of(
        _objects(inner),
        st.builds(lambda items, low: {"type": "array", "items": items, "minItems": low}, inner, st.integers(0, 3)),
        st.builds(lambda choices: {"anyOf": choices}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)


@given(SCHEMAS)
def test_any_schema_is_answered_with_a_valid_value(schema: Any) -> None:
    assert jsonschema_rs.is_valid(schema, valid_value(schema))


@given(SCHEMAS, JSON)
def test_what_fits_is_what_a_real_validator_takes(schema: Any, value: Any) -> None:
    assert fits(value, schema) == jsonschema_rs.is_valid(schema, value)


@given(st.from_regex(r"\A(\[[a-f0-9]{2,4}\]|[a-z]|\\d|x|\.)([+?]|\{1,3\}|)(ab|c)?\Z"), st.integers(0, 4))
def test_text_matches_the_pattern_it_was_written_for(pattern: str, size: int) -> None:
    assert re.search(pattern, text_for(pattern, size))
