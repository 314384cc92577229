"""Who asks who is calling, before the person we want to reach comes to the phone."""

import pytest

from core.screening import Screener, screener_in


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Hi! If you record your name and reason for calling, I'll see if this person is available."),
        ("en-US", "The person you are calling is using a screening service from Google."),
        ("en", "Please say your name and why you're calling."),
        ("de", "Bitte nennen Sie Ihren Namen und den Grund Ihres Anrufs."),
        ("es", "Diga su nombre y el motivo de su llamada."),
        ("fr", "Dites votre nom et le motif de votre appel."),
    ],
)
def test_services_ask_for_a_name_and_a_reason(language: str, said: str) -> None:
    assert screener_in(said, language) is Screener.SERVICE


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Who's calling, please?"),
        ("en", "May I ask who is speaking?"),
        ("en", "And what is this about?"),
        ("de", "Wer spricht denn da? Worum geht es?"),
        ("es", "¿De parte de quién?"),
        ("fr", "C’est de la part de qui ?"),
    ],
)
def test_people_ask_who_is_calling(language: str, said: str) -> None:
    assert screener_in(said, language) is Screener.WHO


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Thanks. Please stay on the line."),
        ("en", "I'll put you through."),
        ("de", "Bleiben Sie bitte dran."),
        ("es", "No cuelgue, le paso."),
        ("fr", "Ne quittez pas."),
    ],
)
def test_the_person_is_fetched(language: str, said: str) -> None:
    assert screener_in(said, language) is Screener.WAIT


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Hello?"),
        ("en", "Yes, this is Dana."),
        ("en", "My name is Dana, and I am calling back about the visit."),
        ("en", "What is the price?"),
        ("de", "Ja, hier spricht Dana."),
        ("ja", "どちら様ですか"),
    ],
)
def test_other_words_screen_nothing(language: str, said: str) -> None:
    assert screener_in(said, language) is None
