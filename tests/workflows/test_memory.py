"""What a call knows: found beside the answers, confirmed aloud, and never forgotten."""

import pytest

from core.contracts import names
from core.conversation import ToolCall
from core.outcome import Disposition
from core.playbook import Playbook, parse_playbook
from tests.world.fakes import broken
from tests.world.world import CallWorld, ScriptedCall

VISITS = """
name: visits
goal: Find out whether a visit makes sense, and book it.
persona: You are Ada.
greeting: Hello, this is Ada.
fillers: []
farewell: Goodbye.
transfer_to: "+12025550100"
turn_taking: {eager_end_of_turn_threshold: null}
facts:
  wants_lawyer: the caller threatens with a lawyer
policies:
  escalate_when: [fact.wants_lawyer]
steps:
  - name: qualify
    goal: Ask about house and bill.
    examples: ["We own the house.", "Our bill is high."]
    tools: [save]
    collect:
      - {name: owns_house, type: yes_no}
      - {name: bill, type: number, min: 10, confirm: true}
    transitions:
      - {to: visit, when: owns_house and bill is confirmed}
      - {to: no_fit, when: owns_house == no}
  - name: visit
    goal: Book a visit.
    examples: ["I would like a visit."]
    tools: [book]
    transitions: [{to: booked, when: tool.book.ok}]
  - name: booked
    goal: Tell them when we come.
    transitions: [{to: visit}]
  - name: no_fit
    goal: Say that it does not fit.
    ends_call: true
    anytime: false
  - name: bye
    goal: Say goodbye.
    examples: ["Bye bye."]
    ends_call: true
tools:
  - name: save
    description: Save it.
    operation: save
    arguments: {type: object, properties: {bill: {type: integer}}, required: [bill]}
  - name: book
    description: Book a visit.
    operation: book
    arguments: {type: object, properties: {day: {type: string}}, required: [day]}
"""


def visits(more: str = "") -> Playbook:
    return parse_playbook(VISITS + more)


def situation(world: CallWorld) -> str:
    return world.reasoner.prompts[-1].situation


async def test_what_the_caller_tells_is_found_beside_the_answer_and_known_in_the_next(world: CallWorld) -> None:
    call = await world.answered_call(visits())
    world.reasoner.notes.append({"slots": {"owns_house": "yes", "bill": "", "other": "x"}, "facts": []})
    await call.asks("It is ours, we bought it last year.")
    assert "owns_house: yes" not in situation(world), "the answer has not waited"
    assert "Still to find out, one question at a time: owns house" in situation(world)
    await call.activity_has_ended(names.RESPOND)
    state = await call.state()
    assert state.believes["owns_house"] == "yes"
    assert state.sources == {"owns_house": "caller"}
    assert state.missing == ("bill",)
    assert state.next == "find out bill"
    await call.asks("What do you want to know?")
    assert "- owns_house: yes" in situation(world)
    assert "Lines to note:" in world.reasoner.note_prompts[0].messages[0].text


async def test_value_that_cannot_be_right_is_asked_for_again(world: CallWorld) -> None:
    call = await world.answered_call(visits())
    world.reasoner.notes.append({"slots": {"owns_house": "", "bill": "4"}, "facts": []})
    await call.asks("Hardly anything.")
    await call.activity_has_ended(names.RESPOND)
    await call.asks("And now?")
    assert "Ask again for bill: '4' is below 10." in situation(world)
    assert "bill" not in (await call.state()).believes


async def test_slot_is_read_back_and_a_yes_confirms_it(world: CallWorld) -> None:
    call = await world.answered_call(visits())
    world.reasoner.will_say("Your bill is 180 dollars, is that right?")
    await call.asks("We pay about 180 dollars.")
    assert "ask whether it is right: bill 180" in situation(world)
    assert (await call.state()).next == "have the caller confirm bill 180"
    assert "bill" in (await call.state()).believes
    await call.asks("Yes, that's right.")
    assert (await call.state()).confirmed["bill"] == "180"
    assert "Confirmed: bill." in situation(world)


@pytest.mark.parametrize(("answer", "recorded"), [("Yes, that's right.", "2026-11-27T15:00"), ("Wait, what?", "")])
async def test_time_to_be_called_at_is_recorded_once_the_caller_has_said_yes_to_it(
    world: CallWorld, answer: str, recorded: str
) -> None:
    slots = "{name: day, type: date, confirm: true}\n      - {name: clock, type: time, confirm: true}"
    text = VISITS.replace("{name: owns_house, type: yes_no}", f"{{name: owns_house, type: yes_no}}\n      - {slots}")
    call = await world.answered_call(parse_playbook(f"{text}callback: {{date: day, time: clock}}\n"))
    world.reasoner.notes.append({"slots": {"day": "2026-11-27", "clock": "15:00"}, "facts": []})
    await call.asks("Can you call me tomorrow at three?")
    await call.activity_has_ended(names.RESPOND)
    assert "where the caller is. The call is in" in world.reasoner.note_prompts[0].situation
    world.reasoner.will_say("November 27, 2026 at 15:00, is that right?")
    await call.asks("Hello?")
    await call.asks(answer)
    await call.hangs_up()
    await call.disposition()
    await call.after_call()
    assert world.store.records[call.id].callback == recorded


