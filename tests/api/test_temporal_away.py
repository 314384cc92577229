"""Deadlines towards Temporal, and coming back."""

import asyncio

import pytest
from temporalio.client import Client

from api.temporal import Temporal, TemporalUnavailable
from storage.database import Database
from tests.api.world import api_world, verbs
from tests.temporal_server import TemporalServer


async def test_a_server_that_accepts_and_says_nothing_counts_as_away() -> None:
    hung_up = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hung_up.wait()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    temporal = Temporal.at(f"127.0.0.1:{port}", deadline=0.2)
    started = asyncio.get_running_loop().time()
    asked = await asyncio.gather(*(temporal.is_running(f"CA{n}") for n in range(5)), return_exceptions=True)
    assert asyncio.get_running_loop().time() - started < 2.0  # all at once, none after the other
    assert {type(answer) for answer in asked} == {TemporalUnavailable}
    hung_up.set()
    silent.close()


async def test_it_is_found_again_when_it_comes_back(own_temporal_server: TemporalServer) -> None:
    own_temporal_server.stop()
    temporal = Temporal.at(own_temporal_server.address, deadline=5.0)
    with pytest.raises(TemporalUnavailable):
        await temporal.check()
    own_temporal_server.start()
    await temporal.check()
    own_temporal_server.stop()
    with pytest.raises(TemporalUnavailable):
        await temporal.check()
    own_temporal_server.start()
    await temporal.check()


async def test_without_a_worker_a_call_is_answered_and_can_only_not_go_on(
    temporal_server: TemporalServer, temporal: Client, database: Database
) -> None:
    reach = Temporal.at(temporal_server.address, deadline=5.0, update_deadline=0.2)
    async with api_world(reach, temporal, database) as world:
        sid, answer = await world.incoming()
        assert verbs(answer) == ["Connect", "Redirect"]
        held = await world.twilio("resume", {"CallSid": sid}, {"call_id": sid})
        assert verbs(held) == ["Say", "Pause", "Redirect"]
        assert (await world.v1("POST", f"/v1/calls/{sid}/say", json={"text": "Hello?"})).status_code == 503
        await world.workflow(sid).terminate()
