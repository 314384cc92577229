"""A caller who waits hears something, whichever part stalls; over real sockets."""

import re

import httpx

from core.contracts import names
from core.contracts.call import ReplyKey
from core.turns import EndOfTurn, Listen
from media_gateway.holding import TONE
from media_gateway.playback_client import PlaybackClient
from tests.media_gateway.conftest import StartCall, StartGateway

LINES = [("One moment.", b"\x11" * 800), ("Still here.", b"\x22" * 800)]


async def test_a_caller_whose_answer_does_not_come_hears_one_holding_line_after_the_other_and_the_call_is_told(
    start_gateway: StartGateway, start_call: StartCall, playback: PlaybackClient
) -> None:
    gateway = await start_gateway(dead_air=0.1, answer=0.3)
    call = await start_call(at=gateway)
    await playback.keep_holding_lines(call.id, call.address, LINES)
    async with playback.open(call.id, call.address, ReplyKey(call.address.attachment, 0, 0, 1), Listen()) as reply:
        await reply.kept()
        reply.push(0, b"\x33" * 800, (), last=True, text="Hello?")
        reply.finish(hear=True)
        await call.carrier.plays_until(reply.heard())
    (await gateway.recogniser.stream()).say(EndOfTurn("where is my order?", 0.9))
    await call.told(names.CALLER_TURN)
    overdue = call.carrier.quiet_until(call.told(names.ANSWER_OVERDUE))
    (told,) = await call.carrier.plays_until(overdue)
    assert told["stage"] == "turn_accepted"
    assert told["waited_ms"] >= 300
    heard = call.carrier.audio()[800:]
    assert [heard[:800], heard[800:1_600]] == [LINES[0][1], LINES[1][1]]
    assert "turn_accepted" in str(gateway.feed.of_kind("problem"))
    async with httpx.AsyncClient(trust_env=False) as http:
        metrics = (await http.get(f"http://{gateway.media}/metrics")).text
    (counted,) = re.findall(r'holdfast_gateway_dead_air_total{stage="turn_accepted"} (\S+)', metrics)
    assert float(counted) >= 2


async def test_a_stream_on_which_nobody_ever_speaks_has_at_least_a_tone(
    start_gateway: StartGateway, start_call: StartCall
) -> None:
    call = await start_call(at=await start_gateway(dead_air=0.1))
    heard = await call.carrier.quiet_until(call.carrier.has_audio(len(TONE)))
    assert heard.startswith(TONE)


async def test_a_filler_is_no_answer(
    start_gateway: StartGateway, start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call(at=await start_gateway(dead_air=0.1))
    await playback.keep_holding_lines(call.id, call.address, LINES)
    key = ReplyKey(call.address.attachment, 0, 0, 1)
    async with playback.open(call.id, call.address, key, Listen(more=True)) as reply:
        await reply.kept()
        reply.push(0, b"\x33" * 800, (), last=True, text="Let me see.")
        reply.finish(hear=True)
        await call.carrier.plays_until(reply.heard())
    heard = await call.carrier.quiet_until(call.carrier.has_audio(1_600))
    assert heard[800:1_600] == LINES[0][1]
