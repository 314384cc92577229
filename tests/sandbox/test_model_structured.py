"""The rule-based model fills in fields that may be unknown from what callers plainly say, and guesses nothing."""

from typing import Any

import pytest

from sandbox.model_structured import structured_answer


def asked(**parts: dict[str, Any]) -> dict[str, Any]:
    properties = {name: {"anyOf": [part, {"type": "null"}]} for name, part in parts.items()}
    return {"type": "object", "properties": properties, "required": list(parts), "additionalProperties": False}


SCHEMA = asked(
    order_number={"type": "string"},
    sms_ok={"type": "boolean"},
    email={"type": "string", "format": "email"},
    parcels={"type": "integer"},
    wish={"type": "string"},
)
UNKNOWN = {"order_number": None, "sms_ok": None, "email": None, "parcels": None, "wish": None}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Caller: Where is order 48213?\nAssistant: 99999 is not it.", {"order_number": "48213", "parcels": 48213}),
        ("Assistant: Shall I text you?\nCaller: Yes please.", {"sms_ok": True}),
        ("Caller: Write to jo@example.com.", {"email": "jo@example.com"}),
        ("Caller: Hello.", {}),
        ("Assistant: Your order is 48213, yes?", {}),
    ],
)
def test_only_what_the_caller_said_is_told(said: str, told: dict[str, Any]) -> None:
    request = {"system": "", "messages": [{"role": "user", "content": said}]}
    assert structured_answer(request, SCHEMA) == UNKNOWN | told
