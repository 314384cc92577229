"""Calls recorded in the past are told the same way by today's workflows: a deploy breaks no live call."""

import re
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from core.contracts import names
from core.outcome import Disposition
from tests.histories.endings import ENDINGS, STORIES
from tests.world.world import call_world
from workflows.after_call import AfterCallWorkflow
from workflows.call import CallWorkflow
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
        workflows=[CallWorkflow, AfterCallWorkflow],
        data_converter=pydantic_data_converter,
        workflow_runner=sandbox(),
    )
    past = WorkflowHistory.from_json(name, history)
    return (await replayer.replay_workflow(past, raise_on_replay_failure=False)).replay_failure
