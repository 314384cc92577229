"""What callers hear when no gateway has room for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from api.gateway_room import GatewayRoom
from api.temporal import Temporal
from core.contracts.names import CALLS_QUEUE
from storage.database import Database
from tests.api.recording_call import RecordingCall
from tests.api.world import ApiWorld, api_world, verb, verbs
from tests.temporal_server import TemporalServer, free_port

FULL, ROOM = b"503 Service Unavailable", b"200 OK"


@asynccontextmanager
async def gateways(*answers: bytes) -> AsyncIterator[str]:
    """What stands where media streams go; the last answer again and again."""
    left = list(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        assert request.startswith(b"GET /twilio/media ")
        status = left.pop(0) if len(left) > 1 else left[0]
        writer.write(b"HTTP/1.1 %b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def api_before(
    media_url: str,
    server: TemporalServer,
    client: Client,
    database: Database,
    *,
    patience_s: float = 0.0,
    overflow_number: str | None = None,
) -> AsyncIterator[ApiWorld]:
    """An API in front of these gateways."""
    room = GatewayRoom(media_url, patience_s)
    await room.start()
    reach = Temporal.at(server.address, deadline=5.0)
    async with (
        Worker(client, task_queue=CALLS_QUEUE, workflows=[RecordingCall], workflow_runner=UnsandboxedWorkflowRunner()),
        api_world(reach, client, database, room=room, overflow_number=overflow_number) as world,
    ):
        yield world
        for call_id in world.started:
            if await world.deps.temporal.is_running(call_id):
                await world.workflow(call_id).terminate()
    await room.close()


async def test_a_caller_for_whom_no_gateway_has_room_hears_the_busy_tone_and_no_call_begins(
    temporal_server: TemporalServer, temporal: Client, database: Database
) -> None:
    async with gateways(FULL) as media, api_before(media, temporal_server, temporal, database) as world:
        sid, answer = await world.incoming()
        assert verbs(answer) == ["Reject"]
        assert verb(answer, "Reject").get("reason") == "busy"
        assert not await world.deps.temporal.is_running(sid)


async def test_the_overflow_number_takes_such_callers_where_there_is_one(
    temporal_server: TemporalServer, temporal: Client, database: Database
) -> None:
    overflow = "+12025550199"
    async with (
        gateways(FULL) as media,
        api_before(media, temporal_server, temporal, database, overflow_number=overflow) as world,
    ):
        _, answer = await world.incoming()
        assert verbs(answer) == ["Say", "Dial"]
        assert verb(answer, "Dial").text == overflow


@pytest.mark.parametrize("answers", [(ROOM,), (FULL, ROOM)], ids=["at once", "after a moment"])
async def test_a_caller_is_let_in_as_soon_as_there_is_room(
    answers: tuple[bytes, ...], temporal_server: TemporalServer, temporal: Client, database: Database
) -> None:
    async with (
        gateways(*answers) as media,
        api_before(media, temporal_server, temporal, database, patience_s=30.0) as world,
    ):
        _, answer = await world.incoming()
        assert verbs(answer) == ["Connect", "Redirect"]


async def test_gateways_that_cannot_be_asked_keep_nobody_out(
    temporal_server: TemporalServer, temporal: Client, database: Database
) -> None:
    nowhere = f"ws://127.0.0.1:{free_port()}"
    async with api_before(nowhere, temporal_server, temporal, database) as world:
        _, answer = await world.incoming()
        assert verbs(answer) == ["Connect", "Redirect"]
