"""The rule-based model on turns that are unclear or ask for several things, in the prompts the product writes."""

from pathlib import Path

from activities.prompts import reply_prompt, step_prompt
from core.agenda import Agenda, AgendaNote
from core.contracts.call import GatewayAddress, ReasonStep, ReplyKey, Respond
from core.conversation import Exchange
from core.memory import Memory
from core.playbook import parse_playbook
from sandbox.model_rules import answer
from sandbox.model_structured import structured_answer
from tests.sandbox.test_model_rules import as_request
from vendors.model_answers import step_schema

PLAYBOOK = parse_playbook((Path(__file__).parents[2] / "playbooks" / "order_support.yaml").read_text())
GREETED = (Exchange(0, "", PLAYBOOK.greeting),)
BOTH = ("order_status", "returns")


def found(text: str, *choices: str) -> dict[str, object]:
    """The structured answer for a turn, perhaps after the caller was asked to choose."""
    memory = Memory(agenda=Agenda(choices=choices))
    asked = step_prompt(PLAYBOOK, ReasonStep("C1", PLAYBOOK.ref, "order_status", 1, text, GREETED, memory=memory))
    value = structured_answer(as_request(asked.prompt), step_schema(asked))
    assert isinstance(value, dict)
    return value


def said(step: str, text: str, note: AgendaNote) -> str:
    """The answer in a step."""
    gateway, key = GatewayAddress(1, "", ""), ReplyKey(1, 1, 0, 1)
    request = Respond("C1", PLAYBOOK.ref, gateway, key, step, text, "+12025550100", GREETED, agenda=note)
    return answer(as_request(reply_prompt(PLAYBOOK, request))).text


def test_vague_words_leave_it_unsure_between_two_steps() -> None:
    told = found("It is about that thing, you know.")
    assert told["confidence"] == 0.3
    assert told["instead"] not in ("(none)", told["step"])
    assert told["also"] == []


def test_plain_turn_asks_for_one_step_and_no_other() -> None:
    told = found("Where is my order?")
    assert (told["step"], told["instead"], told["also"]) == ("order_status", "(none)", [])


def test_what_no_step_is_there_for_belongs_to_none() -> None:
    assert (found("What is the weather like today?")["step"], found("Where is my order?")["step"]) == (
        "(none)",
        "order_status",
    )


def test_several_things_in_one_breath_are_told_in_their_order() -> None:
    told = found("What is your return policy, and where is my order?")
    assert (told["step"], told["also"]) == ("returns", [{"step": "order_status", "words": "where is my order"}])


def test_answer_to_the_choice_is_understood_by_its_place_and_else_is_as_unclear() -> None:
    assert found("The second one.", *BOTH)["step"] == "returns"
    again = found("Hm, no idea really.", *BOTH)
    assert (again["step"], again["instead"], again["confidence"]) == ("order_status", "returns", 0.3)


def test_clarifying_question_names_both_steps_and_nothing_else() -> None:
    question = said("order_status", "It is about that thing.", AgendaNote(unclear=True, choices=BOTH))
    assert question.endswith("Is it about order status, or about returns?")
    assert "other words" in said("order_status", "Hm.", AgendaNote(unclear=True))


def test_what_comes_later_is_not_asked_for_and_what_was_left_is_led_back_to() -> None:
    assert "anything else" in said("returns", "How do I return it?", AgendaNote(taken_up=True))
    assert "anything else" not in said("returns", "How do I return it?", AgendaNote(later=("order_status",)))
    resumed = said("order_status", "", AgendaNote(resumed=True))
    assert resumed.startswith("Now, back to your order status.")
