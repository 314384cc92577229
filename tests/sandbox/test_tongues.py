import pytest

from sandbox.tongues import languages_of


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("Where is my order?", ["en"]),
        ("¿Dónde está mi pedido?", ["es"]),
        ("Wo ist meine Bestellung?", ["de"]),
        ("Hola, quiero saber where is my order, por favor, my order is late", ["en", "es"]),
        ("4 8 2 1 3", []),
        ("No.", []),
    ],
)
def test_small_words_tell_the_language(text: str, languages: list[str]) -> None:
    assert languages_of(text, ["en", "es", "de"]) == languages


def test_only_hinted_languages_are_heard() -> None:
    assert languages_of("¿Dónde está mi pedido?", ["en", "de"]) == []
