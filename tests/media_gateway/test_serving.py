"""How a gateway stops: live calls first."""

import asyncio
import os
import signal

from websockets.exceptions import InvalidStatus

from core.contracts import names
from core.turns import EndOfTurn
from tests.media_gateway.conftest import RunningGateway, StartCall, StartGateway


async def refusal(gateway: RunningGateway) -> int:
    """The status with which new streams are refused, once they are."""
    async with asyncio.timeout(5):
        while True:
            try:
                carrier = await gateway.carrier()
            except InvalidStatus as refused:
                return refused.response.status_code
            await carrier.drop()


async def test_a_gateway_told_to_stop_takes_no_new_streams_and_lets_live_ones_go_on(
    start_gateway: StartGateway, start_call: StartCall
) -> None:
    gateway = await start_gateway(drain=60.0)
    call = await start_call(at=gateway)
    gateway.stop.set()
    assert await refusal(gateway) == 503
    (await gateway.recogniser.stream()).say(EndOfTurn("still talking", 0.9))
    await call.told(names.CALLER_TURN)
    assert not gateway.serving.done()
    await call.carrier.hang_up()
    await gateway.serving
    (ended,) = await call.told(names.STREAM_ENDED)
    assert ended["stopped"]


async def test_streams_that_outlast_the_grace_are_closed_from_our_side(
    start_gateway: StartGateway, start_call: StartCall
) -> None:
    gateway = await start_gateway(drain=0.1)
    call = await start_call(at=gateway)
    gateway.stop.set()
    assert await call.carrier.closed() == 1000
    (ended,) = await call.told(names.STREAM_ENDED)
    assert not ended["stopped"]
    await gateway.serving


async def test_sigterm_drains_and_a_second_one_hurries(start_gateway: StartGateway, start_call: StartCall) -> None:
    gateway = await start_gateway(drain=60.0)
    call = await start_call(at=gateway)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await refusal(gateway) == 503
    os.kill(os.getpid(), signal.SIGTERM)
    assert await call.carrier.closed() == 1000
    await gateway.serving
