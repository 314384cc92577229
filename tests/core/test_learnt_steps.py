"""Finding steps by what a playbook's examples teach."""

import numpy as np
import pytest

from core.agenda import NO_STEP
from core.learnt_steps import LearntSteps, background_speech, distinct, learn
from core.ngrams import NgramEmbedder, ngrams
from core.step_fit import fit
from core.steps import StepFinder, reachable_from
from tests.world.playbook import orders

EXAMPLES = [
    *(("order_status", text) for text in (
        "where is my order", "where is my parcel", "when will my order arrive", "has my order shipped yet",
        "I want to track my order", "my parcel has not arrived yet", "what is the status of my order",
    )),
    *(("returns", text) for text in (
        "I want to return the shoes", "can I send these shoes back", "how do I return the jacket",
        "I would like to send it back", "I need a return label", "can I get a refund for the jacket",
        "I want my money back for the shoes",
    )),
    *(("person", text) for text in ("a human please", "give me a person", "let me speak with somebody")),
]  # fmt: skip
EVERYWHERE = {"order_status", "returns", "person"}


@pytest.fixture(scope="module")
def learnt() -> LearntSteps:
    fit = learn(EXAMPLES, NgramEmbedder())
    assert fit is not None
    return LearntSteps(fit, NgramEmbedder(), EXAMPLES)


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("Hello, where is my order please?", "order_status"),
        ("has my parcel shipped", "order_status"),
        ("I want to return the jacket", "returns"),
        ("can I send the jacket back", "returns"),
    ],
)
def test_what_is_said_in_other_words_finds_its_step(learnt: LearntSteps, text: str, step: str) -> None:
    (found,) = learnt.decide([text], EVERYWHERE)
    assert found.step == step
    assert found.confidence >= learnt.learnt.threshold


@pytest.mark.parametrize("text", ["", "um", "do you sell sourdough on tuesdays", "why is the grass green", "中文"])
def test_what_belongs_to_no_step_is_not_decided(learnt: LearntSteps, text: str) -> None:
    assert learnt.decide([text], EVERYWHERE)[0].step is None


def test_step_with_fewer_than_five_examples_is_left_to_the_model(learnt: LearntSteps) -> None:
    found = learnt.decide(["give me a person"], EVERYWHERE)[0]
    assert (found.step, found.likeliest) == (None, "person")


def test_wish_that_cannot_be_followed_from_here_is_not_taken_for_another(learnt: LearntSteps) -> None:
    assert learnt.decide(["where is my order"], {"returns", "person"})[0].step is None
    assert learnt.decide(["where is my order"], {"order_status"})[0].step == "order_status"
    assert learnt.decide(["where is my order"], set())[0].step is None


def test_threshold_that_is_raised_decides_less(learnt: LearntSteps) -> None:
    found = learnt.decide(["has my parcel shipped"], EVERYWHERE)[0]
    raised = found.confidence - learnt.learnt.threshold + 0.001
    assert learnt.decide(["has my parcel shipped"], EVERYWHERE, raised)[0].step is None


def test_same_examples_teach_the_same() -> None:
    one, other = learn(EXAMPLES, NgramEmbedder()), learn(EXAMPLES, NgramEmbedder())
    assert one is not None
    assert other is not None
    assert one.threshold == other.threshold
    assert np.array_equal(one.weights, other.weights)


def test_too_few_examples_teach_nothing() -> None:
    assert learn([("a", "one"), ("b", "two")], NgramEmbedder()) is None
    assert learn([], NgramEmbedder()) is None


def test_text_counts_once_and_for_its_first_step() -> None:
    assert distinct([("a", "Hello there"), ("b", "hello  there"), ("b", "bye")]) == (("a", "hello there"), ("b", "bye"))


def test_background_speech_is_varied_and_said_once() -> None:
    said = background_speech()
    assert len(said) >= 600
    assert len(set(said)) == len(said)
    assert all(text == text.strip() and text for text in said)


def test_ngrams_of_a_text_have_length_one_or_are_nothing() -> None:
    lengths = np.linalg.norm(ngrams(["where is my order", "", "!?"]), axis=1)
    assert lengths == pytest.approx([1, 0, 0])


def test_finder_uses_what_was_learnt_once_it_is_there(learnt: LearntSteps) -> None:
    finder = StepFinder(orders())
    text = "has my parcel shipped"
    finder.learnt = learnt
    found = finder.find(text, "returns")
    assert (found.name, found.method) == ("order_status", "lexical")
    assert finder.find("can I get a refund for the jacket. And has my parcel shipped?", "returns").name is None
    assert finder.find("4 8 2 1 3", "returns").name == "returns"


