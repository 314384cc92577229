"""What the carrier is told when a leg is answered."""

import asyncio

import pytest
from temporalio.client import Client

from api.temporal import Temporal
from core.contracts import names
from core.contracts.call import CallInput, Direction
from core.stream_token import check_token
from storage.database import Database
from tests.api.recording_call import INPUT
from tests.api.world import CALLER, OUR_NUMBER, RENEWAL, ApiWorld, api_world, verb, verbs
from tests.temporal_server import free_port


async def test_a_caller_is_connected_to_a_media_stream(world: ApiWorld) -> None:
    sid, answer = await world.incoming()
    assert verbs(answer) == ["Connect", "Redirect"]
    stream = verb(answer, "Connect/Stream")
    assert stream.get("url") == "wss://media.example/twilio/media"
    assert stream.get("statusCallback") == f"{world.origin}/twilio/stream?call_id={sid}"
    given = {parameter.get("name"): parameter.get("value") for parameter in stream}
    assert given["call_id"] == sid
    assert check_token("stream secret", sid, given["token"] or "", now_ms=0) > 0
    assert verb(answer, "Redirect").text == f"{world.origin}/twilio/resume?call_id={sid}"
    assert answer.headers["content-type"].startswith("application/xml")


async def test_the_call_is_started_with_what_is_known_of_it(world: ApiWorld) -> None:
    sid, _ = await world.incoming()
    call = await world.workflow(sid).query(INPUT, result_type=CallInput)
    assert call.direction is Direction.INBOUND
    assert (call.caller_number, call.our_number, call.carrier_call_id) == (CALLER, OUR_NUMBER, sid)
    assert call.playbook.ref == RENEWAL.ref
    described = await world.workflow(sid).describe()
    attributes = {pair.key.name: pair.value for pair in described.typed_search_attributes}
    assert attributes[names.PLAYBOOK_ATTRIBUTE] == RENEWAL.ref
    assert attributes[names.PHASE_ATTRIBUTE] == "connecting"
    assert await described.static_summary() == f"inbound call, playbook {RENEWAL.ref}"


async def test_a_doubled_webhook_finds_the_same_call_and_brings_a_fresh_token(world: ApiWorld) -> None:
    sid, first = await world.incoming()
    run = (await world.workflow(sid).describe()).run_id
    _, second = await world.incoming(sid)
    assert (await world.workflow(sid).describe()).run_id == run
    tokens = [verb(answer, "Connect/Stream/Parameter[@name='token']").get("value") or "" for answer in (first, second)]
    assert tokens[0] != tokens[1]


async def test_webhooks_at_the_same_moment_start_one_call(world: ApiWorld) -> None:
    sid = world.new_sid()
    answers = await asyncio.gather(*(world.incoming(sid) for _ in range(5)))
    assert all(verbs(answer) == ["Connect", "Redirect"] for _, answer in answers)


async def test_the_webhook_of_a_call_that_has_ended_hangs_up(world: ApiWorld) -> None:
    sid, _ = await world.incoming()
    await world.v1("POST", f"/v1/calls/{sid}/end", json={})
    await world.workflow(sid).result()
    _, late = await world.incoming(sid)
    assert verbs(late) == ["Hangup"]


async def test_a_number_without_a_playbook_is_not_in_service(world: ApiWorld) -> None:
    _, answer = await world.incoming(to="+15550000")
    assert verbs(answer) == ["Say", "Hangup"]
    assert "not in service" in (verb(answer, "Say").text or "")


async def test_a_caller_who_hides_their_number_is_answered(world: ApiWorld) -> None:
    sid = world.new_sid()
    answer = await world.twilio("voice", {"CallSid": sid, "From": "", "To": OUR_NUMBER})
    assert verbs(answer) == ["Connect", "Redirect"]
    assert (await world.workflow(sid).query(INPUT, result_type=CallInput)).caller_number == "anonymous"


async def test_a_call_of_ours_that_is_answered_is_connected(world: ApiWorld) -> None:
    placed = await world.v1("POST", "/v1/calls", json={"to": CALLER, "playbook": "renewal"})
    call_id = placed.json()["id"]
    world.started.append(call_id)
    answer = await world.twilio("voice", {"CallSid": world.new_sid(), "To": CALLER}, {"call_id": call_id})
    assert verbs(answer) == ["Connect", "Redirect"]
    assert verb(answer, "Connect/Stream/Parameter[@name='call_id']").get("value") == call_id


async def test_a_call_of_ours_that_nobody_knows_is_hung_up(world: ApiWorld) -> None:
    answer = await world.twilio("voice", {"CallSid": world.new_sid(), "To": CALLER}, {"call_id": "out-nobody"})
    assert verbs(answer) == ["Hangup"]


async def test_without_temporal_the_caller_is_asked_to_wait_and_asked_for_again(
    world_without_temporal: ApiWorld,
) -> None:
    world = world_without_temporal
    sid, answer = await world.incoming()
    form = {"CallSid": sid, "From": CALLER, "To": OUR_NUMBER}
    for following in ("2", "3"):
        assert verbs(answer) == ["Say", "Pause", "Redirect"]
        redirect = verb(answer, "Redirect").text or ""
        assert redirect == f"{world.origin}/twilio/voice?try={following}"
        answer = await world.signed(redirect, form)
    assert verbs(answer) == ["Say", "Hangup"]
    assert "cannot take your call" in (verb(answer, "Say").text or "")


async def test_without_temporal_the_overflow_number_takes_the_call_in_the_end(
    temporal: Client, database: Database
) -> None:
    away = Temporal.at(f"127.0.0.1:{free_port()}")
    async with api_world(away, temporal, database, overflow_number="+15550111") as world:
        answer = await world.twilio("voice", {"CallSid": "CA1", "To": OUR_NUMBER}, {"try": "3"})
        assert verbs(answer) == ["Say", "Dial"]
        assert verb(answer, "Dial").text == "+15550111"


async def test_a_call_of_ours_that_must_wait_keeps_its_id(world_without_temporal: ApiWorld) -> None:
    form = {"CallSid": "CA2", "To": CALLER}
    answer = await world_without_temporal.twilio("voice", form, {"call_id": "out-1"})
    assert (verb(answer, "Redirect").text or "").endswith("/twilio/voice?call_id=out-1&try=2")


@pytest.mark.parametrize("trouble", ["away", "stuck"])
async def test_a_known_number_is_answered_while_the_database_is_away(world: ApiWorld, trouble: str) -> None:
    await world.incoming()
    setattr(world.shelf, trouble, True)
    _, answer = await world.incoming()
    assert verbs(answer) == ["Connect", "Redirect"]


@pytest.mark.parametrize("trouble", ["away", "stuck"])
async def test_a_number_not_seen_before_waits_for_the_database(world: ApiWorld, trouble: str) -> None:
    setattr(world.shelf, trouble, True)
    sid, answer = await world.incoming()
    assert verbs(answer) == ["Say", "Pause", "Redirect"]
    setattr(world.shelf, trouble, False)
    again = await world.signed(verb(answer, "Redirect").text or "", {"CallSid": sid, "To": OUR_NUMBER})
    assert verbs(again) == ["Connect", "Redirect"]
