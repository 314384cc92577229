"""What a call teaches its playbook."""

from dataclasses import replace

import pytest

from core.conversation import TurnRecord
from core.growth import MOST_IN_ALL, MOST_OF_A_STEP, as_example, example_id, grown_from, taught, version_of

ASKED = TurnRecord(
    turn=1,
    caller="The shoes pinch, what can we do?",
    confidence=0.95,
    step="returns",
    step_method="model",
    step_confidence=0.9,
    said="I can take them back.",
    heard="I can take them back.",
    interrupted=False,
    fallback=True,
)
WENT_ALONG = replace(ASKED, turn=2, caller="Great, how do I send them?", fallback=False, step_method="minilm")
BEFORE = replace(ASKED, turn=0, caller="Where is my parcel?", step="order_status", fallback=False)


def texts(*turns: TurnRecord, ended_well: bool = False, decided: bool = False) -> list[str]:
    return [grown.text for grown in grown_from(turns, ended_well=ended_well, decided=decided)]


def test_a_turn_whose_step_only_the_model_found_becomes_an_example_once_the_caller_goes_along() -> None:
    (grown,) = grown_from([ASKED, WENT_ALONG], ended_well=False, decided=False)
    assert (grown.turn, grown.step, grown.text, grown.confidence) == (
        1,
        "returns",
        "The shoes pinch, what can we do?",
        0.9,
    )


def test_a_turn_off_topic_becomes_an_example_of_no_step() -> None:
    weather = replace(ASKED, caller="What is the weather like?", step_method="off_topic")
    (grown,) = grown_from([weather, WENT_ALONG], ended_well=False, decided=False)
    assert (grown.step, grown.text) == ("(none)", "What is the weather like?")


def test_turns_that_words_alone_told_teach_where_that_is_asked_for() -> None:
    decided = replace(ASKED, fallback=False, step_method="minilm")
    assert texts(decided, WENT_ALONG) == []
    assert texts(decided, WENT_ALONG, decided=True) == [ASKED.caller]
    assert texts(replace(decided, answer_method="canned"), WENT_ALONG, decided=True) == []
    assert texts(replace(decided, step_confidence=0.8), WENT_ALONG, decided=True) == []
    assert texts(replace(decided, step_method="kept"), WENT_ALONG, decided=True) == []


@pytest.mark.parametrize(
    "correction",
    [
        "No, I meant the order from May.",
        "That's not what I asked.",
        "I said where is my parcel",
        "you misunderstood me",
        "Nein, ich meinte etwas anderes.",
        "Non, ce n'est pas ça",
    ],
)
def test_what_the_caller_corrects_teaches_nothing(correction: str) -> None:
    assert texts(ASKED, replace(WENT_ALONG, caller=correction)) == []


@pytest.mark.parametrize("answer", ["No, thanks, that is all.", "No box any more, sorry.", "I sent it in May."])
def test_a_no_that_answers_is_no_correction(answer: str) -> None:
    assert texts(ASKED, replace(WENT_ALONG, caller=answer)) != []


@pytest.mark.parametrize(
    "turn",
    [
        replace(ASKED, fallback=False),
        replace(ASKED, step_confidence=0.6),
        replace(ASKED, confidence=0.4),
        replace(ASKED, heard=""),
        replace(ASKED, caller="Yes please."),
        replace(ASKED, caller="four eight two one three"),
        replace(ASKED, caller="and another thing I wanted " * 7),
    ],
)
def test_what_is_unsure_unheard_or_says_nothing_of_a_step_teaches_nothing(turn: TurnRecord) -> None:
    assert texts(turn, WENT_ALONG) == []


def test_a_caller_who_goes_straight_back_was_led_astray() -> None:
    assert texts(BEFORE, ASKED, replace(WENT_ALONG, step="order_status")) == []
    assert texts(BEFORE, ASKED, replace(WENT_ALONG, step="goodbye")) != []


def test_the_last_turn_is_confirmed_by_a_call_that_ends_well() -> None:
    assert texts(ASKED, ended_well=True) == [ASKED.caller]
    assert texts(ASKED, ended_well=False) == []


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("where is order 48213 please", "where is order 0 please"),
        ("when will my blue jacket number four eight two arrive", "when will my blue jacket number 0 arrive"),
        ("it's for ada@example.com, the broken lamp", "it's for 0 the broken lamp"),
        ("I want to return one of the two shoes", "I want to return one of the two shoes"),
    ],
)
def test_numbers_and_addresses_of_the_caller_are_left_out(said: str, kept: str) -> None:
    assert as_example(said) == kept


def test_the_same_words_are_the_same_example_however_they_are_written() -> None:
    assert example_id("shop", "returns", "The shoes pinch!") == example_id("shop", "returns", "the shoes pinch")
    assert example_id("shop", "returns", "the shoes pinch") != example_id("shop", "person", "the shoes pinch")


def test_own_examples_count_where_calls_say_otherwise_and_steps_that_are_gone_teach_nothing() -> None:
    own = [("returns", "send it back"), ("person", "a human")]
    grown = [("person", "Send it back"), ("returns", "it pinches"), ("old_step", "whatever")]
    assert taught(own, grown) == (*own, ("returns", "it pinches"))


def test_what_belongs_to_no_step_is_learnt_from_as_well() -> None:
    own = [("returns", "send it back")]
    assert taught(own, [("(none)", "what is the weather like")]) == (*own, ("(none)", "what is the weather like"))


def test_the_newest_of_very_many_steps_are_learnt_from_in_equal_parts() -> None:
    own = [(f"step_{number}", f"words of {number}") for number in range(60)]
    grown = [(step, f"{words} again {number}") for number in range(150) for step, words in own]
    examples = taught(own, grown)
    assert len(examples) == len(own) + MOST_IN_ALL


def test_the_newest_of_very_many_are_learnt_from() -> None:
    grown = [("returns", f"example {number}") for number in range(2 * MOST_OF_A_STEP)]
    examples = taught([("returns", "send it back")], grown)
    assert examples[1:] == tuple(grown[:MOST_OF_A_STEP])
    assert version_of(examples) != version_of(examples[:-1])
    assert version_of(examples) == version_of(reversed(examples))
