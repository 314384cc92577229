"""Two versions of the workflows at once: calls end where they began, new calls begin with the current one."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowContinuedAsNewError
from typer.testing import CliRunner

from cli.deployment import (
    NoWorkers,
    Stage,
    Version,
    current_version,
    make_current,
    make_none_current,
    trouble,
    versions,
)
from cli.main import app
from core.contracts import names
from core.contracts.campaign import CampaignInput
from tests.temporal_server import TemporalServer
from tests.world.campaign_fakes import BusyCampaigns
from tests.world.fakes import broken
from tests.world.world import CallWorld, ScriptedCall, workers_of
from workflows.fingerprint import build_id

PATIENCE_S = 60.0
OLD, NEW = "0ld000000000", "4e4000000000"  # the same in all tests: Temporal takes seconds to get to know a version


@pytest.fixture(scope="module")
def server(temporal_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalServer]:
    """One of this module's own: a current version holds for all workers of a server."""
    own = TemporalServer(temporal_binary, tmp_path_factory.mktemp("temporal") / "temporal.db")
    own.start()
    yield own
    own.stop()


@pytest.fixture
async def world(server: TemporalServer) -> AsyncIterator[CallWorld]:
    """A world without workers."""
    world = CallWorld(await server.connect())
    yield world
    await world.close()


async def test_a_call_ends_with_the_version_it_began_with_while_new_calls_begin_with_the_next(world: CallWorld) -> None:
    async with workers_of(world, OLD), workers_of(world, NEW):
        await make_current(world.client, OLD, PATIENCE_S)
        before = await world.answered_call()
        await make_current(world.client, NEW, PATIENCE_S)
        after = await world.answered_call()
        assert await before.asks("Is my order there?") == await after.asks("Is my order there?")
        for call in (before, after):
            await call.hangs_up()
            await call.result()
    assert await worked_on(before) == {OLD}
    assert await worked_on(after) == {NEW}


async def test_another_worker_of_its_version_goes_on_with_a_call_whose_worker_is_gone(world: CallWorld) -> None:
    async with workers_of(world, OLD):
        await make_current(world.client, OLD, PATIENCE_S)
        call = await world.answered_call()
    async with workers_of(world, NEW):
        await make_current(world.client, NEW, PATIENCE_S)
        async with workers_of(world, OLD):
            await call.asks("Is my order there?")
            await call.hangs_up()
            await call.result()
    assert await worked_on(call) == {OLD}


async def test_a_call_from_before_there_were_versions_goes_on_with_the_current_one(world: CallWorld) -> None:
    await make_none_current(world.client)
    async with workers_of(world):
        call = await world.answered_call()
    async with workers_of(world, OLD):
        await make_current(world.client, OLD, PATIENCE_S)
        await call.asks("Is my order there?")
    assert await worked_on(call) == {"", OLD}


async def test_a_campaign_goes_over_to_the_next_version_and_on_as_a_new_run_there(world: CallWorld) -> None:
    world.campaigns = BusyCampaigns()
    async with workers_of(world, OLD), workers_of(world, NEW):
        await make_current(world.client, OLD, PATIENCE_S)
        campaign = await world.client.start_workflow(
            names.CAMPAIGN_WORKFLOW,
            CampaignInput("c1", tick_s=0.05, rounds=2),
            id=names.campaign_workflow_id("c1"),
            task_queue=names.CAMPAIGNS_QUEUE,
        )
        run = await next_run(world.client, campaign.id, campaign.result_run_id)
        assert await workers_in(world.client, campaign.id, campaign.result_run_id) == {OLD}
        await make_current(world.client, NEW, PATIENCE_S)
        told: set[str] = set()
        async with asyncio.timeout(PATIENCE_S):
            while told != {NEW}:
                ended, run = run, await next_run(world.client, campaign.id, run)
                told = await workers_in(world.client, campaign.id, ended)
        await campaign.terminate()


async def test_what_follows_a_call_goes_over_to_the_next_version(world: CallWorld) -> None:
    async with workers_of(world, OLD), workers_of(world, NEW):
        await make_current(world.client, OLD, PATIENCE_S)
        call = await world.answered_call()
        await make_current(world.client, NEW, PATIENCE_S)
        world.after_calls.keep_faults.coming.extend([broken("unavailable")] * 3)  # so that it takes a while
        await call.hangs_up()
        await call.result()
        await call.after_call()
    follows = names.after_call_workflow_id(call.id)
    assert await workers_in(world.client, follows) == {OLD, NEW}  # begun by the call, at its worker


