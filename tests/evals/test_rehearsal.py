"""What a rehearsal asks for, and what it finds."""

from pathlib import Path
from typing import Any

import pytest

from cli.playbook_check import read_playbook
from cli.settings import PACKAGED_PLAYBOOKS
from core.outcome import Disposition
from evals.rehearsal import BadRehearsals, Rehearsal, Stage, load_rehearsals, rehearsals_named, shipped_rehearsals

CALL: dict[str, Any] = {
    "disposition": "completed",
    "transcript": [
        {
            "step": "order_status",
            "heard": "It has shipped.",
            "interrupted": False,
            "tools": [{"name": "get_order_status", "ok": True}],
        }
    ],
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
    refused = [CALL["transcript"][0] | {"tools": [{"name": "get_order_status", "ok": False}]}]
    assert judged(rehearsal, CALL | {"transcript": refused}) == ("tools that did not succeed: get_order_status",)


def test_steps_words_and_tools_that_were_expected_are_looked_for(rehearsal: Rehearsal) -> None:
    expect = rehearsal.expect.model_copy(
        update={
            "steps": ("order_status", "goodbye"),
            "heard": ("shipped", "on \\d+ May"),
            "not_tools": ("create_case",),
        }
    )
    asked = rehearsal.model_copy(update={"expect": expect})
    assert judged(asked, CALL) == ("steps it never came to: goodbye", "nobody heard 'on \\\\d+ May'")
    case = CALL["transcript"][0] | {
        "step": "goodbye",
        "heard": "on 3 May",
        "tools": [{"name": "create_case", "ok": True}],
    }
    found = judged(asked, CALL | {"transcript": [*CALL["transcript"], case]})
    assert found == ("tools that were not to run: create_case",)


@pytest.mark.parametrize("name", shipped_rehearsals())
def test_every_shipped_rehearsal_is_of_a_playbook_that_has_what_it_expects(name: str) -> None:
    playbooks = {path.stem: read_playbook(path) for path in PACKAGED_PLAYBOOKS.glob("*.yaml")}
    for one in rehearsals_named(name):
        answering = [playbook for playbook in playbooks.values() if one.to in playbook.numbers]
        playbook = playbooks[one.playbook] if one.playbook else answering[0]
        assert {step.name for step in playbook.steps} >= set(one.expect.steps), one.name
        assert playbook.tool_names >= {*one.expect.tools, *one.expect.not_tools}, one.name
        assert playbook.variables.keys() >= one.variables.keys() or not playbook.variables, one.name


@pytest.mark.parametrize("name", ["appointment_reminder", "lead_qualification", "order_support"])
def test_a_playbooks_calls_go_well_change_their_mind_are_refused_interrupt_and_want_a_person(name: str) -> None:
    played = rehearsals_named(name)
    assert len(played) >= 5
    assert {one.expect.disposition for one in played} == {Disposition.COMPLETED, Disposition.TRANSFERRED}
    said = [line for one in played for script in scripts_of(one) for line in script]
    assert any("interrupt_after" in line for line in said)
    assert any("wait" in str(line.get("say", "")) for line in said)


def scripts_of(one: Rehearsal) -> list[tuple[dict[str, Any], ...]]:
    return [one.script, *(person.get("script", ()) for person in one.people.values())]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- name: x", "0.title: Field required"),
        ("- {name: x, title: x, direction: inbound, to: '1', expect: {disposition: nice}}", "0.expect.disposition: "),
        (
            "- {name: x, title: x, direction: inbound, to: '1', expect: {disposition: completed, heard: ['(']}}",
            "no regular expression",
        ),
        ("[", "cannot be read"),
    ],
)
def test_a_file_of_ones_own_that_cannot_be_used_is_told_by_field(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(BadRehearsals) as caught:
        rehearsals_named(str(file))
    assert str(caught.value).startswith(f"{file}: ")
    assert problem in str(caught.value)


def test_a_name_without_rehearsals_is_told_those_that_have_some() -> None:
    with pytest.raises(BadRehearsals, match=r"nonesuch has no rehearsals: give a YAML file, or one of .*order_support"):
        rehearsals_named("nonesuch")
