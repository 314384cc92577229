"""Notes as the sandbox's model takes them, through the adapter that real notes go through."""

from datetime import datetime

from activities.note_prompts import notes_prompt
from core.contracts.notes import TakeNotes
from core.conversation import Exchange, Usage
from core.memory import Memory
from core.note_taking import checked_notes, notes_schema
from core.playbook import parse_playbook
from sandbox.app import SandboxConfig, create_app
from sandbox.state import Latency, SandboxState
from tests.sandbox.server import running
from vendors.anthropic_reasoner import AnthropicReasoner
from vendors.openai_reasoner import OpenAIReasoner

PLAYBOOK = parse_playbook("""
name: leads
goal: Qualify.
persona: You are Ann.
greeting: Hello.
facts: {wants_lawyer: the caller threatens with a lawyer}
steps:
  - name: ask
    goal: Ask.
    collect:
      - {name: owns_house, type: yes_no, description: whether they own the house}
      - {name: monthly_bill, type: number, description: the monthly power bill in dollars}
      - {name: visit_day, type: date, description: the day of the visit}
      - {name: part, type: choice, choices: [morning, afternoon], description: the part of the day}
      - {name: roof, description: what the roof is like}
    ends_call: true
""")
TALK = (
    Exchange(1, "", "Do you own the house?"),
    Exchange(2, "Yes, we own the house.", "How high is your monthly bill?"),
    Exchange(3, "About 180 dollars. I will call my lawyer, that is a threat.", "Which day suits you for the visit?"),
    Exchange(4, "Tuesday in the afternoon.", ""),
)
OLD = (Exchange(1, "My name is Jamie.", "Hello Jamie."),)


async def test_slots_facts_and_summary_are_found_through_both_vendors_protocols() -> None:
    request = TakeNotes("C1", "leads@x", 4, "ask", TALK, Memory(), older=OLD)
    schema = notes_schema(PLAYBOOK, "ask", request.memory, sums_up=True)
    asked = notes_prompt(PLAYBOOK, request, datetime(2026, 11, 26, 12))
    state = SandboxState(Latency(model_structured_ms=0.0))
    async with running(create_app(state, SandboxConfig())) as origin:
        for adapter in (AnthropicReasoner("key", origin), OpenAIReasoner("key", "gpt-5-mini", f"{origin}/openai/v1")):
            told, usage = await adapter.extract(asked, schema)
            await adapter.close()
            notes = checked_notes(PLAYBOOK, request.memory, 4, told, 1, usage)
            assert notes.slots == {
                "owns_house": "yes",
                "monthly_bill": "180",
                "visit_day": "2026-12-01",
                "part": "afternoon",
            }
            assert notes.facts == ("wants_lawyer",)
            assert "Jamie" in notes.summary
            assert notes.usage.output_tokens > 0


def test_what_a_model_must_not_tell_is_not_believed() -> None:
    told = {
        "slots": {"monthly_bill": "lots", "part": "Morning", "iban": "DE1", "owns_house": 3},
        "facts": ["wants_lawyer", "is_king", ["x"]],
        "confirmed": ["part"],
        "summary": "x",
    }
    notes = checked_notes(PLAYBOOK, Memory(), 4, told, 0, Usage())
    assert notes.slots == {"part": "morning"}
    assert notes.problems == {"monthly_bill": "'lots' is no number"}
    assert notes.facts == ("wants_lawyer",)
    assert (notes.confirmed, notes.summary) == ((), "")
    assert checked_notes(PLAYBOOK, Memory(), 4, {"slots": [], "facts": "x"}, 0, Usage()).slots == {}
