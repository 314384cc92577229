"""What a playbook says of the talk: each fault is told by line and field, and the way through the steps is kept to."""

import pytest

from core.conversation import ToolCall, ToolResult
from core.memory import Memory, Source
from core.paths import advance, missing_slots, reachable_steps, unconfirmed_slots, wants_person
from core.playbook import Fault, Playbook, PlaybookFaults, parse_playbook
from core.playbook_graph import mermaid

LEADS = """\
name: leads
goal: Find out whether a visit makes sense.
persona: You are Ann.
greeting: Hello.
transfer_to: "+12025550190"
variables:
  age: {type: number}
facts:
  wants_lawyer: the caller threatens with a lawyer
policies:
  escalate_when: [fact.wants_lawyer]
limits: {max_turns_in_step: 8}
steps:
  - name: qualify
    goal: Ask about house and bill.
    collect:
      - {name: owns_house, type: yes_no}
      - {name: bill, type: number, min: 1, max: 5000, confirm: true}
      - {name: roof, optional: true}
    transitions:
      - {to: too_young, when: caller.age < 18}
      - {to: visit, when: owns_house and bill >= 100}
      - {to: no_fit, when: not owns_house and owns_house is known}
  - name: visit
    goal: Book a visit.
    tools: [book]
    transitions:
      - {to: bye, when: tool.book.ok}
      - {to: qualify}
  - name: no_fit
    goal: Say that it does not fit.
    ends_call: true
    anytime: false
  - name: too_young
    goal: Say that we need an adult.
    ends_call: true
    anytime: false
  - name: prices
    goal: Tell prices.
    anytime: true
  - name: person
    goal: Hand over.
    escalates: true
  - name: bye
    goal: Say goodbye.
    ends_call: true
tools:
  - name: book
    description: Book.
    operation: book
    effect: write
"""


def leads() -> Playbook:
    return parse_playbook(LEADS)


def fault_of(old: str, new: str) -> Fault:
    assert old in LEADS
    return faults_of(LEADS.replace(old, new, 1))[0]


def faults_of(text: str) -> list[Fault]:
    with pytest.raises(PlaybookFaults) as caught:
        parse_playbook(text, "p.yaml")
    return caught.value.faults


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "message"),
    [
        (
            "bill >= 100}",
            "bil >= 100}",
            22,
            "steps.0.transitions.1.when",
            "no step collects 'bil' (did you mean 'bill'?",
        ),
        ("bill >= 100}", "age >= 100}", 22, "steps.0.transitions.1.when", "no step collects 'age': write caller.age"),
        ("caller.age < 18", "caller.size < 18", 21, "steps.0.transitions.0.when", "variables has no 'size'"),
        ("caller.age < 18", "call.age < 18", 21, "steps.0.transitions.0.when", "fact., caller. or tool., not call."),
        ("caller.age < 18", "caller.age < x", 21, "steps.0.transitions.0.when", "is a number, 'x' is none"),
        ("bill >= 100}", "bill}", 22, "steps.0.transitions.1.when", "is no yes or no"),
        ("not owns_house", "owns_house == perhaps", 23, "steps.0.transitions.2.when", "is never 'perhaps'"),
        ("not owns_house", "owns_house > no", 23, "steps.0.transitions.2.when", "nothing is before or after it"),
        (
            "tool.book.ok",
            "tool.buy.ok",
            28,
            "steps.1.transitions.0.when",
            "no tool is named 'buy' (known here: book,",
        ),
        ("tool.book.ok", "tool.book", 28, "steps.1.transitions.0.when", "the form tool.NAME.FIELD"),
        ("[fact.wants_lawyer]", "[fact.lawyer]", 11, "policies.escalate_when.0", "facts has no 'lawyer'"),
        ("caller.age < 18", "caller.age <", 21, "steps.0.transitions.0.when", "ends where a value has to come"),
        ("{to: visit,", "{to: vist,", 22, "steps.0.transitions.1.to", "no step is named 'vist' (did you mean 'visit'?"),
        ("{to: qualify}", "{to: visit}", 29, "steps.1.transitions.1.to", "leads to the step itself"),
        ("min: 1, ", "min: 6000, ", 18, "steps.0.collect.1", "min must not be above max"),
        ("type: yes_no", "type: choice", 17, "steps.0.collect.0", "choices and type choice go together"),
        ("optional: true", "pattern: '['", 19, "steps.0.collect.2", "no regular expression"),
        ("name: roof", "name: bill", 19, "steps.0.collect.2.name", "collected twice"),
        ("optional: true", "optinal: true", 19, "steps.0.collect.2.optinal", "no such field (did you mean 'optional'?"),
        (
            "    ends_call: true\n    anytime: false\n  - name: too",
            "  - name: too",
            30,
            "steps.2.name",
            "leads nowhere",
        ),
        ("    anytime: true\n", "", 38, "steps.4.name", "no transition leads to the step 'prices'"),
        ('transfer_to: "+12025550190"\n', "", 11, "limits.max_turns_in_step", "needs transfer_to"),
    ],
)
def test_each_fault_is_told_by_line_and_field(old: str, new: str, line: int, field: str, message: str) -> None:
    text = LEADS.replace(old, new, 1)
    if "transfer_to" in old:
        text = text.replace("    escalates: true\n", "    anytime: true\n").replace("[fact.wants_lawyer]", "[]")
    found = [(fault.line, fault.field) for fault in faults_of(text) if message in str(fault)]
    assert found == [(line, field)], list(map(str, faults_of(text)))


