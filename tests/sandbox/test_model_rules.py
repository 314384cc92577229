"""Whole conversations with the rule-based model, in the prompts the product really writes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from activities.dialogue import place_of
from activities.note_prompts import notes_prompt
from activities.prompts import reply_prompt, step_prompt
from activities.ready_tools import with_ready_tools
from core.contracts.call import GatewayAddress, ReasonStep, ReplyKey, Respond
from core.contracts.notes import TakeNotes
from core.conversation import Exchange, ToolCall, ToolResult, Usage
from core.memory import Known, Memory, Source
from core.note_taking import checked_notes, notes_schema, take_in
from core.playbook import END_CALL_TOOL, TRANSFER_TOOL, parse_playbook
from core.ports.reasoner import Prompt
from core.sentences import SentenceCutter
from sandbox.crm_records import Records, Refused
from sandbox.model_rules import Answer, answer
from sandbox.model_structured import structured_answer
from sandbox.model_words import agrees, amount, day, digits, echo, says_goodbye, time_of_day, wants_person
from tests.vendors.connectors import SECRETS
from vendors.python_tools import PythonTools
from vendors.tool_secrets import ToolSecrets

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
APPOINTMENT = {"appointment_id": "1001", "appointment_date": "Thursday, November 26", "appointment_time": "10 a.m."}


def as_request(prompt: Prompt) -> dict[str, Any]:
    """The prompt as it goes over the wire."""
    messages: list[dict[str, Any]] = []
    for message in prompt.messages:
        for tool in message.tools:
            use = {"type": "tool_use", "id": tool.call.id, "name": tool.call.name, "input": tool.call.arguments}
            result = {
                "type": "tool_result",
                "tool_use_id": tool.call.id,
                "content": tool.content,
                "is_error": not tool.ok,
            }
            messages += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
        if message.text:
            messages.append({"role": message.role, "content": message.text})
    tools = [{"name": tool.name, "input_schema": dict(tool.arguments)} for tool in prompt.tools]
    system = [{"type": "text", "text": text} for text in (prompt.system, prompt.situation)]
    return {"system": system, "messages": messages, "tools": tools}


_FREE = [f"2026-11-30T{hour}-05:00" for hour in ("09:00", "09:30", "10:00", "10:30", "11:00", "11:30")]
_FREE += [f"2026-12-01T{hour}-05:00" for hour in ("09:00", "09:30", "13:30")]
DIARY: dict[str, dict[str, Any]] = {
    "find_visits": {"bookings": [{"booking_uid": "u1", "start": "2026-11-26T10:00-05:00", "status": "accepted"}]},
    "find_times": {
        "today": "Thursday, 2026-11-26",
        "free_times": [{"start": at, "day": "Monday" if "11-30" in at else "Tuesday"} for at in _FREE],
    },
    "move_visit": {"booking_uid": "u2", "start": "2026-11-30T11:00-05:00", "status": "accepted"},
    "cancel_visit": {"booking_uid": "u1", "status": "cancelled"},
    "save_contact": {"contact_id": "10001", "created": True},
}


@dataclass
class Talk:
    """A call without the call: finds the step, answers, runs tools against the emulated CRM's records."""

    name: str
    variables: dict[str, str] = field(default_factory=dict)
    recent: list[Exchange] = field(default_factory=list)
    step: str = ""
    asked: list[str] = field(default_factory=list)
    records: Records = field(default_factory=Records)
    memory: Memory = field(default_factory=Memory)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)  # what tools answer that are no operations

    def __post_init__(self) -> None:
        written = parse_playbook((PLAYBOOKS / f"{self.name}.yaml").read_text())
        self.playbook, _ = with_ready_tools(written, {"python": PythonTools(ToolSecrets(SECRETS))})
        self.step = self.playbook.steps[0].name
        self.recent.append(Exchange(0, "", self.playbook.greeting))

    def says(self, text: str, kept: tuple[str, ...] = ()) -> str:
        """What the assistant answers; tools asked for are noted in ``asked``."""
        number = len(self.recent)
        place = place_of(self.playbook, self.memory, self.step, number, text, self.variables, "en")
        self.memory.slots |= {name: Known(value, Source.CALLER, number) for name, value in place.slots.items()}
        self.step = place.step if place.step != self.step else self.find_step(text, place.reachable)
        results: tuple[ToolResult, ...] = ()
        for _ in range(4):
            found = self.answer(text, results, kept)
            new = tuple(self.run(tool.name, tool.arguments) for tool in found.tools)
            results += new
            if not new or any(tool.name in (END_CALL_TOOL, TRANSFER_TOOL) for tool in found.tools):
                break
        self.recent.append(Exchange(number, text, found.text, tools=results))
        self.take_notes(number)
        return found.text

    def take_notes(self, number: int) -> None:
        request = TakeNotes("CA1", self.playbook.ref, number, self.step, tuple(self.recent[-2:]), self.memory)
        schema = notes_schema(self.playbook, self.step, self.memory, sums_up=False)
        told = structured_answer(as_request(notes_prompt(self.playbook, request, datetime(2026, 11, 26, 12))), schema)
        take_in(self.memory, checked_notes(self.playbook, self.memory, number, told, 0, Usage()))

    def answer(self, text: str, results: tuple[ToolResult, ...] = (), kept: tuple[str, ...] = ()) -> Answer:
        request = Respond(
            "CA1", self.playbook.ref, GatewayAddress(1, "", ""), ReplyKey(1, 1, 0, 1), self.step, text, "+12025550100",
            tuple(self.recent), results, self.variables, memory=self.memory,
        )  # fmt: skip
        return answer(as_request(reply_prompt(self.playbook, request, kept=kept)))

    def find_step(self, text: str, reachable: Sequence[str] | None = None) -> str:
        asked = ReasonStep("CA1", self.playbook.ref, self.step, 1, text, tuple(self.recent))
        found = step_prompt(self.playbook, asked, reachable)
        step = {"type": "string", "enum": list(found.steps)}
        schema = {"type": "object", "properties": {"step": step, "confidence": {"type": "number"}}}
        value = structured_answer(as_request(found.prompt), schema)
        return str(value["step"]) if value["confidence"] >= 0.5 else self.step

    def run(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        self.asked.append(name)
        call = ToolCall(f"t{len(self.asked)}", name, arguments)
        if name in (END_CALL_TOOL, TRANSFER_TOOL):
            return ToolResult(call, True, "{}")
        if name in self.told:
            return ToolResult(call, True, json.dumps(self.told[name]))
        try:
            body = {"arguments": arguments | self.variables}
            return ToolResult(
                call, True, json.dumps(self.records.carry_out(self.playbook.tool(name).operation or "", body))
            )
        except Refused as refusal:
            return ToolResult(call, False, str(refusal))


def test_an_order_is_asked_for_looked_up_and_told() -> None:
    talk = Talk("order_support")
    assert "order number" in talk.says("Hi, where is my package?")
    assert talk.says("It is 4 8 2 1 3.").startswith("Order 48213 has shipped.")
    assert talk.says("Thanks, that's all. Bye.").endswith("day!")
    assert talk.asked == ["get_order_status", END_CALL_TOOL]


def test_a_number_that_is_no_order_is_asked_for_again() -> None:
    talk = Talk("order_support")
    assert "99" in talk.says("Where is order 99?")
    assert "not look right" in talk.recent[-1].assistant
    assert talk.asked == []


def test_a_refused_tool_is_told_in_its_words() -> None:
    talk = Talk("order_support")
    talk.says("Where is order 00001?")
    assert "There is no order 00001." in talk.recent[-1].assistant
    assert talk.asked == ["get_order_status"]


def test_a_case_is_opened_once() -> None:
    talk = Talk("order_support")
    assert "Case 70001 is open." in talk.says("My package arrived damaged and the tent is broken")
    talk.says("And the box was open and something was gone")
    assert talk.asked == ["create_case"]


def test_a_question_is_answered_from_the_playbook() -> None:
    assert "30 days" in Talk("order_support").says("How long can unused goods be returned?")


def test_a_caller_who_asks_for_a_person_is_handed_over() -> None:
    talk = Talk("order_support")
    talk.says("I want to talk to a human.")
    assert talk.asked == [TRANSFER_TOOL]


def test_an_appointment_is_proposed_and_confirmed_after_a_yes() -> None:
    talk = Talk("appointment_reminder", APPOINTMENT)
    assert "Thursday, November 26 at 10 a.m." in talk.says("Yes, now is a good moment.")
    assert talk.asked == []
    assert "confirmed for Thursday, November 26" in talk.says("Yes, that works for me.")
    assert talk.asked == ["confirm_appointment"]


def test_a_visit_is_moved_to_the_time_that_the_caller_takes() -> None:
    talk = Talk("appointment_reminder", APPOINTMENT, told=DIARY)
    offered = talk.says("I can't make it that day.")
    assert (
        "Monday, November 30 at 9 a.m., Monday, November 30 at 11 a.m. or Tuesday, December 1 at 1:30 p.m." in offered
    )
    assert talk.asked == ["find_visits", "find_times"]
    assert "booked for Monday, November 30 at 11 a.m." in talk.says("The second one, please.")
    moved = {"booking_uid": "u1", "start": "2026-11-30T11:00-05:00", "spoken_time": "Monday, November 30 at 11 a.m."}
    assert talk.recent[-1].tools[-1].call.arguments == moved


def test_a_visit_is_looked_for_on_the_day_that_the_caller_names() -> None:
    talk = Talk("appointment_reminder", APPOINTMENT, told=DIARY)
    talk.says("I can't make it that day.")
    talk.says("Do you have anything on Friday?")
    assert [tool.call.arguments for tool in talk.recent[-1].tools] == [{"earliest": "2026-11-27"}]
    talk.says("Then Tuesday at 1:30 p.m. please")
    assert talk.recent[-1].tools[-1].call.arguments["start"] == "2026-12-01T13:30-05:00"


def test_a_visit_is_looked_up_and_cancelled() -> None:
    talk = Talk("appointment_reminder", APPOINTMENT, told=DIARY)
    assert "cancelled" in talk.says("Please cancel the appointment.")
    assert talk.asked == ["find_visits", "cancel_visit"]
    cancelled = {"booking_uid": "u1", "spoken_time": "Thursday, November 26 at 10 a.m."}
    assert talk.recent[-1].tools[-1].call.arguments.items() >= cancelled.items()


def test_a_lead_is_asked_one_thing_at_a_time_and_gets_a_visit() -> None:
    talk = Talk("lead_qualification", {"lead_id": "L7", "name": "Dana Doe", "first_name": "Dana"}, told=DIARY)
    questions = [
        talk.says(text) for text in ("Yes, I have two minutes.", "Yes, we own the house.", "About 180 dollars.")
    ]
    assert ["own the house" in questions[0], "power bill" in questions[1], "bill 180. Is" in questions[2]] == [True] * 3
    talk.memory.slots["monthly_bill"] = Known("180", Source.CALLER, 4, confirmed=True)
    assert "start" in talk.says("Yes, that's right.")
    assert "Monday, November 30 at 9 a.m." in talk.says("Right away, please.")
    assert talk.asked == ["save_contact", "find_times"]


def test_an_amount_that_cannot_be_right_is_asked_for_again() -> None:
    talk = Talk("lead_qualification", told=DIARY)
    for text in ("Yes, I have two minutes.", "Yes, we own the house.", "It is 90000 dollars."):
        talk.says(text)
    again = talk.says("I do not know what to say.")
    assert "'90000' is above 5000. Could you tell me the monthly bill again?" in again


@pytest.mark.parametrize("text", ["Where is my parcel 31337?", "Do you sell tents?", "How do I return a jacket?"])
def test_an_answer_goes_on_after_what_was_heard(text: str) -> None:
    talk = Talk("order_support")
    whole = SentenceCutter().feed(talk.says(text) + " ")
    assert len(whole) >= 2
    talk = Talk("order_support")
    rest = talk.says(text, kept=tuple(whole[:1]))
    assert whole[0] not in rest
    assert SentenceCutter().feed(rest + " ") == whole[1:]
    assert Talk("order_support").says(text, kept=tuple(whole)) in ("May I go on?",)


def test_answers_are_short_and_differ_with_the_callers_words() -> None:
    lines = [f"I have a question about matter {number}" for number in range(100, 130)]
    answers = [Talk("order_support").says(line) for line in lines]
    assert len(set(answers)) == len(lines)
    for text, line in zip(answers, lines, strict=True):
        first, *more = SentenceCutter().feed(text + " ")
        assert line[-3:] in first
        assert len(first) <= 60
        assert len(more) <= 2


@pytest.mark.parametrize("name", ["order_support", "appointment_reminder", "lead_qualification"])
def test_most_examples_of_a_step_find_it(name: str) -> None:
    talk = Talk(name)
    for step in talk.playbook.steps:
        found = [talk.find_step(example) for example in step.examples]
        assert found.count(step.name) >= 0.7 * len(found), step.name


def test_numbers_days_and_times_are_read_out_of_words() -> None:
    assert digits("my number is four eight 2 1 three, thanks") == ["48213"]
    assert digits("two dogs") == []
    assert amount("around two hundred and fifty dollars") == 250
    assert day("not Monday, how about next Friday?") == "next Friday"
    assert time_of_day("in the afternoon, say 2:30 p.m.") == "2:30 p.m."
    assert (agrees("yes please do"), agrees("no, it doesn't"), agrees("blue")) == (True, False, None)
    assert says_goodbye("no", asked="Is there anything else?")
    assert not says_goodbye("no", asked="Do you own the house?")
    assert wants_person("put me through to a representative")
    assert echo("where is order 48213") == "48213"


def test_an_address_is_asked_for_and_passed_on() -> None:
    talk = Talk("order_support")
    assert "order number" in talk.says("I need to change the delivery address.")
    assert "new address" in talk.says("Please send order 31416 to another address.")
    assert "changed" in talk.says("12 Oak Lane in Salem.")
    assert talk.asked == ["update_shipping_address"]
