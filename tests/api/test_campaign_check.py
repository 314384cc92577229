"""What a campaign would find, over REST."""

import json
from typing import Any

import pytest

from core.contracts.campaign import CampaignSettings
from core.may_call import CallingRules, DncScope
from core.ports.campaign import DncEntry, NewContact
from tests.api.world import OUR_NUMBER, ApiWorld

SETTINGS = CampaignSettings("c1", "Renewals", "renewal", OUR_NUMBER, rules=CallingRules(needs_consent=False))


@pytest.fixture
async def world(world_without_temporal: ApiWorld) -> ApiWorld:
    await world_without_temporal.deps.campaigns.create(SETTINGS, 1.0)
    return world_without_temporal


async def check(world: ApiWorld) -> dict[str, Any]:
    answer = await world.v1("GET", "/v1/campaigns/c1/check")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def events(world: ApiWorld) -> list[tuple[str, dict[str, Any]]]:
    """All of a check's events, which ends by itself."""
    answer = await world.v1("GET", "/v1/campaigns/c1/check/events", timeout=60)
    assert answer.status_code == 200, answer.text
    fields = [line.partition(": ") for line in answer.text.splitlines() if line.startswith(("event", "data"))]
    named = zip(fields[::2], fields[1::2], strict=True)
    return [(event[2], json.loads(data[2])) for event, data in named]


async def test_the_check_tells_who_will_not_be_called_and_what_it_would_cost(world: ApiWorld) -> None:
    body = b"number\n+493012345678\n+493012345679\n+80012345678\n7\n"
    await world.v1("PUT", "/v1/campaigns/c1/lists/a", content=body)
    await world.deps.campaigns.block(DncEntry("+493012345679", DncScope.TENANT, "default"))
    told = await check(world)
    assert (told["contacts"], told["never"]) == (3, {"dnc": 1, "unknown_zone": 1})
    estimate = told["estimate"]
    assert (estimate["attempts"], estimate["measured"]) == (2, False)
    assert estimate["ends_at"] is not None
    assert told["problems"] == [
        "1 contact must not be called (DNC)",
        "1 contact in no known time zone",
        "list a: 1 line cannot be used",
    ]


async def test_a_campaign_without_contacts_is_checked_too(world: ApiWorld) -> None:
    told = await check(world)
    assert (told["contacts"], told["first_call_at"], told["problems"]) == (0, None, ["the campaign has no contacts"])


async def test_a_look_at_some_contacts_says_of_how_many_it_speaks(world: ApiWorld) -> None:
    await world.deps.campaigns.add("c1", [NewContact(f"+4930123456{n:02}") for n in range(4)], 1.0)
    told = (await world.v1("GET", "/v1/campaigns/c1/check?most=3")).json()
    assert (told["looked_at"], told["contacts"], told["estimate"]["attempts"]) == (3, 4, 6)  # 1.6 times all four


async def test_a_check_of_all_contacts_tells_how_far_it_is_and_ends_with_the_report(world: ApiWorld) -> None:
    await world.deps.campaigns.add("c1", [NewContact(f"+49301234{n:04}") for n in range(1_200)], 1.0)
    *progress, (last, report) = await events(world)
    assert progress[0] == ("progress", {"looked_at": 0, "contacts": 1_200})
    assert {name for name, _ in progress} == {"progress"}
    assert last == "report"
    assert (report["contacts"], report["looked_at"]) == (1_200, 1_200)
    assert report["estimate"] == (await check(world))["estimate"] | {"ends_at": report["estimate"]["ends_at"]}


async def test_a_campaign_that_is_not_there_is_not_checked(world: ApiWorld) -> None:
    for path in ("check", "check/events"):
        assert (await world.v1("GET", f"/v1/campaigns/none/{path}")).status_code == 404