def test_a_time_to_be_called_at_is_told_in_slots_of_its_types() -> None:
    found = [str(fault) for fault in faults_of(LEADS + "callback: {date: bill, time: clock}\n")]
    assert len(found) == 2
    assert "'bill' is collected as number, not as date" in found[0]
    assert "no step collects 'clock'" in found[1]


def test_all_faults_of_the_talk_are_told_at_once() -> None:
    text = LEADS.replace("fact.wants_lawyer]", "fact.x]").replace("{to: visit,", "{to: nowhere,")
    assert [fault.field for fault in faults_of(text)] == ["steps.0.transitions.1.to", "policies.escalate_when.0"]


ROUND = """\
name: round
goal: g
persona: p
greeting: Hello.
steps:
  - {name: one, goal: g, collect: [{name: size, type: number}], transitions: [{to: two, when: "size>1"}]}
  - {name: two, goal: g, transitions: [{to: one, when: size > 1}]}
"""


def test_a_cycle_that_never_ends_is_found() -> None:
    messages = [fault.message for fault in faults_of(ROUND)]
    assert messages[:2] == ["the call can never end: from here no way leads to a step that ends it or hands over"] * 2
    ending = "  - {name: bye, goal: g, ends_call: true}\n"
    messages = [fault.message for fault in faults_of(ROUND + ending)]
    assert messages == ["goes round for ever: one -> two -> one"]


def test_500_steps_are_checked_and_drawn() -> None:
    head = "name: long\ngoal: g\npersona: p\ngreeting: Hello.\nsteps:\n"
    way = "transitions: [{{to: s{}, when: v{} is known}}]"
    steps = (f"  - {{name: s{n}, goal: g, collect: [{{name: v{n}}}], {way.format(n + 1, n)}}}\n" for n in range(499))
    text = head + "".join(steps) + "  - {name: s499, goal: g, ends_call: true}\n"
    playbook = parse_playbook(text)
    memory = Memory()
    for n in range(499):
        memory.learn(f"v{n}", "x", Source.CALLER, 1)
    assert advance(playbook, memory, "s0", {}) == "s499"
    assert mermaid(playbook).count("-->") == 500


def test_slots_decide_where_the_call_goes() -> None:
    playbook, memory = leads(), Memory()
    assert advance(playbook, memory, "qualify", {"age": "40"}) == "qualify"
    assert advance(playbook, memory, "qualify", {"age": "17"}) == "too_young"
    memory.learn("owns_house", "yes", Source.CALLER, 1)
    memory.learn("bill", "180", Source.CALLER, 2)
    assert advance(playbook, memory, "qualify", {}) == "visit"
    memory.did(3, ToolResult(ToolCall("t", "book", {}), True, '{"visit": "V1"}'), (), {"book.ok"})
    assert advance(playbook, memory, "qualify", {}) == "bye"
    no = Memory()
    no.learn("owns_house", "no", Source.CALLER, 1)
    assert advance(playbook, no, "qualify", {}) == "no_fit"


