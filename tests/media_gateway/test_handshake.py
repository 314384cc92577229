"""Who is let in, and what becomes of those who do not keep to the protocol."""

import asyncio
import time

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from core.contracts import names
from core.stream_token import MAX_AGE_MS, make_token
from core.turns import EndOfTurn
from media_gateway.clock import EarlierClock, wall_ms
from tests.media_gateway.conftest import RunningGateway, StartCall, StartGateway, StartWorkflow
from tests.media_gateway.fakes import STREAM_SECRET


def now_ms() -> int:
    return round(time.time() * 1_000)


@pytest.mark.parametrize("signature", ["", "bm8gc2lnbmF0dXJl"], ids=["absent", "wrong"])
async def test_a_handshake_without_the_carriers_signature_is_refused(gateway: RunningGateway, signature: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await gateway.carrier(signature=signature)
    assert refused.value.response.status_code == 403


async def test_a_signature_for_another_url_is_refused(gateway: RunningGateway) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await gateway.carrier(signed_url="wss://elsewhere.example.org/twilio/media")
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "",
        make_token("another secret", "call-1", now_ms()),
        make_token(STREAM_SECRET, "call-2", now_ms()),
        make_token(STREAM_SECRET, "call-1", now_ms() - 10 * MAX_AGE_MS),
    ],
    ids=["nonsense", "empty", "wrong secret", "another call's", "too old"],
)
async def test_a_bad_token_is_refused_before_anything_of_the_stream_is_used(
    gateway: RunningGateway, token: str
) -> None:
    carrier = await gateway.carrier()
    await carrier.start("call-1", token)
    await carrier.speak()
    assert await carrier.closed() == 1008
    assert not gateway.recogniser.streams
    assert not gateway.feed.events


async def test_a_caller_gets_in_though_the_clock_was_set_forward_since_the_answer(
    start_gateway: StartGateway, start_workflow: StartWorkflow
) -> None:
    an_hour_ahead = EarlierClock(wall=lambda: wall_ms() + 3_600_000)
    gateway = await start_gateway(clock=an_hour_ahead)
    call_id, _ = await start_workflow()
    carrier = await gateway.carrier()
    await carrier.start(call_id, make_token(STREAM_SECRET, call_id, now_ms()))
    assert await gateway.recogniser.stream()
    await carrier.drop()


async def test_a_token_opens_one_stream_only(gateway: RunningGateway, start_workflow: StartWorkflow) -> None:
    call_id, _ = await start_workflow()
    token = make_token(STREAM_SECRET, call_id, now_ms())
    first, second = await gateway.carrier(), await gateway.carrier()
    await first.start(call_id, token)
    await gateway.recogniser.stream()
    await second.start(call_id, token)
    assert await second.closed() == 1008
    await first.drop()
    third = await gateway.carrier()
    await third.start(call_id, token)
    assert await third.closed() == 1008


async def test_an_older_token_does_not_take_the_call_from_a_newer_stream(
    gateway: RunningGateway, start_workflow: StartWorkflow
) -> None:
    call_id, _ = await start_workflow()
    older = make_token(STREAM_SECRET, call_id, now_ms() - 5_000)
    newer = await gateway.carrier()
    await newer.start(call_id)
    await gateway.recogniser.stream()
    late = await gateway.carrier()
    await late.start(call_id, older)
    assert await late.closed() == 1008
    await newer.drop()


async def test_a_stream_that_never_starts_is_closed(start_gateway: StartGateway) -> None:
    gateway = await start_gateway(start=0.05)
    carrier = await gateway.carrier()
    await carrier.send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
    assert await carrier.closed() == 1008


@pytest.mark.parametrize(
    "first",
    [
        {"event": "media", "media": {"track": "inbound", "payload": "//8="}},
        {"event": "mark", "mark": {"name": "1:0.0"}},
        {"event": "stop"},
        {"event": "start", "start": {"streamSid": "MZ1"}},
        {"event": "start", "start": {"streamSid": "MZ1", "callSid": "CA1"}},
        "no JSON",
        b"\x00\x01",
    ],
    ids=["media", "mark", "stop", "half a start", "start without parameters", "no json", "binary"],
)
async def test_anything_but_a_proper_start_ends_the_stream(
    gateway: RunningGateway, first: dict[str, object] | str | bytes
) -> None:
    carrier = await gateway.carrier()
    await carrier.send(first)
    assert await carrier.closed() == 1008
    assert not gateway.recogniser.streams


