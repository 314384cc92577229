"""What operators see and do of what follows calls, over REST; customers' webhooks."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from time import time
from typing import Any

import pytest
from temporalio.client import Client

from api.temporal import Temporal
from core.webhooks import signature
from sandbox.app import SandboxConfig, create_app
from sandbox.state import Fault, SandboxState
from storage.database import Database
from tests.api.after_world import NEVER_AGAIN, NO_PATIENCE, AfterWorld, after_world, step
from tests.api.world import ApiWorld, api_world
from tests.sandbox.server import running
from tests.temporal_server import TemporalServer
from tests.world.fakes import broken


@pytest.fixture
async def after(world: ApiWorld, temporal: Client, database: Database) -> AsyncIterator[AfterWorld]:
    async with after_world(world, temporal, database) as started:
        yield started


@pytest.fixture
async def customer() -> AsyncIterator[tuple[SandboxState, str]]:
    """A customer's server, and where it takes webhooks."""
    state = SandboxState()
    async with running(create_app(state, SandboxConfig())) as origin:
        yield state, f"{origin}/sandbox/hooks/shop"


async def test_an_operator_sees_a_step_that_fails_and_has_it_tried_again(after: AfterWorld) -> None:
    after.calls.crm.note_faults.coming.append(broken("unavailable"))
    call_id = await after.ended(NEVER_AGAIN)
    path = f"/v1/calls/{call_id}/after"
    told = await after.seen(path, lambda told: step(told, "crm").get("status") == "retrying")
    assert step(told, "record")["status"] == step(told, "summary")["status"] == "done"
    crm = step(told, "crm")
    assert (crm["attempts"], crm["detail"], crm["next_at"] > crm["changed_at"]) == (1, "vendor: is unavailable", True)
    assert (await after.api.v1("POST", f"{path}/crm/retry")).status_code == 204
    await after.over(call_id)
    told = (await after.api.v1("GET", path)).json()
    assert step(told, "crm")["detail"] == f"note note-{call_id}"
    assert (await after.api.v1("POST", f"{path}/crm/retry")).status_code == 409


async def test_what_was_given_up_is_listed_sent_again_and_then_settled(after: AfterWorld) -> None:
    after.calls.crm.note_faults.always = broken("refused", curable=False)
    call_id = await after.ended(NO_PATIENCE)
    await after.over(call_id)
    (letter,) = (await after.api.v1("GET", "/v1/dead-letters")).json()["dead_letters"]
    assert (letter["call_id"], letter["step"], letter["failure"]) == (call_id, "crm", "vendor: is refused")
    crm = step((await after.api.v1("GET", f"/v1/calls/{call_id}/after")).json(), "crm")
    assert (crm["status"], crm["dead_letter"], crm["letter_status"]) == ("gave_up", letter["id"], "dead")
    after.calls.crm.note_faults.always = None
    assert (await after.api.v1("POST", f"/v1/dead-letters/{letter['id']}/resend")).status_code == 202
    await after.seen("/v1/dead-letters", lambda told: told["dead_letters"] == [])
    crm = step((await after.api.v1("GET", f"/v1/calls/{call_id}/after")).json(), "crm")
    assert crm["letter_status"] == "sent"
    assert list(after.calls.crm.notes) == [f"{call_id}:note"]
    for again in ("POST", f"/v1/dead-letters/{letter['id']}/resend"), ("DELETE", f"/v1/dead-letters/{letter['id']}"):
        assert (await after.api.v1(*again)).status_code == 409


async def test_a_dead_letter_can_be_put_away(after: AfterWorld) -> None:
    after.calls.crm.note_faults.always = broken("refused", curable=False)
    await after.over(await after.ended(NO_PATIENCE))
    (letter,) = (await after.api.v1("GET", "/v1/dead-letters")).json()["dead_letters"]
    assert (await after.api.v1("DELETE", f"/v1/dead-letters/{letter['id']}")).status_code == 204
    (settled,) = (await after.api.v1("GET", "/v1/dead-letters?dead=false")).json()["dead_letters"]
    assert settled["status"] == "dismissed"


