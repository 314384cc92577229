"""The console's answers without a browser."""

import httpx
import pytest

from api.console.assets import STATIC
from tests.api.console.scenes import Scene
from tests.api.world import ApiWorld

OWN_PAGES = ("/", "/calls/CA1", "/login", "/calls/CA1/state", "/finished")


async def page(world: ApiWorld, path: str, **headers: str) -> httpx.Response:
    return await world.v1("GET", path, headers={"Accept": "text/html"} | headers)


@pytest.mark.parametrize("path", OWN_PAGES)
async def test_no_page_loads_or_runs_anything_from_elsewhere(world_without_temporal: ApiWorld, path: str) -> None:
    world = world_without_temporal
    Scene(world.feed, "CA1").begins()
    await world.feed.flush()
    answer = await page(world, path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert 'src="http' not in answer.text
    assert "style=" not in answer.text


async def test_every_file_a_page_names_is_there(world_without_temporal: ApiWorld) -> None:
    for path in STATIC.iterdir():
        answer = await page(world_without_temporal, f"/static/{path.name}")
        assert (path.name, answer.status_code) == (path.name, 200)
    assert (await world_without_temporal.client.get("/static/console.css")).status_code == 401


async def test_a_call_nobody_knows_is_said_in_words(world: ApiWorld) -> None:
    answer = await page(world, "/calls/nobody")
    assert answer.status_code == 404
    assert "No call has this id." in answer.text


async def test_a_call_that_rings_before_its_feed_has_told_of_it_has_a_page(world: ApiWorld) -> None:
    placed = (await world.v1("POST", "/v1/calls", json={"to": "+15550100", "playbook": "renewal"})).json()
    world.started.append(placed["id"])
    answer = await page(world, f"/calls/{placed['id']}")
    assert "Dialling" in answer.text


@pytest.mark.parametrize("path", ["/?before=x", "/finished?before=x"])
async def test_a_page_of_older_calls_that_is_none_is_said_in_words(world_without_temporal: ApiWorld, path: str) -> None:
    answer = await page(world_without_temporal, path)
    assert answer.status_code == 422
    assert "This page of older calls does not exist." in answer.text


async def test_a_form_works_without_script(world: ApiWorld) -> None:
    call_id, _ = await world.incoming()
    answer = await world.v1("POST", f"/calls/{call_id}/say", data={"text": "Hello."})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/calls/{call_id}")
    answer = await world.v1("POST", f"/calls/{call_id}/transfer", data={"to": "nobody"})
    assert answer.status_code == 422
    assert "To: is no phone number" in answer.text


async def test_a_form_of_another_site_does_nothing(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    await world.client.post("/login", data={"key": world.deps.settings.api_key})
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = await world.client.post("/calls/CA1/end", data={"reason": "x"}, headers=headers)
    assert answer.status_code == 403