async def test_a_second_start_ends_the_stream(start_call: StartCall) -> None:
    call = await start_call()
    await call.carrier.start(call.id)
    assert await call.carrier.closed() == 1008
    await call.told(names.STREAM_ENDED)


@pytest.mark.parametrize(
    "frame",
    ["no JSON", '{"event":"cough"}', '{"event":"media","media":{"payload":"?"}}', b"\x00", '"' + "x" * 1_000_000 + '"'],
    ids=["no json", "unknown event", "no base64", "binary", "1 MB"],
)
async def test_a_live_call_bears_a_frame_that_is_no_message(start_call: StartCall, frame: str | bytes) -> None:
    call = await start_call()
    await call.carrier.send(frame)
    await call.carrier.send({"event": "mark", "mark": {"name": "never sent"}})
    await call.carrier.send({"event": "dtmf", "dtmf": {"digit": "5"}})
    await call.carrier.speak()
    ear = await call.gateway.recogniser.stream()
    ear.say(EndOfTurn("still here", 0.9))
    (turn,) = await call.told(names.CALLER_TURN)
    assert turn["text"] == "still here"


async def test_a_frame_over_the_limit_ends_the_stream(start_call: StartCall) -> None:
    call = await start_call()
    await call.carrier.send("x" * (1024 * 1024 + 1))
    assert await call.carrier.closed() == 1009
    (ended,) = await call.told(names.STREAM_ENDED)
    assert not ended["stopped"]


async def test_garbage_without_end_ends_the_stream(start_call: StartCall) -> None:
    call = await start_call()
    for _ in range(60):
        await call.carrier.send("{")
    assert await call.carrier.closed() == 1008


async def test_a_full_gateway_sends_further_streams_elsewhere(
    start_gateway: StartGateway, start_call: StartCall
) -> None:
    gateway = await start_gateway(capacity=1)
    call = await start_call(at=gateway)
    with pytest.raises(InvalidStatus) as refused:
        await gateway.carrier()
    assert refused.value.response.status_code == 503
    async with httpx.AsyncClient(trust_env=False) as http:
        for path in ("readyz", "twilio/media"):
            full = await http.get(f"http://{gateway.media}/{path}")
            assert (full.status_code, full.json()) == (503, {"status": "full"})
        await call.carrier.hang_up()
        await call.told(names.STREAM_ENDED)
        async with asyncio.timeout(5):
            while (await http.get(f"http://{gateway.media}/readyz")).status_code != 200:
                pass
        assert (await http.get(f"http://{gateway.media}/twilio/media")).status_code == 200


async def test_health_and_metrics_are_served(start_call: StartCall) -> None:
    call = await start_call()
    (await call.gateway.recogniser.stream()).say(EndOfTurn("hello", 0.9))
    await call.told(names.CALLER_TURN)
    async with httpx.AsyncClient(trust_env=False, base_url=f"http://{call.gateway.media}") as http:
        assert (await http.get("/healthz")).json() == {"status": "ok"}
        assert (await http.get("/readyz")).json() == {"status": "ready"}
        metrics = (await http.get("/metrics")).text
    assert "holdfast_gateway_streams 1.0" in metrics
    assert "holdfast_gateway_turns_total 1.0" in metrics


async def test_internal_routes_need_the_secret(gateway: RunningGateway) -> None:
    async with httpx.AsyncClient(trust_env=False, base_url=f"http://{gateway.internal}") as http:
        assert (await http.get("/internal/calls/c/turns/1/audio")).status_code == 401
        wrong = {"Authorization": "Bearer guess"}
        assert (await http.get("/internal/calls/c/turns/1/audio", headers=wrong)).status_code == 401


async def test_the_public_port_does_not_serve_what_is_internal(gateway: RunningGateway) -> None:
    async with httpx.AsyncClient(trust_env=False, base_url=f"http://{gateway.media}") as http:
        assert (await http.get("/internal/calls/c/turns/1/audio")).status_code == 404
