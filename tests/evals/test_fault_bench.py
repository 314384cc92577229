"""What a caller heard, and did not hear, of a call in which a vendor broke."""

import dataclasses
import re
from typing import Any

from evals.fault_bench import FAULTS, script_of, silences_of, unanswered_of
from sandbox.state import Fault


def said(at_ms: int, end_ms: int) -> dict[str, Any]:
    return {"at_ms": at_ms, "end_ms": end_ms, "speech_end_ms": 1.0}


def heard(at_ms: int, end_ms: int, text: str = "Within 30 days.") -> dict[str, Any]:
    return {"at_ms": at_ms, "end_ms": end_ms, "text": text}


def test_silence_is_counted_within_an_answer_but_not_after_it() -> None:
    call = {"at_ms": 60_000, "said": [said(1_000, 3_000)]}
    sounds = [heard(0, 900), heard(3_800, 5_000)]
    assert silences_of(call | {"heard": sounds}) == [800]
    assert silences_of(call | {"heard": [*sounds, heard(9_500, 11_000)]}) == [4_500]


def test_a_line_that_brings_nothing_is_followed_by_silence_until_the_next_or_the_end() -> None:
    call = {"at_ms": 30_000, "said": [said(1_000, 3_000), said(12_000, 14_000)], "heard": []}
    assert silences_of(call) == [9_000, 16_000]
    assert unanswered_of(call, ()) == 2


def test_a_filler_breaks_the_silence_and_is_no_answer() -> None:
    call = {"at_ms": 30_000, "said": [said(1_000, 3_000)]}
    filled = call | {"heard": [heard(4_200, 5_000, "Let me see.")]}
    answered = call | {"heard": [heard(4_200, 9_000, "Let me see. The label is in the box.")]}
    assert silences_of(filled) == silences_of(answered) == [1_200]
    assert unanswered_of(filled, ["Let me see."]) == 1
    assert unanswered_of(answered, ["Let me see."]) == 0


def test_every_fault_is_one_that_the_sandbox_knows() -> None:
    fields = {field.name for field in dataclasses.fields(Fault)}
    assert all(fault.fields.keys() <= fields for fault in FAULTS)


def test_only_the_first_line_holds_the_number_that_a_fault_strikes() -> None:
    lines = [line["say"] for line in script_of(20_001) if "say" in line]
    assert [bool(re.search("20001", line)) for line in lines] == [True, False]
