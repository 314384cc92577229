"""Calls that canned answers cover."""

import itertools
from pathlib import Path
from typing import Any

from core.canned import CannedFinder
from core.playbook import parse_playbook
from evals.canned_bench import LINES, scripts_of, waits_of

PLAYBOOK = parse_playbook((Path(__file__).parents[2] / "playbooks" / "order_support.yaml").read_text(), "order_support")


def test_the_playbook_answers_every_line_in_its_own_words() -> None:
    finder = CannedFinder(PLAYBOOK)
    for script in itertools.islice(scripts_of(turns=4), len(LINES)):
        for line in script:
            assert "say" not in line or finder.find(line["say"], "returns"), line


def ended(at_ms: float, speech_end_ms: float) -> dict[str, Any]:
    data = {"text": LINES[0], "speech_end_ms": speech_end_ms}
    return {"at_ms": at_ms, "vendor": "deepgram", "what": "end_of_turn", "data": data}


def test_of_callers_who_ask_the_same_at_once_each_waits_from_the_end_of_their_own_turn() -> None:
    first = {"text": LINES[0], "speech_end_ms": 1_000.0, "reply_arrived_ms": 1_400.0}
    second = {"text": LINES[0], "speech_end_ms": 1_150.0, "reply_arrived_ms": 1_540.0}
    unheard = {"text": LINES[0], "speech_end_ms": 9_000.0, "reply_arrived_ms": None}
    stamps = [ended(1_380, 1_001), ended(1_530, 1_151)]
    assert waits_of([{"said": [first, unheard]}, {"said": [second]}], stamps) == ([20.0, 10.0], 1)
