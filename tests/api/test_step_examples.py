"""What calls have brought for playbooks to learn from, over REST."""

import asyncio
import time
from dataclasses import replace

import pytest

from cli.step_examples import decide, learnt, show
from core.playbook import parse_playbook
from core.ports.step_examples import StepAudit
from storage.calls import SqlCallStore
from storage.database import Database
from storage.step_examples import SqlStepExamples
from tests.api.world import API_KEY, ApiWorld
from tests.storage.test_step_examples import FIT, learning

SUPPORT = parse_playbook(
    """
name: order_support
goal: Help.
persona: Friendly.
greeting: Hello.
steps:
  - {name: returns, goal: Take a return.}
  - {name: complaints, goal: Take a complaint.}
"""
)


async def test_examples_are_listed_accepted_and_rejected(world_without_temporal: ApiWorld, database: Database) -> None:
    world, store = world_without_temporal, SqlCallStore(database)
    world.shelf.books.append(SUPPORT)
    await store.save(learning("CA1", "reviewed", "The shoes pinch a lot.", "My jacket is torn."))
    listed = (await world.v1("GET", "/v1/step-examples", params={"playbook": "order_support", "review": "new"})).json()
    pinch, torn = sorted(listed["examples"], key=lambda example: -len(example["text"]))
    assert (pinch["text"], pinch["step"], pinch["call_id"]) == ("The shoes pinch a lot.", "returns", "CA1")
    accept = f"/v1/step-examples/{pinch['id']}/accept"
    accepted = (await world.v1("POST", accept, json={"by": "Grace", "step": "complaints"})).json()
    assert (accepted["review"], accepted["step"], accepted["decided_by"]) == ("accepted", "complaints", "Grace")
    nowhere = (await world.v1("POST", f"/v1/step-examples/{torn['id']}/accept", json={"step": "(none)"})).json()
    assert (nowhere["review"], nowhere["step"]) == ("accepted", "(none)")
    rejected = (await world.v1("POST", f"/v1/step-examples/{torn['id']}/reject", json={"by": "Kim"})).json()
    assert rejected["review"] == "rejected"
    assert (await world.v1("GET", "/v1/step-examples", params={"review": "new"})).json()["examples"] == []
    assert await SqlStepExamples(database).accepted("order_support") == [("complaints", "The shoes pinch a lot.")]


async def test_examples_are_reviewed_on_the_command_line(
    world_without_temporal: ApiWorld,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = world_without_temporal
    await SqlCallStore(database).save(learning("CA1", "reviewed", "The shoes pinch a lot.", "My jacket is torn."))
    monkeypatch.setenv("HOLDFAST_API_KEY", API_KEY)
    await asyncio.to_thread(show, "order_support", "new", world.origin)
    ids = {line.split()[-1]: line.split()[0] for line in capsys.readouterr().out.splitlines() if "returns" in line}
    await asyncio.to_thread(decide, [ids["lot."]], "accept", {"by": "Grace", "step": None}, world.origin)
    await asyncio.to_thread(decide, [ids["torn."]], "reject", {"by": "Grace"}, world.origin)
    assert await SqlStepExamples(database).accepted("order_support") == [("returns", "The shoes pinch a lot.")]
    capsys.readouterr()
    with pytest.raises(SystemExit):
        await asyncio.to_thread(decide, ["0" * 24], "reject", {"by": ""}, world.origin)
    assert "No example has this id." in capsys.readouterr().err


async def test_bad_requests_about_examples_are_told(world_without_temporal: ApiWorld, database: Database) -> None:
    world = world_without_temporal
    world.shelf.books.append(SUPPORT)
    await SqlCallStore(database).save(learning("CA1", "reviewed", "The shoes pinch a lot."))
    (example,) = (await world.v1("GET", "/v1/step-examples")).json()["examples"]
    unknown = await world.v1("POST", f"/v1/step-examples/{'0' * 24}/accept", json={})
    nonsense = await world.v1("POST", "/v1/step-examples/nonsense/reject", json={})
    no_step = await world.v1("POST", f"/v1/step-examples/{example['id']}/accept", json={"step": "refunds"})
    cursor = await world.v1("GET", "/v1/step-examples", params={"cursor": "nonsense"})
    assert [answer.status_code for answer in (unknown, nonsense, no_step, cursor)] == [404, 422, 422, 422]
    assert "order_support has no step named 'refunds'" in no_step.text


async def test_what_a_playbook_has_learnt_is_listed(world_without_temporal: ApiWorld, database: Database) -> None:
    await SqlStepExamples(database).note_fit(FIT)
    (state,) = (await world_without_temporal.v1("GET", "/v1/playbooks/order_support/learnt")).json()["learnt"]
    assert (state["version"], state["examples"], state["grown"]) == ("v1", 12, 2)


async def test_how_far_a_playbook_is_trusted_is_told(
    world_without_temporal: ApiWorld,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world, now_ms = world_without_temporal, time.time() * 1_000
    await SqlCallStore(database).save(learning("CA1", "reviewed", "The shoes pinch a lot."))
    audit = StepAudit("CA1", 0, "order_support", "lexical", "returns", 0.7, "complaints", now_ms)
    await SqlStepExamples(database).note_audits([replace(audit, turn=turn) for turn in range(60)])
    (trust,) = (await world.v1("GET", "/v1/playbooks/order_support/learnt")).json()["trust"]
    assert trust == {"method": "lexical", "audited": 60, "agreed": 0, "bar": 0.99}
    monkeypatch.setenv("HOLDFAST_API_KEY", API_KEY)
    await asyncio.to_thread(learnt, "order_support", world.origin)
    told = "lexical: the model agrees with 0 of 60 turns, so it has to be surer than 0.99"
    assert told in capsys.readouterr().out
