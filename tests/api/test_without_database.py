"""The API while its database is away."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from api.temporal import Temporal
from storage.database import Database
from tests.api.world import ApiWorld, api_world
from tests.temporal_server import TemporalServer, free_port


@pytest.fixture
async def world_without_database(temporal_server: TemporalServer, temporal: Client) -> AsyncIterator[ApiWorld]:
    """Nobody listens where the API looks for PostgreSQL."""
    nowhere = Database(f"postgresql+asyncpg://holdfast@127.0.0.1:{free_port()}/none")
    async with api_world(Temporal.at(temporal_server.address, deadline=5.0), temporal, nowhere) as world:
        world.shelf.away = True
        yield world
    await nowhere.close()


async def test_what_needs_the_database_asks_to_be_tried_again(world_without_database: ApiWorld) -> None:
    for method, path in (
        ("GET", "/v1/calls"),
        ("GET", "/v1/calls/CA1"),
        ("GET", "/v1/calls/CA1/events"),
        ("GET", "/v1/events"),
        ("GET", "/v1/playbooks"),
        ("POST", "/v1/calls"),
    ):
        body = {"to": "+15550100", "playbook": "renewal"} if method == "POST" else None
        answer = await world_without_database.v1(method, path, json=body)
        assert (path, answer.status_code) == (path, 503)
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["type"] == "urn:holdfast:problem:storage-unavailable"


async def test_it_says_that_it_lives_but_is_not_ready(world_without_database: ApiWorld) -> None:
    assert (await world_without_database.client.get("/healthz")).status_code == 200
    ready = await world_without_database.client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["temporal"]["ok"] is True
    assert ready.json()["checks"]["database"]["ok"] is False
