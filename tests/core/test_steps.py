"""Finding a step by words: sure or silent."""

import time
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from core.playbook import Playbook, parse_playbook
from core.steps import Decision, StepFinder
from tests.world.playbook import orders

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("Where is my order?", "order_status"),
        ("Hello, could you tell me where my order is?", "order_status"),
        ("I would like to return these shoes.", "returns"),
        ("Can I talk to a human please?", "person"),
        ("No, nothing else, goodbye.", "goodbye"),
    ],
)
def test_words_like_an_example_find_its_step(text: str, step: str) -> None:
    found = StepFinder(orders()).find(text, "order_status")
    assert (found.name, found.method) == (step, "lexical")
    assert found.escalates == (step == "person")
    assert found.ends_call == (step == "goodbye")


@pytest.mark.parametrize("text", ["Fine weather, quite.", "Hm.", "", "Yes.", "The green one that my aunt gave me."])
def test_words_like_no_example_are_left_to_the_model(text: str) -> None:
    assert StepFinder(orders()).find(text, "order_status").name is None


def test_two_wishes_in_one_breath_are_left_to_the_model() -> None:
    finder = StepFinder(orders())
    assert finder.find("Can I return the shoes, and can I talk to a human?", "order_status").name is None
    assert finder.find("No, nothing else. Goodbye. Bye bye.", "order_status").name == "goodbye"


@pytest.mark.parametrize("text", ["4 8 2", "It's four eight two", "My order number is 48213.", "RX-4821"])
def test_number_answers_what_the_step_asked(text: str) -> None:
    assert StepFinder(orders()).find(text, "returns").name == "returns"


def test_one_step_is_always_the_one() -> None:
    playbook = orders()
    alone = playbook.model_copy(update={"steps": playbook.steps[:1]})
    assert StepFinder(alone).find("Anything at all", "order_status").name == "order_status"


def test_step_without_examples_is_never_found_by_words() -> None:
    playbook = orders()
    bare = playbook.model_copy(update={"steps": tuple(s.model_copy(update={"examples": ()}) for s in playbook.steps)})
    assert StepFinder(bare).find("Where is my order?", "order_status").name is None


@pytest.mark.parametrize("path", sorted(PLAYBOOKS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_finds_its_own_step(path: Path) -> None:
    playbook: Playbook = parse_playbook(path.read_text(), path.name)
    finder = StepFinder(playbook)
    for step in playbook.steps:
        for example in step.examples:
            assert finder.find(example, step.name).name == step.name, example


def test_finding_is_cheap() -> None:
    finder = StepFinder(orders())
    began = time.process_time()
    for _ in range(100):
        finder.find("I would like to know where my order with the number four eight two is by now", "order_status")
    assert time.process_time() - began < 0.5  # 5 ms each; it takes a tenth of that


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Which carrier has my parcel?", "returns"),
        ("Which carrier brings the tent?", "returns"),
        ("Which carrier takes the return?", "order_status"),
        ("Do I need a tracking number for my return?", "order_status"),
    ],
)
def test_who_has_a_parcel_is_asked_of_orders_and_of_returns(text: str, other: str) -> None:
    playbook = parse_playbook((PLAYBOOKS / "order_support.yaml").read_text(), "order_support.yaml")
    assert StepFinder(playbook).find(text, "order_status").name != other


class Knowing:
    """Decides as it is told, and writes down what it was asked."""

    method = "minilm"

    def __init__(self, known: dict[str, Decision]) -> None:
        self._known = known
        self.asked: list[str] = []

    def decide(self, texts: Sequence[str], reachable: Collection[str], raised: float = 0.0) -> list[Decision]:
        """By the text."""
        self.asked += texts
        return [self._known[text] for text in texts]


SURE = Decision("returns", "returns", 0.9)
LIKELY = Decision(None, "returns", 0.5)
ELSEWHERE = Decision(None, "order_status", 0.4)


@pytest.mark.parametrize(
    ("whole", "part", "asked", "found", "likely"),
    [
        (Decision(None, "returns", 0.2), SURE, 1, None, ""),
        (LIKELY, ELSEWHERE, 1, None, "returns"),
        (SURE, ELSEWHERE, 3, None, ""),
        (SURE, SURE, 3, "returns", ""),
    ],
)
def test_parts_of_a_turn_are_looked_at_where_it_is_sure(
    whole: Decision, part: Decision, asked: int, found: str | None, likely: str
) -> None:
    parts = ["green jackets that shrank", "blue ones that tore"]
    text = " and ".join(parts)
    learnt = Knowing({text: whole, parts[0]: SURE, parts[1]: part})
    finder = StepFinder(orders())
    finder.learnt = learnt
    step = finder.find(text, "order_status")
    assert (step.name, step.likely) == (found, likely)
    assert learnt.asked == [text, *parts][:asked]


def test_no_step_is_likely_of_a_turn_with_words_that_are_another_ones_example() -> None:
    text = "Three green jackets of my aunt from Paris shrank badly in last night's rain, and where is my order?"
    finder = StepFinder(orders())
    finder.learnt = Knowing({text: LIKELY})
    step = finder.find(text, "order_status")
    assert (step.name, step.likely) == (None, "")
