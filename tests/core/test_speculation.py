"""When an answer may be made ahead of a turn's end, and when it is worth nothing."""

import pytest

from core.speculation import Foresight, words_key
from core.turns import (
    EagerEndOfTurn,
    EndOfTurn,
    Interim,
    RecogniserEvent,
    RecogniserLost,
    SpeechStarted,
    TurnEnded,
    TurnEvent,
    TurnGoesOn,
    TurnLikelyEnded,
    TurnResumed,
)

ENDED = TurnEnded("Where is it?", 0.9, 10.0, 3)


def follow(foresight: Foresight, event: RecogniserEvent, *decided: TurnEvent, quiet: bool = True) -> list[TurnEvent]:
    return foresight.follow(event, list(decided), quiet=quiet, speech_ended_ms=10.0)


@pytest.fixture
def foreseen() -> Foresight:
    """An answer to "Where is it" is being made."""
    foresight = Foresight()
    assert follow(foresight, EagerEndOfTurn("Where is it", 0.6)) == [TurnLikelyEnded("Where is it", 0.6, 10.0, 3)]
    return foresight


def test_a_turn_that_ends_with_the_same_words_is_as_foreseen(foreseen: Foresight) -> None:
    assert follow(foreseen, EndOfTurn("Where is it?", 0.9), ENDED) == [ENDED]
    assert follow(foreseen, TurnResumed()) == []


def test_a_turn_that_ends_with_other_words_was_not_foreseen(foreseen: Foresight) -> None:
    other = TurnEnded("Where is it now?", 0.9, 10.0, 4)
    assert follow(foreseen, EndOfTurn("Where is it now?", 0.9), other) == [TurnGoesOn(), other]


@pytest.mark.parametrize("event", [TurnResumed(), Interim("Where is it now"), RecogniserLost("gone"), EndOfTurn("", 0)])
def test_a_caller_who_goes_on_makes_it_worth_nothing_once(foreseen: Foresight, event: RecogniserEvent) -> None:
    assert follow(foreseen, event) == [TurnGoesOn()]
    assert follow(foreseen, event) == []


@pytest.mark.parametrize("event", [Interim("where is it"), SpeechStarted(), EagerEndOfTurn("Where is it", 0.7)])
def test_hearing_the_same_again_changes_nothing(foreseen: Foresight, event: RecogniserEvent) -> None:
    assert follow(foreseen, event) == []
    assert follow(foreseen, EndOfTurn("Where is it", 0.9), ENDED) == [ENDED]


def test_other_words_that_have_probably_ended_take_the_place_of_the_first(foreseen: Foresight) -> None:
    events = follow(foreseen, EagerEndOfTurn("Where is it and when", 0.6))
    assert events == [TurnGoesOn(), TurnLikelyEnded("Where is it and when", 0.6, 10.0, 5)]


def test_nothing_is_foreseen_over_the_assistants_words_or_from_silence() -> None:
    assert follow(Foresight(), EagerEndOfTurn("Where is it", 0.6), quiet=False) == []
    assert follow(Foresight(), EagerEndOfTurn("  ", 0.6)) == []


def test_case_and_punctuation_make_no_other_words() -> None:
    assert words_key("Where is it?") == words_key("where is, it")
    assert words_key("Where is it") != words_key("Where is he")
    assert words_key("¿Dónde está?") == words_key("dónde está")
