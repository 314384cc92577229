"""Canned answers: given when the question is surely theirs, never when the turn holds more than it."""

from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from core.canned import CannedFinder
from core.learnt_steps import LearntSteps, learn
from core.playbook import Playbook, parse_playbook
from core.recently_embedded import RecentlyEmbedded
from core.steps import Decision, StepFinder
from tests.world.playbook import ORDERS, orders
from vendors.minilm_embedder import MiniLmEmbedder

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
CANNED = """\
    canned:
      - examples: ["How long do I have to return something?", "Until when can I return the shoes?"]
        answer: You have 30 days.
      - examples: ["Where do I find the return label?"]
        answer: The label is in the box.
"""


def with_canned() -> Playbook:
    return parse_playbook(ORDERS.replace("    goal: Take a return.\n", "    goal: Take a return.\n" + CANNED))


def answer(text: str, playbook: Playbook | None = None) -> str | None:
    playbook = playbook or with_canned()
    step = StepFinder(playbook).find(text, "order_status")
    found = CannedFinder(playbook).find(text, step.name)
    return found.answer if found else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How long do I have to return something?", "You have 30 days."),
        ("Hello, how long do I have to return something, please?", "You have 30 days."),
        ("I have a question. Where do I find the return label?", "The label is in the box."),
        ("Where can I find the return label?", "The label is in the box."),
    ],
)
def test_question_like_an_example_is_answered(text: str, expected: str) -> None:
    assert answer(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "How long do I have to return something with the number 48213?",
        "I do not find the return label, so where is it?",
        "How long do I have to return something, and where do I find the return label?",
        "Where do I find the return label? My parcel came broken.",
        "Where do I find the return label and can I talk to a human?",
        "Can I find the return label?",
        "Can I return the shoes?",
        "Where is my order?",
        "Hm.",
        "",
    ],
)
def test_turn_that_holds_anything_else_is_for_the_model(text: str) -> None:
    assert answer(text) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Wie lange kann ich die Ware zurückgeben?", True),
        ("Wieso kann ich die Ware nicht lange zurückgeben?", False),
        ("Kann ich die Ware lange zurückgeben?", False),
        ("Wie lange kann ich die Ware zurückgeben und wo ist mein Paket?", False),
    ],
)
def test_small_words_count_in_the_language_of_the_playbook(text: str, found: bool) -> None:
    canned = "    canned: [{examples: ['Wie lange kann ich die Ware zurückgeben?'], answer: 'Dreißig Tage.'}]\n"
    german = ORDERS.replace("    goal: Take a return.\n", "    goal: Take a return.\n" + canned)
    assert (answer(text, parse_playbook(german + "language: de\n")) is not None) is found


def test_answer_of_another_step_than_the_words_tell_is_not_given() -> None:
    assert CannedFinder(with_canned()).find("Where do I find the return label?", "order_status") is None


def test_question_also_tells_its_step() -> None:
    found = StepFinder(with_canned()).find("Where do I find the return label?", "order_status")
    assert found.name == "returns"


def test_playbook_without_canned_answers_gives_none() -> None:
    assert answer("Where do I find the return label?", orders()) is None


@pytest.mark.parametrize("path", sorted(PLAYBOOKS.glob("*.yaml")), ids=lambda path: path.stem)
def test_examples_of_the_playbooks_shipped_find_their_own_answers_only(path: Path) -> None:
    playbook = parse_playbook(path.read_text(), path.name)
    for step in playbook.steps:
        for canned in step.canned:
            for example in canned.examples:
                assert answer(example, playbook) == canned.answer, example
        for example in step.examples:
            assert answer(example, playbook) is None, example


TAUGHT = """\
    canned:
      - examples:
          - How long do I have to return something?
          - Until when can I return the shoes?
          - What is the deadline for returns?
          - By when do I have to send it back?
          - How many days do I have to send things back?
          - When is it too late to return an order?
        answer: You have 30 days.
      - examples:
          - Where do I find the return label?
          - Where is the label for the return?
          - How do I get a return label?
          - I need a return label.
          - Can you send me a label for the return?
        answer: The label is in the box.
"""


@pytest.fixture(scope="module")
def taught() -> CannedFinder:
    goal = "    goal: Take a return.\n"
    finder = CannedFinder(parse_playbook(ORDERS.replace(goal, goal + TAUGHT)))
    embedder = RecentlyEmbedded(MiniLmEmbedder())
    fit = learn(finder.to_learn, embedder)
    assert fit is not None
    finder.learnt = LearntSteps(fit, embedder, finder.to_learn)
    return finder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Until when may I return something?", "You have 30 days."),
        ("Where can I get a label for my return?", "The label is in the box."),
    ],
)
def test_question_in_other_words_is_known_by_its_meaning_where_it_has_enough_examples(
    taught: CannedFinder, text: str, expected: str
) -> None:
    found = taught.find(text, "returns")
    assert found
    assert (found.answer, found.method) == (expected, "minilm")


@pytest.mark.parametrize(
    "text",
    [
        "Who can get a label for my return?",
        "Where can I get no label for my return?",
        "Where can I get a label for my return 48213?",
        "Where can I get a label for my return? My parcel came broken.",
        "How long do I have to wait for my parcel?",
        "Is the shop open until eight?",
    ],
)
def test_meaning_gives_no_answer_to_what_holds_more_or_asks_otherwise(taught: CannedFinder, text: str) -> None:
    assert taught.find(text, None) is None


def test_what_is_surely_like_a_steps_own_example_is_no_question_whatever_was_learnt() -> None:
    class AlwaysTheLabel:
        method = "minilm"

        def decide(self, texts: Sequence[str], reachable: Collection[str], raised: float = 0.0) -> list[Decision]:
            return [Decision("returns/1", "returns/1", 1.0) for _ in texts]

    finder = CannedFinder(with_canned())
    finder.learnt = AlwaysTheLabel()
    assert finder.find("I want to send something back.", "returns") is None
    assert finder.find("Where is the sticker?", "returns") is not None


def test_questions_with_few_examples_are_not_learnt() -> None:
    assert CannedFinder(with_canned()).to_learn == ()
