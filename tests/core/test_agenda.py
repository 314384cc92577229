"""What a caller wants beside what is being done: nothing is lost, nothing comes twice, and the order is theirs."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from core.agenda import MOST_MATTERS, OFF_TOPIC, UNCLEAR, Agenda, AgendaNote, Matter
from core.contracts.agenda import AgendaRules
from core.contracts.playbook import PlaybookBrief, brief_of
from core.conversation import Step, Turn, Utterance
from core.memory import Action, Memory, Source
from core.playbook import parse_playbook
from core.serving import follow_up, gives_up, is_done, note_for, take_up
from tests.world.playbook import ORDERS, collecting_orders

STEPS = st.sampled_from("abcdefghij")
Talk = list[tuple[str, list[str], bool]]
TURNS = st.lists(st.tuples(STEPS, st.lists(STEPS, max_size=3), st.booleans()), max_size=20)
BRIEF = brief_of(collecting_orders())


def turn(number: int, step: str, **fields: object) -> Turn:
    told = Turn(number, step, "Words.", step_method="model")
    for name, value in fields.items():
        setattr(told, name, value)
    return told


def at(step: str, *found: Step, brief: PlaybookBrief = BRIEF) -> Memory:
    """A call whose turns have led through these steps."""
    memory = Memory()
    for number, one in enumerate((Step(step, 0.9, "lexical"), *found), 1):
        follow_up(memory, brief, one, one.name or "", number)
    return memory


@given(TURNS)
def test_no_step_is_wanted_twice_nor_the_present_one_and_none_without_end(turns: Talk) -> None:
    agenda = Agenda()
    for number, (step, others, left) in enumerate(turns, 1):
        agenda.go_to(step, number, map(Matter, others), left=left)
        assert agenda.at == step
        assert step not in agenda.open
        assert len(set(agenda.open)) == len(agenda.open) <= 2 * MOST_MATTERS


@given(st.lists(STEPS, min_size=1, max_size=MOST_MATTERS, unique=True))
def test_what_was_said_in_one_breath_is_served_in_that_order_and_once(steps: list[str]) -> None:
    first, *others = steps
    agenda = Agenda()
    agenda.go_to(first, 1, map(Matter, others))
    served = []
    while (matter := agenda.take_up(1)) is not None:
        served.append(matter.step)
    assert served == others
    assert agenda.open == ()


@given(TURNS)
def test_taking_up_what_is_next_comes_to_an_end(turns: Talk) -> None:
    agenda = Agenda()
    for number, (step, others, left) in enumerate(turns, 1):
        agenda.go_to(step, number, map(Matter, others), left=left)
    taken = 0
    while agenda.take_up(99) is not None:
        taken += 1
        assert taken <= 2 * MOST_MATTERS


def test_step_that_was_left_half_done_is_gone_back_to_once_the_other_is_served() -> None:
    memory = at("order_status", Step("returns", 0.9, "lexical"))
    assert memory.agenda.open == ("order_status",)
    resumed = turn(2, "returns")
    assert take_up(memory, BRIEF, resumed)
    assert (resumed.step, resumed.resumed, resumed.record().step) == ("order_status", True, "returns")
    assert not memory.agenda.open
    assert note_for(memory, BRIEF, resumed) == AgendaNote(resumed=True)
    assert not take_up(memory, BRIEF, resumed)


def test_nobody_is_led_back_to_a_step_they_leave_a_second_time() -> None:
    memory = at("order_status", Step("returns", 0.9, "lexical"))
    take_up(memory, BRIEF, turn(2, "returns"))
    follow_up(memory, BRIEF, Step("returns", 0.9, "lexical"), "returns", 3)
    assert memory.agenda.open == ("order_status",)  # it is still known that it was not finished
    assert not take_up(memory, BRIEF, turn(3, "returns"))


def test_step_that_has_all_it_collects_and_whose_tool_has_worked_is_not_left_half_done() -> None:
    memory = at("order_status")
    assert not is_done(memory, BRIEF)
    memory.learn("order_number", "48213", Source.CALLER, 1)
    assert not is_done(memory, BRIEF)
    memory.actions.append(Action(1, "find_order", ok=True))
    assert is_done(memory, BRIEF)
    follow_up(memory, BRIEF, Step("returns", 0.9, "lexical"), "returns", 2)
    assert memory.agenda.open == ()


def test_transition_leaves_nothing_half_done() -> None:
    assert at("order_status", Step("returns", 1.0, "transition")).agenda.open == ()


def test_next_matter_waits_until_the_present_step_is_done() -> None:
    memory = at("order_status", Step("order_status", 0.9, "model", matters=(Matter("returns", "and return it"),)))
    asked = turn(2, "order_status", matters=("order_status", "returns"))
    assert note_for(memory, BRIEF, asked) == AgendaNote(later=("returns",))
    assert not take_up(memory, BRIEF, asked)
    memory.learn("order_number", "48213", Source.CALLER, 2)
    memory.actions.append(Action(2, "find_order", ok=True))
    asked.utterances.append(Utterance(1, 0, said="It is on its way."))
    assert take_up(memory, BRIEF, asked)
    assert (asked.step, asked.words_of_part, asked.said_of_part) == ("returns", "and return it", "")
    assert [exchange.assistant for exchange in asked.before_part()] == ["It is on its way."]
    assert note_for(memory, BRIEF, asked) == AgendaNote(taken_up=True)


def test_answer_made_ahead_is_told_of_other_matters_that_nothing_remembers_yet() -> None:
    guess = turn(1, "order_status", eager=7, matters=("order_status", "returns"))
    assert note_for(Memory(), BRIEF, guess) == AgendaNote(later=("returns",))


def test_playbook_may_have_callers_come_back_by_themselves_only() -> None:
    brief = brief_of(parse_playbook(ORDERS + "policies: {come_back: false}\n"))
    brief = replace(brief, collects=BRIEF.collects)
    memory = at("order_status", Step("returns", 0.9, "lexical"), brief=brief)
    assert memory.agenda.open == ("order_status",)
    assert note_for(memory, brief, turn(2, "returns")) is None
    assert not take_up(memory, brief, turn(2, "returns"))


def test_unclear_turns_count_in_a_row_only_and_a_turn_nobody_could_judge_is_none() -> None:
    memory, unclear = Memory(), Step("order_status", 0.3, UNCLEAR, choices=("order_status", "returns"))
    assert not gives_up(memory, BRIEF, unclear)
    follow_up(memory, BRIEF, unclear, "order_status", 1)
    follow_up(memory, BRIEF, Step("order_status", 0.0, "kept"), "order_status", 2)
    assert gives_up(memory, BRIEF, unclear)
    assert memory.agenda.choices == ("order_status", "returns")
    assert memory.agenda.at == ""  # nobody knows that the caller wants this step
    follow_up(memory, BRIEF, Step("returns", 0.9, "lexical"), "returns", 3)
    assert not gives_up(memory, BRIEF, unclear)
    assert not memory.agenda.choices


def test_a_turn_off_topic_is_clear_and_goes_nowhere() -> None:
    memory, unclear = Memory(), Step("order_status", 0.3, UNCLEAR)
    follow_up(memory, BRIEF, unclear, "order_status", 1)
    follow_up(memory, BRIEF, Step("order_status", 0.9, OFF_TOPIC), "order_status", 2)
    assert not gives_up(memory, BRIEF, unclear)
    assert memory.agenda.at == ""


def test_calls_begun_before_playbooks_said_so_keep_to_one_step_a_turn() -> None:
    old = replace(BRIEF, agenda=AgendaRules())
    memory = at("order_status", Step("returns", 0.9, "model", matters=(Matter("person"),)), brief=old)
    assert memory.agenda == Agenda()
