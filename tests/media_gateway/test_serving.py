"""How a gateway stops: live calls first."""

import asyncio
import os
import signal
from dataclasses import replace

from websockets.exceptions import InvalidStatus

from core.contracts import names
from core.contracts.call import ReplyKey
from core.turns import EndOfTurn, Interim, Listen, SpeechStarted
from media_gateway.playback_client import PlaybackClient
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
    gateway = await start_gateway(drain=0.1, rest=0.1)
    call = await start_call(at=gateway)  # whose greeting is due
    gateway.stop.set()
    assert await call.carrier.closed() == 1000
    (ended,) = await call.told(names.STREAM_ENDED)
    assert not ended["stopped"]
    await gateway.serving


async def test_a_call_is_handed_over_once_nobody_speaks_and_no_answer_is_due(
    start_gateway: StartGateway, start_call: StartCall, playback: PlaybackClient
) -> None:
    gateway = await start_gateway(rest=20.0)
    call = await start_call(at=gateway)
    gateway.stop.set()
    assert await refusal(gateway) == 503
    async with playback.open(call.id, call.address, ReplyKey(call.address.attachment, 0, 0, 1), Listen()) as reply:
        reply.push(0, b"\x7e" * 4_000, (), last=True, text="Half a second.")
        reply.finish(hear=True)
        await call.carrier.has("mark", 2)
        await call.carrier.return_marks()
        heard = await reply.heard()
    assert heard is not None
    assert heard.complete
    assert await call.carrier.closed() == 1000
    (ended,) = await call.told(names.STREAM_ENDED)
    assert ended["handed_over"]
    await gateway.serving


async def test_an_answer_in_whose_midst_a_call_is_handed_over_is_told_as_far_as_it_was_heard(
    start_gateway: StartGateway, start_call: StartCall, playback: PlaybackClient
) -> None:
    gateway = await start_gateway(drain=60.0)
    call = await start_call(at=gateway)
    async with playback.open(call.id, call.address, ReplyKey(call.address.attachment, 0, 0, 1), Listen()) as reply:
        reply.push(0, b"\x7e" * 4_000, (), last=True, text="Half a second.")
        reply.push(1, b"\x7e" * 400_000, (), last=True, text="And a minute.")
        reply.finish(hear=True)
        await call.carrier.has("mark", 2)
        await call.carrier.return_marks()
        gateway.stop.set()
        assert await refusal(gateway) == 503
        os.kill(os.getpid(), signal.SIGTERM)  # it cannot wait
        await reply.wait_closed()
    (report,) = await call.told(names.PLAYBACK_REPORT)
    assert (report["complete"], report["interrupted"]) == (False, False)
    assert report["heard"].startswith("Half a second.")
    (ended,) = await call.told(names.STREAM_ENDED)
    assert ended["handed_over"]
    await call.carrier.has("clear")
    assert await call.carrier.closed() == 1000
    await gateway.serving


async def test_a_call_that_is_handed_over_while_its_caller_speaks_was_cut_off(
    start_gateway: StartGateway, start_call: StartCall
) -> None:
    gateway = await start_gateway(drain=0.1, rest=0.1)
    call = await start_call(at=gateway)
    (await gateway.recogniser.stream()).say(SpeechStarted(), Interim("Where is"))
    gateway.stop.set()
    assert await call.carrier.closed() == 1000
    (ended,) = await call.told(names.STREAM_ENDED)
    assert not ended["handed_over"], "they are to be asked for it"
    await gateway.serving


async def test_a_call_is_not_handed_over_between_two_sentences_of_what_is_said_unasked(
    start_gateway: StartGateway, start_call: StartCall, playback: PlaybackClient
) -> None:
    gateway = await start_gateway(rest=20.0)
    call = await start_call(at=gateway)
    key = ReplyKey(call.address.attachment, 0, 0, 1)
    async with playback.open(call.id, call.address, key, Listen()) as greeting:
        greeting.push(0, b"\x7e" * 4_000, (), last=True, text="Half a second.")
        greeting.finish(hear=True)
        await call.carrier.has("mark", 2)
        await call.carrier.return_marks()
        assert await greeting.heard() is not None
    async with playback.open(call.id, call.address, replace(key, part=1), Listen()) as reply:
        reply.push(0, b"\x7e" * 4_000, (), last=True, text="Another one.")
        await call.carrier.has("mark", 4)
        await call.carrier.return_marks()
        gateway.stop.set()
        assert await refusal(gateway) == 503  # it looks for quiet calls from now on
        reply.push(1, b"\x7e" * 4_000, (), last=True, text="And one more.")
        reply.finish(hear=True)
        await call.carrier.has("mark", 6)
        await call.carrier.return_marks()
        heard = await reply.heard()
    assert heard is not None
    assert heard.complete
    assert await call.carrier.closed() == 1000
    await gateway.serving


async def test_sigterm_drains_and_a_second_one_hurries(start_gateway: StartGateway, start_call: StartCall) -> None:
    gateway = await start_gateway(drain=60.0)
    call = await start_call(at=gateway)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await refusal(gateway) == 503
    os.kill(os.getpid(), signal.SIGTERM)
    assert await call.carrier.closed() == 1000
    await gateway.serving
