"""holdfast playbook publish, webhooks and letters, against the API itself."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client
from typer.testing import CliRunner

from cli.main import app
from sandbox.state import Fault, SandboxState
from storage.database import Database
from tests.api.after_world import NO_PATIENCE, AfterWorld, after_world
from tests.api.test_after_call import customer
from tests.api.test_playbook_versions import NEW, OLD, publishing
from tests.api.world import API_KEY, ApiWorld
from tests.world.fakes import broken

__all__ = ["customer"]  # a fixture


async def run(world: ApiWorld, *words: str) -> tuple[int, str]:
    """A command's exit code, and what it said; the API logs to the same terminal."""
    env = {"HOLDFAST_API_KEY": API_KEY, "PUBLIC_URL": str(world.client.base_url)}
    result = await asyncio.to_thread(CliRunner().invoke, app, list(words), env=env)
    return result.exit_code, result.output


def line_with(output: str, *words: str) -> str:
    """The one line that holds these words."""
    (line,) = (line for line in output.splitlines() if all(word in line for word in words))
    return line


@pytest.fixture
async def published(world_without_temporal: ApiWorld) -> AsyncIterator[ApiWorld]:
    async with publishing(world_without_temporal) as started:
        yield started


async def test_a_file_is_published_with_its_documents_and_an_older_version_brought_back(
    published: ApiWorld, tmp_path: Path
) -> None:
    file, document = tmp_path / "orders.yaml", tmp_path / "help" / "returns.md"
    document.parent.mkdir()
    document.write_text("# Returns\nWithin 30 days.\n")
    file.write_text(OLD + "knowledge: [help]\n")
    code, said = await run(published, "playbook", "publish", str(file))
    assert code == 0, said
    old = line_with(said, "orders@", "1 documents, 1 of them new or changed").partition(":")[0]
    file.write_text(NEW + "knowledge: [help]\n")
    new = line_with((await run(published, "playbook", "publish", str(file)))[1], "0 of them new").partition(":")[0]
    listed = (await run(published, "playbook", "versions", "orders"))[1]
    assert line_with(listed, new).endswith("newest")
    assert not line_with(listed, old).endswith("newest")
    told = (await run(published, "playbook", "text", old))[1]
    file.write_text(told[told.index("name: orders") :])
    await run(published, "playbook", "publish", str(file))
    assert line_with((await run(published, "playbook", "versions", "orders"))[1], old).endswith("newest")


async def test_of_several_files_none_is_published_if_one_has_a_fault(published: ApiWorld, tmp_path: Path) -> None:
    good, bad = tmp_path / "orders.yaml", tmp_path / "bad.yaml"
    good.write_text(OLD)
    bad.write_text(OLD.replace("greeting:", "greetng:"))
    code, said = await run(published, "playbook", "publish", str(good), str(bad))
    assert code == 2
    assert line_with(said, f"{bad}:4", "did you mean 'greeting'?")
    code, said = await run(published, "playbook", "versions", "orders")
    assert code == 2


async def test_an_endpoint_is_added_listed_tried_out_and_removed(
    world_without_temporal: ApiWorld, customer: tuple[SandboxState, str]
) -> None:
    world, (state, url) = world_without_temporal, customer
    said = (await run(world, "webhooks", "add", url, "--event", "call.ended", "--description", "the shop"))[1]
    line = line_with(said, "we_", url, "call.ended  the shop")
    endpoint = line.split()[0]
    assert line_with(said, "secret: whsec_")
    listed = (await run(world, "webhooks", "list"))[1]
    assert line in listed.splitlines()
    assert "whsec_" not in listed
    code, said = await run(world, "webhooks", "test", endpoint)
    assert (code, "answered 204" in said) == (0, True)
    state.faults.append(Fault("customer", "status", status=500))
    code, said = await run(world, "webhooks", "test", endpoint)
    assert (code, "answered 500" in said) == (1, True)
    failed = (await run(world, "webhooks", "deliveries", endpoint, "--failed"))[1]
    assert line_with(failed, "arrived").split()[1:4] == ["not", "arrived", "webhook.test"]
    assert (await run(world, "webhooks", "remove", endpoint))[0] == 0
    code, said = await run(world, "webhooks", "test", endpoint)
    assert code == 2
    assert line_with(said, "holdfast: No endpoint has this id.")


async def test_an_event_that_there_is_not_is_told_in_one_line(world_without_temporal: ApiWorld) -> None:
    code, said = await run(world_without_temporal, "webhooks", "add", "https://shop.example/", "--event", "call.begun")
    assert code == 2
    assert line_with(said, "holdfast: events/0: ", "call.ended")


@pytest.fixture
async def after(world: ApiWorld, temporal: Client, database: Database) -> AsyncIterator[AfterWorld]:
    async with after_world(world, temporal, database) as started:
        yield started


async def test_what_was_given_up_is_listed_sent_again_or_put_away(after: AfterWorld) -> None:
    world = after.api
    after.calls.crm.note_faults.always = broken("refused", curable=False)
    sent, dismissed = await after.ended(NO_PATIENCE), await after.ended(NO_PATIENCE)
    await after.over(sent)
    await after.over(dismissed)
    listed = (await run(world, "letters", "list"))[1]
    ids = {call: line_with(listed, "dl_", call, "vendor: is refused").split()[0] for call in (sent, dismissed)}
    assert (await run(world, "letters", "dismiss", ids[dismissed]))[0] == 0
    after.calls.crm.note_faults.always = None
    code, said = await run(world, "letters", "resend", "--all")
    assert code == 0
    assert (ids[sent] in said, ids[dismissed] in said) == (True, False)
    await after.seen("/v1/dead-letters", lambda told: told["dead_letters"] == [])
    settled = (await run(world, "letters", "list", "--settled"))[1]
    assert line_with(settled, ids[sent]).split()[1] == "sent"
    assert line_with(settled, ids[dismissed]).split()[1] == "dismissed"
    code, said = await run(world, "letters", "resend", ids[sent])
    assert code == 2
    assert line_with(said, "holdfast: This letter is sent already.")


async def test_nothing_is_sent_again_unless_it_is_told_what(world_without_temporal: ApiWorld) -> None:
    for words in (), ("dl_" + "0" * 24, "--all"):
        code, said = await run(world_without_temporal, "letters", "resend", *words)
        assert code == 2
        assert line_with(said, "tell ids, or --all")
