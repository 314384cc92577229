import pytest

from core.languages import Leaning, asked_for, lean

KNOWN = ("en", "es", "de")


def spoken(*turns: tuple[list[str], int], current: str = "en") -> list[str]:
    """The call's language after each turn: (heard languages, words)."""
    leaning, found = Leaning(), []
    for heard, words in turns:
        leaning, changed = lean(leaning, heard, words, current, KNOWN)
        current = changed or current
        found.append(current)
    return found


def test_two_turns_in_a_row_in_another_language_switch() -> None:
    assert spoken((["es"], 3), (["es"], 2)) == ["en", "es"]


def test_one_short_turn_in_another_language_does_not() -> None:
    assert spoken((["es"], 3), (["en"], 4), (["es"], 2), (["en"], 2)) == ["en"] * 4


def test_a_long_turn_in_another_language_is_sure() -> None:
    assert spoken((["es"], 9)) == ["es"]


def test_a_mixed_speaker_stays_until_the_other_language_leads_twice() -> None:
    assert spoken((["en", "es"], 12), (["en", "es"], 9), (["es", "en"], 12), (["en", "es"], 8)) == ["en"] * 4
    assert spoken((["es", "en"], 12), (["es", "en"], 12)) == ["en", "es"]


def test_a_turn_that_tells_no_language_neither_counts_nor_clears() -> None:
    assert spoken((["es"], 2), ([], 5), (["es"], 2)) == ["en", "en", "es"]


def test_a_caller_may_come_back() -> None:
    assert spoken((["es"], 9), (["en"], 2), (["en"], 2)) == ["es", "es", "en"]


def test_a_language_that_the_playbook_does_not_have_is_none() -> None:
    assert spoken((["fr"], 9), (["fr"], 9)) == ["en", "en"]


def test_regions_are_one_language() -> None:
    assert spoken((["es-MX"], 9)) == ["es"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Spanish please.", "es"),
        ("Spanish.", "es"),
        ("En español, por favor.", "es"),
        ("¿Habla español?", "es"),
        ("Can we talk in German about my order?", "de"),
        ("Do you speak Spanish?", "es"),
        ("Sprechen Sie Deutsch?", "de"),
        ("Auf Deutsch bitte", "de"),
        ("No hablo inglés, español por favor.", "es"),
        ("English, please", "en"),
        ("I don't speak Spanish.", ""),
        ("My wife speaks Spanish.", ""),
        ("I ordered the Spanish guitar.", ""),
        ("It is a tent in Spanish style.", ""),
        ("I want a German shepherd or a Spanish one", ""),
        ("Where is my order?", ""),
        ("French please", ""),
    ],
)
def test_a_caller_can_ask_for_a_language(text: str, language: str) -> None:
    assert asked_for(text, KNOWN) == language
