"""Whether words are all that the caller wants to say."""

import pytest

from core.endpointing import ANSWERS, UNFINISHED_MS, Expected, digits_in, patience_ms

OPEN = Expected()
NUMBER = Expected("number")
FIVE_DIGITS = Expected("number", digits=5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my number is", OPEN),
        ("My number is.", OPEN),
        ("I would like to change my order and", OPEN),
        ("well, um", OPEN),
        ("It's,", OPEN),
        ("let me find it", OPEN),
        ("Give me a second.", OPEN),
        ("4 5", FIVE_DIGITS),
        ("four five oh", FIVE_DIGITS),
        ("it is", NUMBER),
        ("meine Nummer ist", Expected(language="de")),
        ("mon adresse est", Expected(language="fr-CA")),
    ],
)
def test_words_that_ask_for_more_are_waited_for(text: str, expected: Expected) -> None:
    assert patience_ms(text, expected) == UNFINISHED_MS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Where is my order?", OPEN),
        ("yes it is", OPEN),
        ("What is it for?", OPEN),
        ("48213", FIVE_DIGITS),
        ("four eight two one three", FIVE_DIGITS),
        ("I don't have it here", NUMBER),
        ("No.", Expected("yes_no")),
        ("", OPEN),
    ],
)
def test_words_that_can_be_all_are_a_turn_at_once(text: str, expected: Expected) -> None:
    assert patience_ms(text, expected) == 0


@pytest.mark.parametrize("kind", ["number", "spelling", "address"])
def test_answers_that_come_in_pieces_are_given_a_second_for_the_next(kind: str) -> None:
    assert 1_000 < patience_ms("45 Main Street 7", Expected(kind)) <= UNFINISHED_MS


def test_a_caller_who_asked_to_slow_down_is_given_longer() -> None:
    assert patience_ms("Where is my order?", Expected(pause_ms=400)) == 400
    assert patience_ms("my number is", Expected(pause_ms=400)) == UNFINISHED_MS + 400


def test_no_wait_is_longer_than_it_may_be_however_it_is_asked_for() -> None:
    longest = max(patience_ms(text, Expected(kind, 9, 1_200)) for kind in ANSWERS for text in ("my", "4", "yes", "so,"))
    assert longest <= 2_700


@pytest.mark.parametrize(
    ("text", "language", "digits"),
    [("4 5", "en", 2), ("4-5-3 and six", "en", 4), ("vier fünf", "de", 2), ("no idea", "en", 0), ("four", "xx", 0)],
)
def test_digits_are_counted_as_figures_and_as_words(text: str, language: str, digits: int) -> None:
    assert digits_in(text, language) == digits
