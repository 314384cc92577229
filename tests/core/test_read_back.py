from datetime import date

import pytest

from core.confirming import Verdict
from core.dates import spoken_date, tells_date
from core.memory import Memory, Source
from core.read_back import hear_answer, was_read_back
from vendors.deepgram_stt import FLUX_LANGUAGES


@pytest.mark.parametrize(
    ("kind", "value", "heard", "right"),
    [
        ("text", "48213", "I have 4 8 2 1 3, is that right?", True),
        ("text", "48213", "I have 48213.", False),
        ("text", "48213", "I have 48218, is that right?", False),
        ("number", "180", "A bill of 180 dollars, right?", True),
        ("email", "ann@example.com", "So it is ann@example.com?", True),
        ("date", "2026-03-02", "Monday, March 2nd, right?", True),
        ("date", "2026-03-02", "Monday, May 2nd, right?", False),
        ("time", "14:30", "At 2:30 p.m., does that work?", True),
        ("time", "14:30", "At 3:30 p.m., does that work?", False),
        ("time", "15:00", "At 3 o'clock?", True),
    ],
)
def test_a_value_was_read_back_only_if_the_caller_was_asked_about_it(
    kind: str, value: str, heard: str, right: bool
) -> None:
    assert was_read_back(kind, value, heard) is right


@pytest.mark.parametrize(
    ("language", "heard", "right"),
    [
        ("de", "Also Montag, der 2. März, richtig?", True),
        ("de", "Also Montag, der 12. März, richtig?", False),
        ("de", "Also Montag, der 2. Mai, richtig?", False),
        ("es", "¿El lunes 2 de marzo?", True),
        ("fr", "Le lundi 2 mars, c'est bien cela ?", True),
        ("it", "Lunedì 2 marzo, giusto?", True),
        ("pt-BR", "Segunda-feira, 2 de março, certo?", True),
        ("nl", "Maandag 2 maart, klopt dat?", True),
        ("pl", "Poniedziałek, 2 marca, zgadza się?", True),
        ("ru", "Понедельник, 2 марта, верно?", True),
        ("hi", "सोमवार, 2 मार्च, सही है?", True),
        ("hi", "सोमवार, 2 मई, सही है?", False),
        ("ja", "3月2日でよろしいですか?", True),
        ("ja", "3月2日でよろしいですか？", True),
        ("ja", "3月12日でよろしいですか?", False),
        ("ja", "13月2日でよろしいですか?", False),
        ("ko", "3월 2일 맞나요?", True),
        ("xx", "Le 2 mars?", False),
    ],
)
def test_a_date_was_read_back_if_it_was_named_in_the_language_of_the_call(
    language: str, heard: str, right: bool
) -> None:
    assert was_read_back("date", "2026-03-02", heard, language) is right


@pytest.mark.parametrize("language", sorted(FLUX_LANGUAGES))
@pytest.mark.parametrize("day", [date(2026, month, 1) for month in range(1, 13)], ids=str)
def test_a_date_that_was_said_is_one_that_was_heard(day: date, language: str) -> None:
    said = spoken_date(day, language)
    assert said != day.isoformat()
    assert tells_date(said, day, language)


@pytest.mark.parametrize(
    ("said", "verdict", "confirmed"),
    [
        ("Yes, that's right.", Verdict.YES, True),
        ("No.", Verdict.NO, None),
        ("What do you need it for?", Verdict.UNCLEAR, False),
    ],
)
def test_the_callers_next_words_decide(said: str, verdict: Verdict, confirmed: bool | None) -> None:
    memory = Memory()
    memory.learn("bill", "180", Source.CALLER, 1)
    assert hear_answer(memory, {"bill": "number"}, "180, right?", said, "en") is verdict
    known = memory.slots.get("bill")
    assert (known.confirmed if known else None) is confirmed


def test_only_the_last_words_can_be_answered() -> None:
    memory = Memory()
    memory.learn("bill", "180", Source.CALLER, 1)
    hear_answer(memory, {"bill": "number"}, "180, right?", "Well, what for?", "en")
    assert hear_answer(memory, {"bill": "number"}, "Do you own the house?", "Yes.", "en") is None
    assert not memory.slots["bill"].confirmed
