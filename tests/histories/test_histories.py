"""Calls recorded in the past are told the same way by today's workflows: a deploy breaks no live call."""

import re
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowContinuedAsNewError, WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from core.contracts import names
from core.contracts.campaign import CampaignInput
from core.outcome import Disposition
from tests.histories.endings import ENDINGS, STORIES
from tests.world.campaign_fakes import BusyCampaigns
from tests.world.world import CallWorld, call_world, workers_of
from workflows.after_call import AfterCallWorkflow
from workflows.call import CallWorkflow
from workflows.campaign import CampaignWorkflow
from workflows.worker import sandbox

FOLDER = Path(__file__).parent
STACK_TRACE = r'"stackTrace": "(?:[^"\\]|\\.)*"'
RECORDED = sorted(path.stem for path in FOLDER.glob("*.json"))


@pytest.mark.parametrize("disposition", list(Disposition))
async def test_record(disposition: Disposition, temporal: Client, request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--record-histories", default=False):
        assert (FOLDER / f"{disposition.value}.json").exists(), "pytest tests/histories --record-histories"
        return
    async with call_world(temporal) as world:
        call = await ENDINGS[disposition](world)
        assert await call.disposition() is disposition
        await _keep(call.handle, disposition.value)
        await call.after_call()
        if disposition is Disposition.COMPLETED:
            await _keep(temporal.get_workflow_handle(names.after_call_workflow_id(call.id)), "after_call_in_place")


@pytest.mark.parametrize("story", list(STORIES))
async def test_record_story(story: str, temporal: Client, request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--record-histories", default=False):
        assert (FOLDER / f"{story}.json").exists(), "pytest tests/histories --record-histories"
        return
    async with call_world(temporal) as world:
        call = await STORIES[story](world)
        await call.result()
        await _keep(call.handle, story)


async def test_record_campaign(temporal: Client, request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--record-histories", default=False):
        assert (FOLDER / "campaign.json").exists(), "pytest tests/histories --record-histories"
        return
    world = CallWorld(temporal)
    world.campaigns = BusyCampaigns()
    async with workers_of(world):
        campaign = await temporal.start_workflow(
            names.CAMPAIGN_WORKFLOW,
            CampaignInput("c1", tick_s=0.05, rounds=3),
            id=names.campaign_workflow_id("c1"),
            task_queue=names.CAMPAIGNS_QUEUE,
        )
        await campaign.execute_update(names.PAUSE_CAMPAIGN)
        await campaign.execute_update(names.RESUME_CAMPAIGN)
        first_run = temporal.get_workflow_handle(campaign.id, run_id=campaign.result_run_id)
        with pytest.raises(WorkflowContinuedAsNewError):
            await first_run.result(follow_runs=False)
        await campaign.terminate()
    await _keep(first_run, "campaign")


async def _keep(handle: WorkflowHandle[object, object], name: str) -> None:
    history = (await handle.fetch_history()).to_json()
    (FOLDER / f"{name}.json").write_text(re.sub(STACK_TRACE, '"stackTrace": ""', history))  # it names this machine


@pytest.mark.parametrize("name", RECORDED)
async def test_recorded_call_replays(name: str) -> None:
    assert await _replay(name, _recorded(name)) is None


async def test_replay_notices_a_changed_story() -> None:
    changed = _recorded("completed").replace('"respond"', '"speak_line"')
    assert isinstance(await _replay("changed", changed), NondeterminismError)


def _recorded(name: str) -> str:
    return (FOLDER / f"{name}.json").read_text()


async def _replay(name: str, history: str) -> Exception | None:
    replayer = Replayer(
        workflows=[CallWorkflow, AfterCallWorkflow, CampaignWorkflow],
        data_converter=pydantic_data_converter,
        workflow_runner=sandbox(),
    )
    past = WorkflowHistory.from_json(name, history)
    return (await replayer.replay_workflow(past, raise_on_replay_failure=False)).replay_failure
