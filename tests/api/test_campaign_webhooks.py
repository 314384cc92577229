"""Whom a campaign tells of its results: set by API and command, checked like any webhook."""

from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from api.temporal import Temporal
from core.contracts import names
from core.contracts.campaign import CampaignPhase
from storage.campaign_rounds import SqlCampaignBook
from storage.database import Database
from storage.webhooks import SqlWebhooks
from tests.api.test_rest_commands import line_with, run
from tests.api.world import ApiWorld, api_world
from tests.temporal_server import free_port

URL = "https://customer.example/results"
NEW = {"name": "Renewals", "playbook": "renewal"}


async def created(world: ApiWorld, **more: Any) -> dict[str, Any]:
    answer = await world.v1("POST", "/v1/campaigns", json=NEW | more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_campaigns_of_one_address_share_an_endpoint_whose_secret_is_told_once(
    world_without_temporal: ApiWorld, database: Database
) -> None:
    world = world_without_temporal
    first, second = await created(world, webhook_url=URL), await created(world, webhook_url=URL)
    assert first["rules"]["webhook_url"] == second["rules"]["webhook_url"] == URL
    assert first["webhook_secret"].startswith("whsec_")
    assert second["webhook_secret"] is None
    assert first["webhook_endpoint"] == second["webhook_endpoint"]
    again = (await world.v1("GET", f"/v1/campaigns/{first['id']}")).json()
    assert (again["webhook_endpoint"], again["webhook_secret"]) == (first["webhook_endpoint"], None)
    deliveries = await world.v1("GET", f"/v1/webhooks/{first['webhook_endpoint']}/deliveries")
    assert deliveries.json() == {"deliveries": []}
    assert await SqlWebhooks(database).plans() == []  # calls have no step for it


async def test_an_address_is_changed_and_taken_away(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    path = f"/v1/campaigns/{(await created(world))['id']}"
    changed = (await world.v1("PATCH", path, json={"webhook_url": URL})).json()
    assert changed["webhook_secret"]
    paced = (await world.v1("PATCH", path, json={"in_flight": 9})).json()
    assert (paced["rules"]["webhook_url"], paced["webhook_secret"]) == (URL, None)
    off = (await world.v1("PATCH", path, json={"webhook_url": None})).json()
    assert (off["rules"]["webhook_url"], off["webhook_endpoint"]) == (None, None)


async def test_an_endpoint_that_was_removed_is_told_no_more(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    campaign = await created(world, webhook_url=URL)
    assert (await world.v1("DELETE", f"/v1/webhooks/{campaign['webhook_endpoint']}")).status_code == 204
    found = (await world.v1("GET", f"/v1/campaigns/{campaign['id']}")).json()
    assert (found["rules"]["webhook_url"], found["webhook_endpoint"]) == (None, None)


async def test_an_address_that_is_set_when_the_campaign_is_over_is_told_of_it(
    world: ApiWorld, database: Database
) -> None:
    campaign = await created(world)
    await SqlCampaignBook(database).keep_phase(campaign["id"], CampaignPhase.CANCELED, 1.0, call_off=True)
    changed = await world.v1("PATCH", f"/v1/campaigns/{campaign['id']}", json={"webhook_url": URL})
    assert changed.status_code == 200, changed.text
    results = world.temporal.get_workflow_handle(names.campaign_results_workflow_id(campaign["id"]))
    assert (await results.describe()).status is WorkflowExecutionStatus.RUNNING
    await results.terminate("nobody works here")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://customer.example/results", "must begin with https://"),
        ("https://10.0.0.7/results", "must be a public address"),
        ("https://localhost/results", "must be a public address"),
        ("https://me:word@customer.example/", "must hold no user name"),
        ("ftp://customer.example/", "should match pattern"),
    ],
)
async def test_an_address_that_is_none_is_refused_with_words(
    temporal: Client, database: Database, url: str, why: str
) -> None:
    reach = Temporal.at(f"127.0.0.1:{free_port()}")
    async with api_world(reach, temporal, database, private_webhooks=False) as world:
        campaign = await created(world)
        for method, path, body in (
            ("POST", "/v1/campaigns", NEW | {"webhook_url": url}),
            ("PATCH", f"/v1/campaigns/{campaign['id']}", {"webhook_url": url}),
        ):
            refused = await world.v1(method, path, json=body)
            assert refused.status_code == 422
            (error,) = refused.json()["errors"]
            assert error["pointer"] == "#/webhook_url"
            assert why in error["detail"]
        code, said = await run(world, "campaign", "webhook", campaign["id"], url)
        assert code == 2
        assert why in said
        assert await SqlWebhooks(database).endpoints() == []


async def test_the_command_prints_the_secret_beside_the_id(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    code, said = await run(world, "campaign", "create", "Renewals", "--playbook", "renewal", "--webhook", URL)
    assert code == 0, said
    assert line_with(said, "webhook secret: whsec_", "not shown again")
    campaign = next(line for line in said.splitlines() if line.startswith("c") and line.isalnum())
    assert (await run(world, "campaign", "webhook", campaign, "--off"))[0] == 0
    found = await world.deps.campaigns.campaign(campaign)
    assert found is not None
    assert (found.settings.webhook, found.webhook_url) == ("", "")
    assert (await run(world, "campaign", "webhook", campaign))[0] == 2
