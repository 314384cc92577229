"""The playbook's fields: what a model is asked for, and what of its answer is taken."""

from dataclasses import replace
from typing import Any

import jsonschema_rs

from activities.extraction import checked, extract_prompt, wire_schema
from activities.follow_ups import Ready, prepared
from core.contracts.after_call import Means, Outcome, SendFollowUp
from core.outcome import Disposition
from core.playbook import parse_playbook
from sandbox.app import SandboxConfig, create_app
from sandbox.state import SandboxState
from tests.sandbox.server import running
from tests.storage.records import ended_call
from tests.world.playbook import ORDERS, orders
from vendors.anthropic_reasoner import AnthropicReasoner

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "order": {"type": "string", "pattern": "^[0-9]{5}$", "description": "as the caller said it"},
        "day": {"type": "string", "format": "date"},
        "kind": {"enum": ["return", "repair"]},
        "items": {"type": "array", "items": {"type": "string", "minLength": 2}, "maxItems": 3},
        "amount": {"type": "number", "minimum": 0},
    },
    "required": ["order", "day"],
}


def test_each_field_is_checked_by_itself_and_what_does_not_fit_is_named() -> None:
    answer = {"order": "482", "day": "2026-02-30", "kind": "return", "items": ["ab"], "amount": -1, "more": "x"}
    extracted = checked(answer, SCHEMA)
    assert extracted.fields == {"kind": "return", "items": ["ab"]}
    assert extracted.faults == ("order (does not fit)", "day (does not fit)", "amount (does not fit)")
    assert checked({"order": None, "day": ""}, SCHEMA).faults == ("order (unknown)", "day (unknown)")


def test_a_model_is_asked_for_nothing_that_structured_output_does_not_take() -> None:
    asked = wire_schema(SCHEMA)
    assert asked["required"] == list(SCHEMA["properties"])
    assert asked["properties"]["order"]["anyOf"] == [
        {"type": "string", "description": "as the caller said it"},
        {"type": "null"},
    ]
    assert "minLength" not in str(asked)
    assert "minimum" not in str(asked)
    assert jsonschema_rs.validator_for(asked).is_valid(dict.fromkeys(SCHEMA["properties"]))


async def test_the_vendors_sdk_brings_an_object_by_the_schema() -> None:
    async with running(create_app(SandboxState(), SandboxConfig())) as origin:
        reasoner = AnthropicReasoner("key", origin)
        answer, usage = await reasoner.extract(extract_prompt(orders(), ended_call()), wire_schema(SCHEMA))
        await reasoner.close()
    assert answer.keys() == SCHEMA["properties"].keys()
    assert answer["day"] is None
    assert usage.output_tokens > 0


AFTER = """
after_call:
  quiet_hours: {begin: "20:00", end: "09:00"}
  follow_ups:
    - {name: thanks, by: sms, text: "Thank you, {variables.name}.", when: [completed]}
"""
DAY, NIGHT = 1_795_705_200_000.0, 1_795_680_000_000.0  # 10:00 and 03:00 in New York
CHOICE = parse_playbook(ORDERS + AFTER).after_call
SENT = SendFollowUp(
    "CA1", "orders@1", "thanks", Disposition.COMPLETED, "+12125550123", "+12025550001", {}, {"name": "Jo"}, True
)


def why(now_ms: float = DAY, **changes: Any) -> str:
    found = prepared(CHOICE, replace(SENT, **changes), now_ms)
    assert isinstance(found, Outcome)
    return found.detail


def test_a_message_goes_to_the_caller_by_day_with_consent() -> None:
    assert prepared(CHOICE, SENT, DAY) == Ready(Means.SMS, "+12125550123", "", "Thank you, Jo.")


def test_the_callers_number_tells_when_it_is_night_there() -> None:
    assert why(NIGHT) == "quiet hours until 2026-11-26 14:00 UTC"


def test_what_keeps_a_message_from_being_sent_is_told() -> None:
    assert why(consent=None) == "no consent"
    assert why(consent=False) == "the caller has refused"
    assert why(disposition=Disposition.BUSY) == "not after a call that ended as busy"
    assert why(variables={}) == "the call did not tell 'variables.name'"
    assert why(caller_number="anonymous") == "there is no address to send it to"
    assert why(name="gone") == "the playbook has no such message"
