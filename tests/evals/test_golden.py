"""Golden sets: what they may hold, what is counted as right, and when the bar is missed."""

from pathlib import Path

import pytest

from cli.playbook_check import read_playbook
from cli.settings import PACKAGED_PLAYBOOKS
from cli.step_fits import KeptStepFits
from cli.understanding import PlaybookUnderstanding, ready_playbook
from core.conversation import Step
from core.ngrams import NgramEmbedder
from core.recently_embedded import RecentlyEmbedded
from evals.golden import FOLDER, BadGoldenSet, Bar, GoldenSet, Heard, Utterance, below, golden_set, score
from tests.world.playbook import orders

SETS = sorted(FOLDER.glob("*.yaml"))
GOLDEN = GoldenSet.model_validate(
    {
        "utterances": [
            {"say": "Where is it?", "step": "order_status"},
            {"say": "Send it back", "step": "returns"},
            {"say": "Hm", "step": "returns", "slots": {"order_number": "48213"}},
            {"say": "Nice weather", "step": None},
        ]
    }
)


class Listener:
    """Understands what a test says it does: a step by words, and one in the end."""

    def __init__(self, by_words: dict[str, str], in_the_end: dict[str, str] | None = None) -> None:
        self._by_words, self._in_the_end = by_words, in_the_end

    async def hear(self, turn: Utterance) -> Heard:
        found = Step(self._by_words.get(turn.say), 0.9, "lexical")
        if self._in_the_end is None:
            return Heard(found, 1.0, 1.0)
        return Heard(found, 1.0, 1.0, self._in_the_end.get(turn.say, "order_status"), {})


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_the_shipped_sets_fit_their_playbooks_and_hold_none_of_their_examples(path: Path) -> None:
    playbook = read_playbook(PACKAGED_PLAYBOOKS / f"{path.stem}.yaml")
    golden = golden_set(path, playbook)
    examples = {plain(example) for step in playbook.steps for example in step.callers_say}
    assert [turn.say for turn in golden.utterances if plain(turn.say) in examples] == []
    reached_by_words = {step.name for step in playbook.steps if step.anytime is not False}
    assert {turn.step for turn in golden.utterances} >= reached_by_words | {None}
    assert any(turn.slots for turn in golden.utterances)


def test_three_sets_are_shipped() -> None:
    assert [path.stem for path in SETS] == ["appointment_reminder", "lead_qualification", "order_support"]


async def test_shares_are_of_what_they_can_be_of() -> None:
    found = await score(GOLDEN, Listener({"Where is it?": "order_status", "Send it back": "order_status"}))
    row = found.row
    assert (row["utterances"], row["out_of_scope"]) == (3, 1)
    assert (row["decided"], row["decided_right"], row["accepted"]) == (0.6667, 0.5, 0.0)
    assert "step_right" not in row
    assert found.wrong == ("'Send it back' is returns, by words order_status (0.9)",)


async def test_what_belongs_to_no_step_is_better_not_decided() -> None:
    found = await score(GOLDEN, Listener({"Nice weather": "returns"}))
    assert found.row["accepted"] == 1.0
    assert found.wrong == ("'Nice weather' is none, by words returns (0.9)",)


async def test_the_models_steps_and_slots_are_counted_where_it_was_asked() -> None:
    found = await score(GOLDEN, Listener({}, {"Send it back": "returns"}))
    assert (found.row["step_right"], found.row["slots"], found.row["slots_right"]) == (0.6667, 1, 0.0)
    assert found.wrong == (
        "'Hm' is returns, by the model order_status",
        "'Hm' tells order_number '48213', understood None",
    )


def test_the_bar_is_missed_by_less_and_for_the_accepted_by_more() -> None:
    bar = Bar(decided=0.5, accepted=0.1, step_right=0.9)
    row = {"decided": 0.5, "accepted": 0.1, "step_right": 0.2}
    assert below(bar, row, real_model=False) == []
    assert below(bar, row, real_model=True) == ["step_right is 0.2, the bar 0.9"]
    missed = below(bar, row | {"decided": 0.49, "accepted": 0.2, "calls_right": 0.8}, real_model=False)
    assert missed == [
        "decided is 0.49, the bar 0.5",
        "accepted is 0.2, the bar at most 0.1",
        "calls_right is 0.8, the bar 1.0",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("utterances: [{say: Hi, step: nonesuch}]", "no step of orders is named 'nonesuch'"),
        ("utterances: [{say: Hi, step: returns, at: nowhere}]", "no step of orders is named 'nowhere'"),
        ("utterances: [{say: Hi, step: returns, slots: {shoe: '9'}}]", "orders collects no 'shoe'"),
        ("utterances: [{say: Hi, stop: returns}]", "utterances.0.step: Field required"),
        ("utterances: []", "utterances: "),
        ("bar: {decided: 2}\nutterances: [{say: Hi, step: returns}]", "bar.decided: "),
        ("a: [", "cannot be read"),
    ],
)
def test_a_set_that_cannot_be_used_is_told_by_place(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "orders.yaml"
    file.write_text(text)
    with pytest.raises(BadGoldenSet) as caught:
        golden_set(file, orders())
    assert str(caught.value).startswith(f"{file}: ")
    assert problem in str(caught.value)


async def test_turns_are_understood_as_calls_understand_them(tmp_path: Path) -> None:
    playbook = read_playbook(PACKAGED_PLAYBOOKS / "lead_qualification.yaml")
    embedder = RecentlyEmbedded(NgramEmbedder())
    ready = await ready_playbook(playbook, KeptStepFits(embedder, tmp_path))
    understanding = PlaybookUnderstanding(ready, None, embedder, tries=2)
    bill = await understanding.hear(Utterance(say="It is 180 dollars.", step="qualify", slots={"monthly_bill": "180"}))
    assert (bill.by_words.name, bill.slots) == ("qualify", {"monthly_bill": "180"})
    renter = await understanding.hear(Utterance(say="No.", step="not_fitting", at="qualify"))
    assert (renter.by_words.name, renter.by_words.method) == ("not_fitting", "transition")


def plain(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
