import pytest

from core.memory import Memory, Source
from core.plain_answers import plain_answers
from core.playbook import PlaybookStep
from core.playbook_dialogue import Slot

STEP = PlaybookStep(
    name="ask",
    goal="Ask.",
    collect=(
        Slot(name="owner", type="yes_no"),
        Slot(name="order", pattern="[0-9]{5}"),
        Slot(name="bill", type="number", max=5000),
        Slot(name="part", type="choice", choices=("morning", "afternoon")),
    ),
)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("It is 4 8 2 1 3.", {"order": "48213"}),
        ("About 180 dollars.", {"bill": "180"}),
        ("Between 180 and 200.", {}),
        ("In the afternoon, please.", {"part": "afternoon"}),
        ("Morning or afternoon.", {}),
        ("Yes.", {"owner": "yes"}),
        ("No, sorry.", {"owner": "no"}),
        ("Yes, but only half of it belongs to me.", {}),
        ("Hello there.", {}),
    ],
)
def test_only_what_is_beyond_doubt_is_taken(said: str, found: dict[str, str]) -> None:
    assert plain_answers(STEP, Memory(), said, 3, "en") == found


def test_a_yes_to_what_was_read_back_is_no_answer_to_the_next_question() -> None:
    memory = Memory(answered=3)
    assert plain_answers(STEP, memory, "Yes.", 3, "en") == {}


def test_what_is_known_is_not_asked_for() -> None:
    memory = Memory()
    memory.learn("bill", "90", Source.CALLER, 1)
    assert plain_answers(STEP, memory, "About 180 dollars.", 2, "en") == {}