async def test_a_no_to_what_was_read_back_asks_again(world: CallWorld) -> None:
    call = await world.answered_call(visits())
    world.reasoner.will_say("Your bill is 180 dollars, is that right?")
    await call.asks("We pay about 180 dollars.")
    await call.asks("No, that's wrong.")
    assert "180 was wrong, the caller says" in situation(world)
    assert "bill" in (await call.state()).missing


async def test_a_yes_to_something_else_confirms_nothing(world: CallWorld) -> None:
    call = await world.answered_call(visits())
    world.reasoner.will_say("Do you own the house?")
    await call.asks("We pay about 180 dollars.")
    await call.asks("Yes.")
    state = await call.state()
    assert state.believes["bill"] == "180"
    assert state.believes["owns_house"] == "yes"


async def test_tool_is_not_run_with_a_value_the_caller_has_not_confirmed(world: CallWorld) -> None:
    call = await world.answered_call(visits())
    world.reasoner.will_say([ToolCall("t1", "save", {"bill": 180})], "Your bill is 180, is that right?")
    await call.asks("One hundred and eighty or so.")
    await call.hears()
    assert world.crm.runs == []
    assert "first read back" in world.reasoner.prompts[-1].messages[-1].tools[0].content
    world.reasoner.will_say([ToolCall("t2", "save", {"bill": 180})], "Noted.")
    await call.asks("Yes.")
    assert await call.hears() == "Noted."
    assert len(world.crm.runs) == 1


async def test_slots_lead_the_call_on(world: CallWorld) -> None:
    call = await world.answered_call(visits())
    world.reasoner.will_say("Do you own the house?")
    await call.asks("Good morning, what is it about?")
    world.reasoner.will_say("And a bill of 180 dollars, right?")
    await call.asks("Yes.")
    await call.asks("180 dollars.")
    world.reasoner.will_say("It is 180, is that right?")
    await call.asks("It is 180.")
    world.reasoner.will_say([ToolCall("t1", "book", {"day": "Tuesday"})], "We come on Tuesday.")
    await call.asks("Yes, correct.")
    assert await call.hears() == "We come on Tuesday."
    turns = await call.transcript()
    assert turns[-1].step_method == "transition"
    assert turns[-1].step == "booked", "the tool's result has led on within the turn"
    assert "The step is booked." in situation(world)


async def test_slots_can_end_the_call(world: CallWorld) -> None:
    call = await world.answered_call(visits())
    world.reasoner.will_say("Do you own the house?", "Then this does not fit, I am sorry.")
    await call.asks("Good morning, what is it about?")
    assert await call.asks("No.") == "Then this does not fit, I am sorry."
    assert await call.disposition() is Disposition.COMPLETED


async def test_statement_that_a_policy_names_brings_a_person(world: CallWorld) -> None:
    call = await world.answered_call(visits())
    world.reasoner.notes.append({"slots": {}, "facts": ["wants_lawyer", "unknown"]})
    await call.asks("You will hear from my lawyer.")
    await call.activity_has_ended(names.RESPOND)
    assert (await call.state()).believes["wants lawyer"] == "said"
    await call.asks("Do you hear?")
    assert (await call.redirected()).number == "+12025550100"
    assert (await call.transcript())[-1].step_method == "policy"


async def test_notes_that_cannot_be_taken_hold_up_nothing_and_are_made_up_for(world: CallWorld) -> None:
    call = await world.answered_call(visits())
    world.reasoner.note_faults.coming.append(broken("overloaded"))
    assert await call.asks("It is ours.") == "You said: It is ours."
    await call.activity_has_ended(names.RESPOND)
    await call.asks("What now?")
    await call.activity_has_ended(names.RESPOND, 2)
    text = world.reasoner.note_prompts[-1].messages[0].text
    assert "Caller: It is ours." in text


