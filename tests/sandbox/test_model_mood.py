"""The rule-based model reads moods from plain signs."""

import pytest

from core.mood import MOODS
from sandbox import model_words


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("This is outrageous, I am fed up.", "angry"),
        ("I call for the third time.", "upset"),
        ("I don't understand that.", "confused"),
        ("That's great, thank you.", "pleased"),
        ("Where is my order?", "calm"),
    ],
)
def test_mood_is_read_from_plain_signs(text: str, mood: str) -> None:
    assert model_words.mood(text) == mood
    assert mood in MOODS
