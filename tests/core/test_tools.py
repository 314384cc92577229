"""What follows from what a tool does: trying again, binding, templates, reading back."""

from typing import Any

import pytest

from core.tools import (
    Effect,
    Move,
    Unfilled,
    bind,
    fill,
    may_run_once_more,
    opening_move,
    places_in,
    read_back,
    shown_to_model,
    was_read_back,
)

SCHEMA = {
    "type": "object",
    "properties": {
        "day": {"type": "string"},
        "phone": {"type": "string", "bind": "caller_number"},
        "plan": {"type": "string", "bind": "variables.plan"},
    },
    "required": ["day", "phone"],
}


@pytest.mark.parametrize(
    ("effect", "idempotent", "looks_up", "move"),
    [
        (Effect.READ, False, False, Move.RUN),
        (Effect.WRITE, False, True, Move.LOOK_UP),
        (Effect.WRITE, True, True, Move.LOOK_UP),
        (Effect.WRITE, True, False, Move.RUN),
        (Effect.WRITE, False, False, Move.STOP),
        (Effect.IRREVERSIBLE, False, False, Move.STOP),
        (Effect.IRREVERSIBLE, False, True, Move.LOOK_UP),
    ],
)
def test_write_is_not_tried_again_blindly(effect: Effect, idempotent: bool, looks_up: bool, move: Move) -> None:
    assert opening_move(1, effect, idempotent=idempotent, looks_up=looks_up) is Move.RUN
    assert opening_move(2, effect, idempotent=idempotent, looks_up=looks_up) is move


def test_irreversible_write_that_was_not_found_may_still_be_on_its_way() -> None:
    assert may_run_once_more(Effect.WRITE, idempotent=False)
    assert not may_run_once_more(Effect.IRREVERSIBLE, idempotent=False)
    assert may_run_once_more(Effect.IRREVERSIBLE, idempotent=True)


def test_server_binds_the_caller_whatever_the_model_says() -> None:
    given = {"day": "Monday", "phone": "+12025550999", "plan": "gold"}
    bound = bind(SCHEMA, given, {"caller_number": "+12025550123"}, {})
    assert bound == {"day": "Monday", "phone": "+12025550123"}
    assert bind(SCHEMA, {}, {"caller_number": "+1"}, {"plan": "silver"}) == {"phone": "+1", "plan": "silver"}


def test_model_is_not_shown_what_the_server_fills_in() -> None:
    shown = shown_to_model(SCHEMA)
    assert list(shown["properties"]) == ["day"]
    assert shown["required"] == ["day"]


def test_template_keeps_types_and_leaves_out_what_was_not_given() -> None:
    values: dict[str, Any] = {"count": 3, "name": "Ann", "answer": {"lines": [{"id": 7}]}}
    template = {"n": "{count}", "text": "for {name}", "line": "{answer.lines.0.id}", "gone": "{other}", "deep": ["{x}"]}
    assert fill(template, values) == {"n": 3, "text": "for Ann", "line": 7, "deep": []}
    assert set(places_in(template)) == {"count", "name", "answer.lines.0.id", "other", "x"}
    with pytest.raises(Unfilled):
        fill("/orders/{other}", values)


LINE = "I will send order {order_number} to {street}, {city}. Is that right?"
ADDRESS = {"order_number": "48213", "street": "12 Oak Lane", "city": "Salem"}
SPOKEN = "I will send order 4 8 2 1 3 to 12 Oak Lane, Salem. Is that right?"


def test_arguments_are_read_back_as_people_say_them() -> None:
    assert read_back(LINE, ADDRESS) == SPOKEN
    assert read_back("With {extra} for {name}?", {"name": "Ann"}) == "With for Ann?"


def test_dates_are_read_back_in_the_language_of_the_call() -> None:
    asked = {"day": "2026-03-02"}
    assert read_back("On {day}?", asked) == "On March 2, 2026?"
    line = read_back("Am {day}, stimmt das?", asked, "de-AT")
    assert line == "Am 2. März 2026, stimmt das?"
    assert was_read_back(line, "Am 2. März 2026, stimmt", asked, "de-AT")
    assert not was_read_back(line, "Am 2. März", asked, "de-AT")
    assert read_back("{day}?", {"day": "2026-13-02"}) == "2026-13-02?"


@pytest.mark.parametrize(
    ("heard", "enough"),
    [
        (SPOKEN, True),
        ("I will send order 4 8 2 1 3 to 12 Oak Lane, Salem. Is", True),
        ("I will send order 4 8 2 1 3 to 12 Oak Lane, Salem.", True),
        ("I will send order 4 8 2 1 3 to 12 Oak Lane,", False),
        ("", False),
        ("Something else that is at least as long as all of the line that was to be read back to them.", False),
    ],
)
def test_nobody_confirms_what_they_have_not_heard(heard: str, enough: bool) -> None:
    assert was_read_back(SPOKEN, heard, ADDRESS) is enough