def test_a_turn_may_only_lead_where_transitions_do() -> None:
    playbook, memory = leads(), Memory()
    assert reachable_steps(playbook, memory, "qualify") == ("qualify", "prices", "person", "bye")
    memory.learn("owns_house", "yes", Source.CALLER, 1)
    memory.learn("bill", "180", Source.CALLER, 1)
    assert "visit" in reachable_steps(playbook, memory, "qualify")
    assert "qualify" in reachable_steps(playbook, memory, "visit"), "a transition without a condition is the caller's"


def test_a_detour_comes_back_to_where_it_began() -> None:
    playbook, memory = leads(), Memory()
    memory.go_to("qualify", 1)
    assert reachable_steps(playbook, memory, "prices") == ("qualify", "prices", "person", "bye")
    assert advance(playbook, memory, "prices", {}) == "prices"
    memory.learn("owns_house", "no", Source.CALLER, 1)
    assert advance(playbook, memory, "prices", {}) == "no_fit", "the way goes on from where the detour began"


def test_missing_and_unconfirmed_slots_are_known() -> None:
    step, memory = leads().step("qualify"), Memory()
    assert [slot.name for slot in missing_slots(step, memory)] == ["owns_house", "bill"]
    memory.learn("bill", "180", Source.CALLER, 1)
    assert [slot.name for slot in unconfirmed_slots(step, memory)] == ["bill"]
    memory.ask("bill")
    memory.answer(yes=True)
    assert unconfirmed_slots(step, memory) == []
    assert memory.slots["bill"].confirmed


def test_a_no_forgets_what_was_read_back_and_another_value_is_confirmed_anew() -> None:
    memory = Memory()
    memory.learn("bill", "180", Source.CALLER, 1)
    memory.ask("bill")
    memory.answer(yes=False)
    assert "bill" not in memory.slots
    assert memory.problems == {"bill": "180 was wrong, the caller says"}
    memory.learn("bill", "190", Source.CALLER, 2, confirmed=True)
    memory.learn("bill", "200", Source.CALLER, 3)
    assert not memory.slots["bill"].confirmed
    assert memory.problems == {}


def test_policies_and_limits_call_for_a_person() -> None:
    playbook, memory = leads(), Memory()
    memory.go_to("qualify", 1)
    assert not wants_person(playbook, memory, {}, 8)
    assert wants_person(playbook, memory, {}, 9)
    memory.state("wants_lawyer", 2)
    assert wants_person(playbook, memory, {}, 2)


def test_a_playbook_without_transitions_lets_the_call_go_anywhere() -> None:
    steps = "  - {name: qualify, goal: g}\n  - {name: bye, goal: g, ends_call: true}\n"
    text = f"name: free\ngoal: g\npersona: p\ngreeting: Hello.\nsteps:\n{steps}"
    playbook = parse_playbook(text)
    assert reachable_steps(playbook, Memory(), "qualify") == ("qualify", "bye")


def test_the_graph_is_drawn_with_its_conditions() -> None:
    drawn = mermaid(leads())
    assert drawn.startswith("flowchart TD\n")
    assert '  s0 -->|"owns_house and bill &gt;= 100"| s1' in drawn
    assert "bill: number (confirmed)" in drawn
    assert "  anytime -.-> s6" in drawn


def test_what_a_tool_took_is_confirmed_and_what_it_told_can_be_asked_for() -> None:
    memory = Memory()
    call = ToolCall("t", "find", {"order_number": "48213", "secret": "x"})
    memory.did(
        2,
        ToolResult(call, True, '{"status": "shipped", "paid": true}'),
        {"order_number"},
        {"find.status", "find.paid", "find.ok"},
    )
    assert memory.slots["order_number"].confirmed
    assert memory.slots["order_number"].source is Source.TOOL
    assert "secret" not in memory.slots
    assert memory.look_up({}, "tool.find.status") is not None
    assert memory.results["find.paid"] == "yes"
    memory.did(3, ToolResult(call, False, "away"), (), {"find.ok"})
    assert memory.results["find.ok"] == "no"
    assert [action.ok for action in memory.actions] == [True, False]
