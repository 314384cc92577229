"""The rule-based model in a call that has gone over to another language."""

import pytest

from activities.prompts import reply_prompt
from core.contracts.call import GatewayAddress, ReplyKey, Respond
from core.conversation import Exchange, ToolCall, ToolResult
from core.manner import Manner
from core.playbook import parse_playbook
from sandbox.model_rules import Answer, answer
from tests.sandbox.test_model_rules import PLAYBOOKS, as_request

PLAYBOOK = parse_playbook((PLAYBOOKS / "order_support.yaml").read_text())
GREETED = Exchange(0, "", "¿Cómo puedo ayudarle?")


def answered(text: str, language: str = "es", tools: tuple[ToolResult, ...] = ()) -> Answer:
    address, key, manner = GatewayAddress(1, "", ""), ReplyKey(1, 1, 0, 1), Manner(language=language)
    request = Respond(
        "CA1", PLAYBOOK.ref, address, key, "order_status", text, "+12025550100", (GREETED,), tools, manner=manner
    )
    return answer(as_request(reply_prompt(PLAYBOOK, request)))


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("es", "¿Dónde está mi pedido?", "De acuerdo. ¿Me puede dar el número, por favor?"),
        ("de", "Wo ist meine Bestellung?", "In Ordnung. Können Sie mir bitte die Nummer geben?"),
    ],
)
def test_it_asks_in_the_language_of_the_call(language: str, text: str, said: str) -> None:
    assert answered(text, language).text == said


def test_it_calls_a_tool_and_tells_what_that_gave() -> None:
    (asked,) = answered("El número es 48213.").tools
    assert asked.arguments == {"order_number": "48213"}
    result = ToolResult(
        ToolCall("t1", asked.name, asked.arguments), True, '{"order_number": "48213", "status": "shipped"}'
    )
    told = answered("El número es 48213.", tools=(result,)).text
    assert told == "Aquí lo tengo: 48213, shipped. ¿Puedo ayudarle en algo más?"


def test_it_says_goodbye_and_hands_over() -> None:
    assert answered("Eso es todo, adiós.").tools[0].name == "end_call"
    assert answered("Quiero hablar con una persona.").tools[0].name == "transfer_to_human"
