"""What follows from how the caller feels."""

import pytest

from core.manner import Manner
from core.mood import MoodRules, MoodVoice, heated_turns, is_due, known_mood, manner_for

RULES = MoodRules(read=True, every=3, voices={"angry": MoodVoice(0.8, 0.9)})


def test_mood_decides_stability_and_speed_and_nothing_else() -> None:
    slow = Manner(speed=0.9, pause_ms=300, language="de")
    angry = manner_for(slow, "angry", RULES)
    assert angry == Manner(speed=0.9, stability=0.8, mood_speed=0.9, pause_ms=300, language="de")
    assert manner_for(angry, "calm", RULES) == slow


@pytest.mark.parametrize(
    ("moods", "turns"),
    [
        ((), 0),
        (("angry",), 1),
        (("angry", "", "upset", ""), 2),
        (("angry", "calm", "upset"), 1),
        (("angry", "calm"), 0),
        (("", ""), 0),
    ],
)
def test_heated_turns_are_counted_in_a_row(moods: tuple[str, ...], turns: int) -> None:
    assert heated_turns(moods) == turns


@pytest.mark.parametrize(
    ("moods", "due"),
    [
        ((), False),
        (("", ""), False),
        (("", "", ""), True),
        (("calm", "", ""), False),
        (("calm", "", "", ""), True),
        (("upset", ""), True),
        (("", "", "calm"), False),
    ],
)
def test_mood_is_read_every_few_turns_and_each_turn_while_the_caller_is_heated(
    moods: tuple[str, ...], due: bool
) -> None:
    assert is_due(moods, RULES) is due
    assert not is_due(moods, MoodRules(read=True))


def test_mood_that_nobody_knows_is_none() -> None:
    assert (known_mood("upset"), known_mood("sleepy")) == ("upset", "")