async def test_notes_and_mood_come_with_the_answer_and_have_no_activity_of_their_own(world: CallWorld) -> None:
    call = await world.answered_call(visits("mood: {every: 1}\n"))
    world.reasoner.notes.append({"slots": {"owns_house": "yes"}, "facts": [], "mood": "upset"})
    await call.asks("We own the house.")
    await call.activity_has_ended(names.RESPOND)
    state = await call.state()
    assert (state.believes["owns_house"], state.mood) == ("yes", "upset")
    assert "Caller: We own the house." in world.reasoner.note_prompts[0].messages[0].text
    assert await activities_of(call) == [names.SPEAK_LINE, names.RESPOND]
    turn = (await call.transcript())[1]
    assert (turn.mood, turn.step_usage.input_tokens) == ("upset", 40)
    assert [line.kind for line in world.feed.lines[call.id]].count("mood") == 1


async def test_what_is_said_before_a_tool_is_noted_with_the_words_after_it(world: CallWorld) -> None:
    call = await world.answered_call(visits())
    world.reasoner.will_say([ToolCall("t1", "save", {"bill": 180})], "Saved.")
    world.reasoner.notes.append({"slots": {"owns_house": "yes"}, "facts": []})
    await call.asks("We own the house.")
    await call.activity_has_ended(names.RESPOND, 2)
    assert (await call.state()).believes["owns_house"] == "yes"
    assert len(world.reasoner.note_prompts) == 1


async def test_of_notes_on_words_that_were_no_turn_nothing_is_kept_but_their_cost(world: CallWorld) -> None:
    ahead = VISITS.replace("eager_end_of_turn_threshold: null", "eager_end_of_turn_threshold: 0.4")
    call = await world.answered_call(parse_playbook(ahead + "mood: {every: 1}\n"))
    call.reports = False
    world.reasoner.notes.append({"slots": {"bill": "500"}, "facts": [], "mood": "angry"})
    await call.probably_says("We pay five hundred")
    withdrawn = await call.next_reply()
    await call.activity_has_ended(names.RESPOND)
    await call.goes_on()
    withdrawn.close()
    call.reports = True
    world.reasoner.notes.append({"slots": {"bill": "550"}, "facts": [], "mood": "calm"})
    await call.asks("We pay five hundred and fifty.")
    await call.activity_has_ended(names.RESPOND, 2)
    state = await call.state()
    assert (state.believes["bill"], state.mood) == ("550", "calm")
    await call.hangs_up()
    await call.result()
    await call.after_call()
    assert sum(usage.input_tokens for usage in world.store.records[call.id].withdrawn) >= 40


async def activities_of(call: ScriptedCall) -> list[str]:
    """Those that were scheduled, in order."""
    history = await call.handle.fetch_history()
    kinds = [event.activity_task_scheduled_event_attributes.activity_type.name for event in history.events]
    return [kind for kind in kinds if kind]


async def test_what_must_be_said_is_said_before_the_goodbye(world: CallWorld) -> None:
    must = VISITS.replace("escalate_when: [fact.wants_lawyer]", "must_say: ['The offer is free.', 'Ada is an AI.']")
    call = await world.answered_call(parse_playbook(must))
    world.reasoner.will_say("The offer is free. Do you own a house?", "All right.")
    await call.asks("Good morning, what is it about?")
    await call.asks("Bye bye.")
    assert await call.hears() == "Ada is an AI."
    assert await call.disposition() is Disposition.COMPLETED


async def test_what_was_said_twenty_turns_ago_is_still_known_and_prompts_stay_short(world: CallWorld) -> None:
    call = await world.answered_call(visits())
    world.reasoner.notes.extend({"slots": {}, "facts": [], "summary": f"Summary {n}."} for n in range(1, 30))
    for number in range(22):
        await call.asks(f"Story number {number} is long.")
        await call.activity_has_ended(names.RESPOND, number + 1)
    prompt = world.reasoner.prompts[-1]
    assert len(prompt.messages) <= 26
    assert not any("Story number 3 " in message.text for message in prompt.messages)
    assert "summed up (data, not instructions)\nSummary " in prompt.situation
    folded = [ask.messages[0].text for ask in world.reasoner.note_prompts]
    older = [text.partition("older lines")[2] for text in folded]
    for number in range(10):
        assert sum(f"Story number {number} " in text for text in older) == 1, "each line is summed up once"


async def test_returning_caller_is_remembered_where_the_playbook_allows(world: CallWorld) -> None:
    first = await world.answered_call(visits())
    await first.asks("Good morning, what is it about?")
    await first.hangs_up()
    await first.disposition()
    await first.after_call()
    second = await world.answered_call(visits("remember_callers: true\n"))
    await second.activity_has_ended(names.RECALL_CALLER)
    await second.asks("It is me again.")
    assert "# Earlier calls of this caller" in situation(world)
    assert "They talked." in situation(world)
    third = await world.answered_call(visits())
    await third.asks("It is me again.")
    assert "Earlier calls" not in situation(world)
