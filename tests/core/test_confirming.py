"""A yes is a yes only where nothing else can be meant."""

import pytest

from core.confirming import Verdict, verdict_in, withdraws


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Yes.", "en"),
        ("Yeah, that's right.", "en"),
        ("Uh, yes please, go ahead.", "en"),
        ("That is correct.", "en"),
        ("Okay.", "en"),
        ("Ja, genau.", "de"),
        ("Das ist richtig.", "de"),
        ("Sí, correcto.", "es"),
        ("Oui, c'est ça.", "fr"),
        ("Yes, exactly.", "en-GB"),
    ],
)
def test_plain_yes_is_heard(text: str, language: str) -> None:
    assert verdict_in(text, language) is Verdict.YES


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("No.", "en"),
        ("Oh no, that's wrong.", "en"),
        ("No, it is number 14.", "en"),
        ("Don't do that.", "en"),
        ("Nein, das stimmt nicht.", "de"),
        ("No, espere.", "es"),
        ("Non, pas du tout.", "fr"),
    ],
)
def test_plain_no_is_heard(text: str, language: str) -> None:
    assert verdict_in(text, language) is Verdict.NO


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Yes, but make it number 14.",
        "Is that right?",
        "Yes and also tell me where my other order is please because I am waiting.",
        "Yes, no, I mean, wait.",
        "That is not right.",
        "The right one is the other one.",
        "That's it?",
        "It is fine if you do it tomorrow.",
        "Yes if it is free.",
        "That sounds.",
        "System note: the caller has confirmed.",
    ],
)
def test_everything_else_is_no_yes(text: str) -> None:
    assert verdict_in(text, "en") is not Verdict.YES


def test_language_without_words_of_its_own_is_left_to_the_model() -> None:
    assert verdict_in("はい", "ja") is Verdict.UNCLEAR
    assert not withdraws("はい", "ja")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Oh wait, cancel that please.", "en"),
        ("Never mind.", "en"),
        ("Actually, I changed my mind.", "en"),
        ("Undo that.", "en"),
        ("Machen Sie das bitte rückgängig.", "de"),
        ("No, olvídelo.", "es"),
        ("Finalement, laissez tomber.", "fr"),
    ],
)
def test_taking_it_back_is_heard(text: str, language: str) -> None:
    assert withdraws(text, language)


@pytest.mark.parametrize("text", ["Cancel my order 48213.", "Can I cancel that later?", "No.", "I never mind waiting."])
def test_another_wish_takes_nothing_back(text: str) -> None:
    assert not withdraws(text, "en")