async def test_a_later_calls_note_does_not_overtake_an_earlier_one(after: AfterWorld) -> None:
    after.calls.crm.note_faults.coming.append(broken("unavailable"))
    earlier = await after.ended(NEVER_AGAIN, ended_ms=time() * 1_000 - 60_000)
    await after.seen(f"/v1/calls/{earlier}/after", lambda told: step(told, "crm").get("status") == "retrying")
    later = await after.ended(NEVER_AGAIN, ended_ms=time() * 1_000)
    waits = "earlier calls of this person come first"
    await after.seen(f"/v1/calls/{later}/after", lambda told: step(told, "crm").get("detail") == waits)
    await after.api.v1("POST", f"/v1/calls/{earlier}/after/crm/retry")
    await after.over(later)
    assert list(after.calls.crm.notes) == [f"{earlier}:note", f"{later}:note"]


async def test_a_call_nobody_knows_has_nothing_after_it(after: AfterWorld) -> None:
    assert (await after.api.v1("GET", "/v1/calls/CA0/after")).status_code == 404
    assert (await after.api.v1("POST", "/v1/calls/CA0/after/crm/retry")).status_code == 404
    assert (await after.api.v1("POST", f"/v1/dead-letters/dl_{'0' * 24}/resend")).status_code == 404


async def test_a_registered_endpoint_is_told_of_calls_and_can_prove_who_tells(
    after: AfterWorld, customer: tuple[SandboxState, str]
) -> None:
    state, url = customer
    endpoint = await register(after.api, url)
    state.faults.append(Fault("customer", "status", status=500))
    call_id = await after.ended(replace(NEVER_AGAIN, first=0.05, longest=0.1))
    await after.over(call_id)
    events = sorted(json.loads(hook["body"])["type"] for hook in state.hooks if hook["status"] == 204)
    assert events == ["call.analyzed", "call.ended"]
    for hook in state.hooks:
        assert hook["headers"]["webhook-signature"] == proof(endpoint["secret"], hook)
    deliveries = (await after.api.v1("GET", f"/v1/webhooks/{endpoint['id']}/deliveries")).json()["deliveries"]
    assert sorted((delivery["delivered"], delivery["attempts"]) for delivery in deliveries) == [(True, 1), (True, 2)]


async def test_an_endpoint_is_tried_out_rotated_changed_and_removed(
    world: ApiWorld, customer: tuple[SandboxState, str]
) -> None:
    state, url = customer
    endpoint = await register(world, url)
    path = f"/v1/webhooks/{endpoint['id']}"
    rotated = (await world.v1("POST", f"{path}/rotate-secret")).json()
    tried = (await world.v1("POST", f"{path}/test")).json()
    assert (tried["delivered"], tried["status"]) == (True, 204)
    (hook,) = state.hooks
    proofs = f"{proof(rotated['secret'], hook)} {proof(endpoint['secret'], hook)}"
    assert hook["headers"]["webhook-signature"] == proofs
    changed = (await world.v1("PATCH", path, json={"events": ["call.ended"], "description": "theirs"})).json()
    assert (changed["events"], changed["description"], changed["url"]) == (["call.ended"], "theirs", url)
    assert "secret" not in (await world.v1("GET", path)).json()
    assert [known["id"] for known in (await world.v1("GET", "/v1/webhooks")).json()["webhooks"]] == [endpoint["id"]]
    assert (await world.v1("DELETE", path)).status_code == 204
    assert (await world.v1("POST", f"{path}/test")).status_code == 404


@pytest.mark.parametrize("url", ["https://127.0.0.1/hook", "https://169.254.169.254/latest", "http://shop.example/"])
async def test_no_endpoint_is_registered_in_a_private_network(
    temporal_server: TemporalServer, temporal: Client, database: Database, url: str
) -> None:
    reach = Temporal.at(temporal_server.address)
    async with api_world(reach, temporal, database, private_webhooks=False) as world:
        answer = await world.v1("POST", "/v1/webhooks", json={"url": url, "events": ["call.ended"]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/url"


async def register(world: ApiWorld, url: str) -> dict[str, Any]:
    wanted = {"url": url, "events": ["call.ended", "call.analyzed"]}
    answer = await world.v1("POST", "/v1/webhooks", json=wanted)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def proof(secret: str, hook: dict[str, Any]) -> str:
    headers = hook["headers"]
    return signature(secret, headers["webhook-id"], headers["webhook-timestamp"], hook["body"].encode())
