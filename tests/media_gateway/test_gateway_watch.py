"""A worker learns of gateways that die, and tells the calls that were there."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from temporalio.client import Client

from cli.lost_calls import telling_lost_calls
from core.contracts import names
from core.contracts.call import GatewayAddress, ReplyKey
from core.ports.playback import LostCall
from core.turns import Listen
from media_gateway.playback_client import PlaybackClient
from tests.media_gateway.conftest import Call, StartCall, StartGateway
from tests.storage.proxy import CutWire


@pytest.fixture
async def wire(start_call: StartCall) -> AsyncIterator[tuple[Call, CutWire, GatewayAddress]]:
    """A call, and a way to its gateway that can be cut."""
    call = await start_call()
    wire = CutWire(int(call.gateway.internal.rpartition(":")[2]))
    await wire.mend()
    url = call.address.playback_url.replace(call.gateway.internal, f"127.0.0.1:{wire.port}")
    yield call, wire, replace(call.address, playback_url=url)
    await wire.cut()


async def speak(worker: PlaybackClient, call_id: str, at: GatewayAddress) -> None:
    """A whole reply; then only the caller speaks."""
    async with worker.open(call_id, at, ReplyKey(at.attachment, 0, 0, 1), Listen()) as reply:
        await reply.kept()
        reply.finish(hear=False)


async def test_a_gateway_that_dies_while_only_the_caller_speaks_is_told_to_its_calls(
    wire: tuple[Call, CutWire, GatewayAddress], playback: PlaybackClient, temporal: Client
) -> None:
    call, way, address = wire
    async with telling_lost_calls(playback.watch, temporal):
        await speak(playback, call.id, address)
        await way.cut()
        (lost,) = await call.told(names.GATEWAY_LOST)
    assert lost["attachment"] == call.address.attachment


async def test_a_broken_socket_is_opened_again_and_only_calls_that_are_not_there_any_more_are_told(
    wire: tuple[Call, CutWire, GatewayAddress],
    start_gateway: StartGateway,
    start_call: StartCall,
    playback: PlaybackClient,
) -> None:
    call, way, address = wire
    handed_over = await start_call(at=await start_gateway())
    await speak(playback, handed_over.id, handed_over.address)
    handed_over.gateway.stop.set()
    await handed_over.gateway.serving  # it says goodbye
    await speak(playback, call.id, address)
    await speak(playback, "gone since", replace(address, attachment=7))
    way.drop()
    assert await playback.watch.lost_call() == LostCall("gone since", 7)
    await speak(playback, call.id, address)
    await way.cut()
    assert await playback.watch.lost_call() == LostCall(call.id, address.attachment)
