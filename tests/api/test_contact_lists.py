"""Lists of contacts over REST."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest

from core.contracts.campaign import CampaignPhase, CampaignSettings
from core.may_call import CallingRules
from storage.campaign_rounds import SqlCampaignBook
from storage.database import Database
from tests.api.world import API_KEY, OUR_NUMBER, ApiWorld

SETTINGS = CampaignSettings("c1", "Renewals", "renewal", OUR_NUMBER, rules=CallingRules(needs_consent=False))


@pytest.fixture
async def world(world_without_temporal: ApiWorld) -> ApiWorld:
    await world_without_temporal.deps.campaigns.create(SETTINGS, 1.0)
    return world_without_temporal


async def test_a_list_is_read_and_its_bad_lines_are_told(world: ApiWorld) -> None:
    text = "Telefon;Name\n030 12345678;Ada\n030/123 456 78;Ada again\n12;Grace\n+12025550117;Joan\n"
    answer = await world.v1("PUT", "/v1/campaigns/c1/lists/a?region=DE", content=text.encode())
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["added"], told["lines"], told["complete"]) == (2, 5, True)
    assert [(fault["line"], fault["kind"]) for fault in told["first_faults"]] == [(3, "duplicate"), (4, "bad_number")]
    contacts = await world.deps.campaigns.contacts("c1")
    assert [(contact.number, contact.variables) for contact in contacts] == [
        ("+493012345678", {"name": "Ada"}),
        ("+12025550117", {"name": "Joan"}),
    ]
    (upload,) = (await world.v1("GET", "/v1/campaigns/c1/lists")).json()["lists"]
    assert upload == told


async def test_json_is_read_and_columns_may_be_left_out(world: ApiWorld) -> None:
    body = '[{"phone": "+493012345678", "name": "Ada", "secret": "x"}, {"phone": "+493012345679"}]'
    answer = await world.v1("PUT", "/v1/campaigns/c1/lists/a?leave_out=secret", content=body.encode())
    assert answer.json()["added"] == 2, answer.text
    assert [contact.variables for contact in await world.deps.campaigns.contacts("c1")] == [{"name": "Ada"}, {}]


async def test_a_list_that_cannot_be_used_is_refused_in_words(world: ApiWorld) -> None:
    answer = await world.v1("PUT", "/v1/campaigns/c1/lists/a", content=b"name,city\nAda,London\n")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:holdfast:problem:unusable-list")
    assert "no column for the number" in answer.json()["detail"]
    assert (await world.v1("PUT", "/v1/campaigns/none/lists/a", content=b"number\n")).status_code == 404


async def test_an_upload_that_was_cut_goes_on_where_it_was_without_its_half_line(world: ApiWorld) -> None:
    lines = ["number,name", *(f"+4930123{number:05},N{number}" for number in range(2_000))]
    data = "\n".join(lines).encode()
    at = urlsplit(world.origin)
    _, writer = await asyncio.open_connection(at.hostname, at.port)
    head = f"PUT /v1/campaigns/c1/lists/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\n"
    writer.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data[: len(data) // 2 + 7])
    await read_until(world, 500)
    writer.close()
    cut = await read_until(world, 900)
    assert (cut["complete"], cut["faults"]) == (False, {})
    assert "list a was cut" in str((await check(world))["problems"])
    told = (await world.v1("PUT", "/v1/campaigns/c1/lists/a", content=data)).json()
    assert (told["added"], told["faults"], told["complete"]) == (2_000, {}, True)
    again = (await world.v1("PUT", "/v1/campaigns/c1/lists/a", content=data)).json()
    assert again == told


async def read_until(world: ApiWorld, lines: int) -> dict[str, Any]:
    """Wait until so many of the list have been read."""
    async with asyncio.timeout(60):
        while True:
            lists = (await world.v1("GET", "/v1/campaigns/c1/lists")).json()["lists"]
            if lists and lists[0]["lines"] >= lines:
                found: dict[str, Any] = lists[0]
                return found


async def check(world: ApiWorld) -> dict[str, object]:
    answer = await world.v1("GET", "/v1/campaigns/c1/check")
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


async def test_a_campaign_that_is_over_takes_no_contacts(world: ApiWorld, database: Database) -> None:
    await SqlCampaignBook(database).keep_phase("c1", CampaignPhase.CANCELED, 1.0, call_off=True)
    answer = await world.v1("PUT", "/v1/campaigns/c1/lists/a", content=b"number\n+493012345678\n")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:holdfast:problem:campaign-over")