def test_without_transitions_every_step_can_be_reached() -> None:
    playbook = orders()
    assert reachable_from(playbook, "returns") == {step.name for step in playbook.steps}


def test_what_calls_teach_wrongly_makes_nothing_less_sure() -> None:
    wrong = [
        ("returns", "where is my parcel now"),
        ("order_status", "can I return these shoes"),
        ("returns", "has it shipped yet"),
    ]
    taught = [*EXAMPLES, *wrong]
    believed, doubted = learn(taught, NgramEmbedder()), learn(taught, NgramEmbedder(), own=len(EXAMPLES))
    assert believed is not None
    assert doubted is not None
    assert doubted.threshold < believed.threshold
    found = LearntSteps(doubted, NgramEmbedder(), taught).decide(["where is my parcel now"], EVERYWHERE)[0]
    assert found.step == "order_status"


def test_what_calls_teach_in_new_words_is_learnt() -> None:
    grown = [("returns", f"the {what} pinch me dreadfully") for what in ("shoes", "boots", "gloves", "jeans", "hats")]
    fit = learn([*EXAMPLES, *grown], NgramEmbedder(), own=len(EXAMPLES))
    assert fit is not None
    learnt = LearntSteps(fit, NgramEmbedder(), [*EXAMPLES, *grown])
    assert learnt.decide(["these sandals pinch me dreadfully"], EVERYWHERE)[0].step == "returns"


def test_what_calls_have_told_to_belong_to_no_step_is_not_taken_for_one() -> None:
    asked = "can I return my library books"
    known = learn(EXAMPLES, NgramEmbedder())
    assert known is not None
    assert LearntSteps(known, NgramEmbedder(), EXAMPLES).decide([asked], EVERYWHERE)[0].step == "returns"
    strange = [
        (NO_STEP, f"can I return my {what} books") for what in ("school", "borrowed", "overdue", "music", "picture")
    ]
    taught = [*EXAMPLES, *strange]
    fit = learn(taught, NgramEmbedder(), own=len(EXAMPLES))
    assert fit is not None
    assert fit.labels == known.labels
    learnt = LearntSteps(fit, NgramEmbedder(), taught)
    assert learnt.decide([asked], EVERYWHERE)[0].step is None
    assert learnt.decide(["can I return the shoes"], EVERYWHERE)[0].step == "returns"


def test_what_belongs_to_no_step_alone_is_too_little_to_learn_from() -> None:
    assert learn([(NO_STEP, f"the weather in {where}") for where in "abcdefgh"], NgramEmbedder(), own=0) is None


def test_part_that_may_be_another_wish_leaves_the_turn_to_the_model(learnt: LearntSteps) -> None:
    finder = StepFinder(orders())
    finder.learnt = learnt
    assert finder.find("Where is my order?", "order_status").name == "order_status"
    assert learnt.decide(["what about the refund for my aunt"], EVERYWHERE)[0].step is None  # alone it decides nothing
    assert finder.find("Where is my order, and what about the refund for my aunt?", "order_status").name is None
    assert finder.find("Where is my order and has it shipped yet?", "order_status").name == "order_status"


def test_background_speech_that_examples_say_as_well_is_no_stranger() -> None:
    rng = np.random.default_rng(0)
    wishes = np.eye(3, 20, dtype=np.float32)
    examples = np.repeat(wishes, 8, axis=0) + rng.normal(0, 0.02, (24, 20)).astype(np.float32)
    labels = [step for step in ("bye", "order", "return") for _ in range(8)]
    strangers = np.eye(20, dtype=np.float32)[5:]
    learnt = fit(examples, labels, np.vstack([strangers, *[wishes[:1]] * 10]), 0.5)
    (chances,) = learnt.chances(wishes[:1])
    assert chances[0] > 0.9  # with these ten in "none of these" it would be less than half


def test_the_least_that_is_sure_falls_once_calls_have_told_enough_of_what_belongs_to_no_step() -> None:
    rng = np.random.default_rng(0)
    wishes = np.repeat(np.eye(5, 40, dtype=np.float32), 8, axis=0) + rng.normal(0, 0.02, (40, 40)).astype(np.float32)
    steps: list[str | None] = [f"step_{number}" for number in range(5) for _ in range(8)]
    background = np.eye(40, dtype=np.float32)[20:]

    def least(told: int) -> float:
        strangers = np.eye(40, dtype=np.float32)[5 + np.arange(told) % 15]
        return fit(np.vstack([wishes, strangers]), [*steps, *[None] * told], background, 0.7, len(steps)).threshold

    assert [least(99), round(least(100), 6)] == [0.7, 0.64]
