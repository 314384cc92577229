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


STEPS = {
    "type": "object",
    "properties": {
        "step": {"type": "string", "enum": ["returns", "change_address"]},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
    },
    "required": ["step", "confidence"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("assistant", "sure"),
    [
        ("Could you tell me your new address, with street, house and town?", True),
        ("Thank you. Which would suit you?", True),
        ("Hello. How can I help you with your order?", False),
        ("Could you tell me in other words what you need?", False),
        ("It has shipped. Is there anything else?", False),
        ("It has shipped.", False),
    ],
)
def test_words_that_fit_no_step_are_sure_only_as_an_answer_to_a_question(assistant: str, sure: bool) -> None:
    steps = "- returns: Take a return.\n- change_address: Send it elsewhere.\n"
    system = f"{steps}The call is in the step 'change_address' now."
    messages = [
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": assistant},
        {"role": "user", "content": "12 Oak Lane in Salem."},
    ]
    found = structured_answer({"system": system, "messages": messages}, STEPS)
    assert found["step"] == "change_address"
    assert (found["confidence"] >= 0.5) is sure
