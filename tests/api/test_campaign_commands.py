"""holdfast campaign and holdfast dnc, against the API itself."""

import json
from pathlib import Path

from core.contracts.campaign import CampaignPhase
from storage.campaign_rounds import SqlCampaignBook
from storage.database import Database
from tests.api.test_rest_commands import line_with, run
from tests.api.world import ApiWorld


async def draft(world: ApiWorld, *options: str) -> str:
    code, said = await run(world, "campaign", "create", "Renewals", "--playbook", "renewal", *options)
    assert code == 0, said
    return next(line for line in said.splitlines() if line.startswith("c") and line.isalnum())


async def test_a_list_is_uploaded_checked_and_its_results_exported(
    world_without_temporal: ApiWorld, tmp_path: Path
) -> None:
    world = world_without_temporal
    campaign = await draft(world, "--no-consent", "--hours", "09:00-12:00", "--hours", "14:00-18:00")
    file, results = tmp_path / "list.csv", tmp_path / "results.csv"
    file.write_text("Telefon;Name\n030 12345678;Ada\n12;Grace\n+12025550117;Joan\n")
    code, said = await run(world, "campaign", "upload", campaign, str(file), "--region", "DE", "--name", "monday")
    assert code == 1
    assert line_with(said, "2 contacts added (1 bad_number)")
    assert line_with(said, "monday, line 3: bad_number")
    said = (await run(world, "campaign", "check", campaign))[1]
    assert line_with(said, "contacts        2")
    assert line_with(said, "! list monday: 1 line cannot be used")
    assert (await run(world, "campaign", "results", campaign, "--file", str(results)))[0] == 0
    assert [line.split(",")[1] for line in results.read_text().splitlines()] == [
        "number",
        "+493012345678",
        "+12025550117",
    ]
    assert (await run(world, "campaign", "results", campaign, "--format", "json", "--file", str(results)))[0] == 0
    first, _ = map(json.loads, results.read_text().splitlines())
    assert (first["variables"], first["attempts"]) == ({"name": "Ada"}, [])


async def test_sending_the_same_file_again_adds_nothing(world_without_temporal: ApiWorld, tmp_path: Path) -> None:
    world = world_without_temporal
    campaign = await draft(world)
    file = tmp_path / "list.csv"
    file.write_text("number,consent\n+493012345678,yes\n")
    for _ in range(2):
        code, said = await run(world, "campaign", "upload", campaign, str(file))
        assert code == 0, said
        assert line_with(said, "1 contacts added")
    assert len(await world.deps.campaigns.contacts(campaign)) == 1


async def test_the_pace_is_changed_and_campaigns_are_listed(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    campaign = await draft(world)
    assert (await run(world, "campaign", "pace", campaign, "20"))[0] == 0
    assert line_with((await run(world, "campaign", "list"))[1], campaign, "draft", "Renewals")
    found = await world.deps.campaigns.campaign(campaign)
    assert found is not None
    assert found.settings.pace.in_flight == 20


async def test_watching_ends_when_the_campaign_is_over(world_without_temporal: ApiWorld, database: Database) -> None:
    world = world_without_temporal
    campaign = await draft(world)
    await SqlCampaignBook(database).keep_phase(campaign, CampaignPhase.CANCELED, 1.0, call_off=True)
    code, said = await run(world, "campaign", "watch", campaign)
    assert code == 0, said
    assert line_with(said, "canceled 0/0", "0 in flight")


async def test_what_the_api_refuses_is_one_line(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    campaign = await draft(world)
    for words, why in (
        (("pause", campaign), "not started yet"),
        (("watch", "c1"), "No campaign has this id"),
        (("results", "c1"), "No campaign has this id"),
        (("upload", campaign, "/nowhere.csv"), "/nowhere.csv"),
        (("create", "x", "--playbook", "renewal", "--hours", "noon"), "must be as in"),
    ):
        code, said = await run(world, "campaign", *words)
        assert code == 2, said
        assert why in said


async def test_a_number_is_forbidden_and_allowed_again(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    assert (await run(world, "dnc", "add", "+493012345678", "--reason", "by letter"))[0] == 0
    assert line_with((await run(world, "dnc", "list"))[1], "+493012345678", "tenant:default", "by letter")
    assert (await run(world, "dnc", "remove", "+493012345678", "--reason", "a mistake"))[0] == 0
    assert "by letter" not in (await run(world, "dnc", "list"))[1]
    assert line_with((await run(world, "dnc", "list", "+493012345678"))[1], "removed", "by letter")
    said = (await run(world, "dnc", "log"))[1]
    assert line_with(said, "+493012345678", "allowed", "tenant:default", "a mistake")
    assert line_with(said, "+493012345678", "forbidden", "by letter")
