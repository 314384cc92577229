"""The API's world."""

import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from api.temporal import Temporal
from core.contracts.names import CALLS_QUEUE
from storage.database import Database
from storage.migrate import migrate
from tests.api.recording_call import RecordingCall
from tests.api.world import ApiWorld, api_world
from tests.temporal_server import TemporalServer, free_port

_TEMPLATE: dict[str, Path] = {}


@pytest.fixture
async def database(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    """A migrated SQLite file of the test's own."""
    if "file" not in _TEMPLATE:
        file = tmp_path_factory.mktemp("template") / "template.db"
        await migrate(f"sqlite+aiosqlite:///{file}")
        _TEMPLATE["file"] = file
    file = tmp_path / "calls.db"
    shutil.copy(_TEMPLATE["file"], file)
    database = Database(f"sqlite+aiosqlite:///{file}")
    yield database
    await database.close()


@pytest.fixture
async def world(temporal_server: TemporalServer, temporal: Client, database: Database) -> AsyncIterator[ApiWorld]:
    """Everything up."""
    reach = Temporal.at(
        temporal_server.address, deadline=20.0, update_deadline=20.0, task=10.0
    )  # the machine is shared
    async with (
        Worker(
            temporal, task_queue=CALLS_QUEUE, workflows=[RecordingCall], workflow_runner=UnsandboxedWorkflowRunner()
        ),
        api_world(reach, temporal, database) as world,
    ):
        yield world
        for call_id in world.started:
            with suppress(RPCError):
                await world.workflow(call_id).terminate()


@pytest.fixture
async def world_without_temporal(temporal: Client, database: Database) -> AsyncIterator[ApiWorld]:
    """No server where the API looks for one; nobody to call instead."""
    reach = Temporal.at(f"127.0.0.1:{free_port()}")
    async with api_world(reach, temporal, database) as world:
        yield world
