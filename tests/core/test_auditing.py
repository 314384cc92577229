"""How far steps can be trusted that were found without the model."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from core.auditing import FEWEST, Audit, audited_turns, bars_of, trust_in
from core.conversation import TurnRecord
from core.playbook import Playbook, parse_playbook
from tests.world.playbook import ORDERS

TURN = TurnRecord(
    turn=1,
    caller="Where is my order?",
    confidence=0.95,
    step="order_status",
    step_method="lexical",
    step_confidence=0.8,
    said="On its way.",
    heard="On its way.",
    interrupted=False,
    answer_method="model",
)
GREETING = replace(TURN, turn=0, caller="", step_method="kept")


def orders(share: float) -> Playbook:
    return parse_playbook(ORDERS.replace("{audit: 0}", f"{{audit: {share}}}"))


def drawn(turns: list[TurnRecord], share: float = 1.0, call_id: str = "CA1") -> list[int]:
    return [turn.turn for _, turn in audited_turns(orders(share), call_id, turns)]


def audits(right: int, wrong: int, confidence: float = 0.7, method: str = "minilm") -> list[Audit]:
    return [Audit(method, confidence, n < right) for n in range(right + wrong)]


def bars(*found: Audit) -> dict[str, float]:
    return bars_of(trust_in(found))


def test_a_share_of_the_turns_is_drawn_and_always_the_same() -> None:
    turns = [GREETING, *(replace(TURN, turn=number) for number in range(1, 5_001))]
    found = drawn(turns, 0.03)
    assert 100 < len(found) < 200
    assert found == drawn(turns, 0.03)
    assert found != drawn(turns, 0.03, "CA2")
    assert drawn(turns, 0.0) == []
    assert len(drawn(turns)) == 5_000


def test_only_what_the_words_alone_have_told_is_drawn() -> None:
    turns = [
        GREETING,
        replace(TURN, turn=1),
        replace(TURN, turn=2, step_method="model"),
        replace(TURN, turn=3, caller="Four eight two one"),
        replace(TURN, turn=4, answer_method="canned"),
        replace(TURN, turn=5, step_method="minilm"),
    ]
    assert drawn(turns) == [1, 5]
    pairs = audited_turns(orders(1.0), "CA1", turns)
    assert [before.turn for before, _ in pairs] == [0, 4]


def test_a_playbook_of_one_step_leaves_nothing_to_judge() -> None:
    playbook = orders(1.0)
    alone = playbook.model_copy(update={"steps": playbook.steps[:1]})
    assert audited_turns(alone, "CA1", [GREETING, TURN]) == []


def test_a_few_wrong_ones_may_be_chance() -> None:
    assert bars(*audits(FEWEST - 10, 9)) == {}  # too few to tell
    assert bars(*audits(48, 2)) == {}
    assert bars(*audits(485, 10)) == {}


def test_what_is_wrong_too_often_has_to_be_surer() -> None:
    found = [*audits(200, 1, 0.92), *audits(40, 0, 0.78), *audits(40, 12, 0.63)]
    assert bars(*found) == {"minilm": 0.65}
    assert trust_in(found)["minilm"].audited == 293
    assert trust_in(found)["minilm"].agreed == 280


def test_methods_are_judged_apart() -> None:
    assert bars(*audits(100, 0, method="lexical"), *audits(40, 20, 0.6)) == {"minilm": 0.99}


def test_what_is_wrong_at_its_surest_keeps_the_highest_bar_and_is_still_watched() -> None:
    assert bars(*audits(0, 60, 1.0)) == {"minilm": 0.99}


OF_ONE_METHOD = st.lists(st.builds(Audit, st.just("minilm"), st.floats(0, 1), st.booleans()), max_size=300)


@given(OF_ONE_METHOD)
def test_above_a_bar_few_enough_are_wrong_unless_it_is_the_highest(found: list[Audit]) -> None:
    for bar in bars(*found).values():
        left = [audit.agreed for audit in found if audit.confidence >= bar]
        assert bar == 0.99 or sum(left) >= 0.98 * len(left) > 0


@given(OF_ONE_METHOD)
def test_without_a_wrong_one_nothing_has_to_be_surer(found: list[Audit]) -> None:
    assert bars(*(replace(audit, agreed=True) for audit in found)) == {}
