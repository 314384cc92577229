"""Values as people read them."""

import pytest

from api.console.latency import FULL_MS, bar
from api.console.words import OUTCOMES, PHASES, outcome, phase, phone, pretty, readable, span, unheard, usd
from core.contracts.call import Phase
from core.outcome import Disposition


@pytest.mark.parametrize(
    ("ms", "words"), [(-5, "0:00"), (7_400, "0:07"), (760_000, "12:40"), (3_723_000, "1:02:03"), (0, "0:00")]
)
def test_a_length_of_time(ms: float, words: str) -> None:
    assert span(ms) == words


def test_numbers_are_grouped_and_anything_else_stays_as_it_is() -> None:
    assert phone("+12025550117") == "+1 202-555-0117"
    assert phone("anonymous") == "anonymous"
    assert phone("") == "unknown"


def test_every_outcome_and_phase_has_words() -> None:
    assert set(OUTCOMES) == set(Disposition)
    assert set(PHASES) == set(Phase)
    assert outcome(None) == ("Not known", "plain")
    assert phase("new_one") == ("New one", "plain")


def test_names_amounts_and_results() -> None:
    assert readable("order_status") == "Order status"
    assert (usd(0), usd(0.0438), usd(12.3)) == ("$0.00", "$0.0438", "$12.30")
    assert pretty('{"a": 1}') == '{\n  "a": 1\n}'
    assert pretty("The shop did not answer.") == "The shop did not answer."
    assert pretty("NaN") == "NaN"


def test_what_was_not_heard_is_the_rest_of_what_was_said() -> None:
    assert unheard("It has shipped.", "It has") == " shipped."
    assert unheard("It has shipped.", "Something else") == ""


def test_a_bar_is_as_long_as_the_turn_took_and_never_longer_than_whole() -> None:
    short, long = bar({"model": FULL_MS / 4, "voice": FULL_MS / 4, "tools": 0.0}), bar({"model": 3 * FULL_MS})
    assert short is not None
    assert long is not None
    assert [(piece.layer, piece.x, piece.width) for piece in short.pieces] == [("model", 0, 25), ("voice", 25, 25)]
    assert [(piece.x, piece.width) for piece in long.pieces] == [(0, 100)]
    assert long.total_ms == 3 * FULL_MS


def test_clocks_that_disagree_a_little_make_no_bar_that_runs_backwards() -> None:
    drawn = bar({"hop": -3.0, "model": 100.0})
    assert drawn is not None
    assert [piece.layer for piece in drawn.pieces] == ["model"]
    assert drawn.total_ms == 97.0
    assert bar({}) is None