async def test_a_version_nobody_works_for_does_not_become_the_current_one(world: CallWorld) -> None:
    async with workers_of(world, OLD):
        await make_current(world.client, OLD, PATIENCE_S)
        with pytest.raises(NoWorkers, match=r"unheard-of .* on calls, after-calls, campaigns"):
            await make_current(world.client, "unheard-of", 2.0)
    assert await current_version(world.client) == OLD


async def test_who_asks_is_told_which_version_is_current_and_which_others_have_calls(world: CallWorld) -> None:
    async with workers_of(world, OLD), workers_of(world, NEW):
        await make_current(world.client, OLD, PATIENCE_S)
        await world.answered_call()
        await world.answered_call()
        await make_current(world.client, NEW, PATIENCE_S)
        async with asyncio.timeout(PATIENCE_S):  # what is told of workflows may be a second late
            while calls_of(found := await versions(world.client)) != {OLD: 2, NEW: 0}:
                pass
    assert {one.build_id: one.stage for one in found} == {OLD: Stage.DRAINING, NEW: Stage.CURRENT}
    assert [one.workers for one in found] == [{"calls": 1, "after-calls": 1, "campaigns": 1}] * 2


def calls_of(found: Sequence[Version]) -> dict[str, int]:
    """How many calls each version has."""
    return {one.build_id: one.calls for one in found}


async def test_who_asks_is_told_why_calls_would_wait_in_vain(world: CallWorld) -> None:
    async with workers_of(world, OLD):
        await make_current(world.client, OLD, PATIENCE_S)
    assert await trouble(world.client, versioned=True) is None
    assert "deploy current --none" in (await trouble(world.client, versioned=False) or "")
    await make_none_current(world.client)
    assert "run holdfast deploy current" in (await trouble(world.client, versioned=True) or "")
    assert await trouble(world.client, versioned=False) is None


def test_operators_do_all_of_it_by_command(server: TemporalServer) -> None:
    async def work_for_the_old() -> None:
        world = CallWorld(await server.connect())
        async with workers_of(world, OLD):
            await make_current(world.client, OLD, PATIENCE_S)

    def deploy(*arguments: str) -> tuple[int, str]:
        ran = CliRunner().invoke(
            app, ["deploy", *arguments], env={"TEMPORAL_ADDRESS": server.address, "COLUMNS": "200"}
        )
        return ran.exit_code, ran.output

    assert deploy("id") == (0, f"{build_id()}\n")
    asyncio.run(work_for_the_old())
    code, told = deploy("versions")
    [line] = [line for line in told.splitlines() if line.startswith(OLD)]
    assert (code, line.split()) == (0, [OLD, "current", "0", "1", "1", "1"])
    assert deploy("drained", OLD)[0] == 1
    code, told = deploy("current", "unheard-of", "--wait", "1")
    assert (code, told.startswith("holdfast: no worker of version unheard-of")) == (2, True)
    assert deploy("current", OLD) == (0, f"new calls begin with {OLD}\n")
    assert deploy("current", "--none") == (0, "new calls go to workers without versions\n")
    assert deploy("drained", "unheard-of") == (0, "")


def test_a_server_that_is_away_is_told_in_one_line() -> None:
    ran = CliRunner().invoke(app, ["deploy", "versions"], env={"TEMPORAL_ADDRESS": "127.0.0.1:9"})
    assert ran.exit_code == 2
    assert ran.output.startswith("holdfast: TEMPORAL_ADDRESS: cannot use 127.0.0.1:9")


async def worked_on(call: ScriptedCall) -> set[str]:
    """The versions whose workers told the call's story; "" is none."""
    return await workers_in(call.world.client, call.handle.id)


async def workers_in(client: Client, workflow: str, run: str | None = None) -> set[str]:
    """The versions whose workers told a workflow's story."""
    found = set()
    async for event in client.get_workflow_handle(workflow, run_id=run).fetch_history_events():
        if event.HasField("workflow_task_completed_event_attributes"):
            found.add(event.workflow_task_completed_event_attributes.deployment_version.build_id)
    return found


async def next_run(client: Client, workflow: str, run: str | None) -> str:
    """The run that a run goes on as."""
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(WorkflowContinuedAsNewError) as ended:
            await client.get_workflow_handle(workflow, run_id=run).result(follow_runs=False)
    return ended.value.new_execution_run_id
