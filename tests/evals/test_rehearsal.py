"""What a rehearsal asks for, and what it finds."""

from typing import Any

import pytest

from core.outcome import Disposition
from evals.rehearsal import Rehearsal, Stage, load_rehearsals

CALL: dict[str, Any] = {
    "disposition": "completed",
    "transcript": [{"interrupted": False, "tools": [{"name": "get_order_status", "ok": True}]}],
}


@pytest.fixture
def rehearsal() -> Rehearsal:
    return next(one for one in load_rehearsals() if one.name == "where-is-my-order")


def judged(rehearsal: Rehearsal, call: dict[str, Any], *, ended: bool = True, synced: bool = True) -> tuple[str, ...]:
    return Stage.judge(rehearsal, "CA1", call, ended=ended, synced=synced).problems


def test_the_shipped_rehearsals_call_both_ways_and_end_differently() -> None:
    rehearsals = load_rehearsals()
    assert {one.direction for one in rehearsals} == {"inbound", "outbound"}
    assert {one.expect.disposition for one in rehearsals} == {Disposition.COMPLETED, Disposition.TRANSFERRED}


def test_a_call_that_went_as_expected_has_no_problems(rehearsal: Rehearsal) -> None:
    assert judged(rehearsal, CALL) == ()


def test_each_thing_that_went_wrong_is_named(rehearsal: Rehearsal) -> None:
    failed = CALL | {"disposition": "vendor_failure", "transcript": []}
    assert judged(rehearsal, failed) == (
        "ended as vendor_failure, not completed",
        "tools that did not succeed: get_order_status",
    )
    assert judged(rehearsal, CALL, synced=False) == ("the CRM has no note of it",)
    assert "the call did not end" in judged(rehearsal, CALL | {"disposition": None}, ended=False)


def test_a_tool_that_was_refused_does_not_count_as_used(rehearsal: Rehearsal) -> None:
    refused = [{"interrupted": False, "tools": [{"name": "get_order_status", "ok": False}]}]
    assert judged(rehearsal, CALL | {"transcript": refused}) == ("tools that did not succeed: get_order_status",)
