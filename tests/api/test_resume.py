"""What the carrier is told when what a leg did is over."""

import time

import httpx
import pytest
from temporalio.client import Client

from api.temporal import Temporal
from core.contracts.call import DialEnded, NextVerb, Verb
from core.stream_token import check_token
from storage.database import Database
from tests.api.recording_call import LAY_READY
from tests.api.world import CALLER, OUR_NUMBER, ApiWorld, api_world, verb, verbs
from tests.temporal_server import TemporalServer


async def resumed(world: ApiWorld, call_id: str, form: dict[str, str] | None = None, **query: str) -> httpx.Response:
    """The carrier asks how a call goes on."""
    given = {"CallSid": call_id, "From": CALLER, "To": OUR_NUMBER, "Direction": "inbound"} | (form or {})
    return await world.twilio("resume", given, {"call_id": call_id} | query)


async def test_a_call_that_goes_on_gets_a_new_stream_with_a_fresh_token(world: ApiWorld) -> None:
    sid, first = await world.incoming()
    answer = await resumed(world, sid)
    assert verbs(answer) == ["Connect", "Redirect"]
    token = "Connect/Stream/Parameter[@name='token']"
    assert verb(answer, token).get("value") != verb(first, token).get("value")


async def test_a_new_stream_is_newer_than_the_last_one_also_when_the_clock_was_set_back(world: ApiWorld) -> None:
    sid, _ = await world.incoming()
    an_hour_ahead = time.time_ns() // 1_000_000 + 3_600_000
    await world.workflow(sid).signal(LAY_READY, NextVerb(Verb.CONNECT, after=an_hour_ahead))
    answer = await resumed(world, sid)
    token = verb(answer, "Connect/Stream/Parameter[@name='token']").get("value") or ""
    assert check_token("stream secret", sid, token, now_ms=an_hour_ahead - 3_600_000) == an_hour_ahead + 1


async def test_a_stream_has_the_number_of_the_moment_by_the_clock_of_tokens(
    temporal_server: TemporalServer, temporal: Client, database: Database
) -> None:
    reach = Temporal.at(temporal_server.address, deadline=5.0)
    async with api_world(reach, temporal, database, clock=lambda: 42_000.5) as world:
        sid, first = await world.incoming()
        token = verb(first, "Connect/Stream/Parameter[@name='token']").get("value") or ""
        await world.workflow(sid).terminate()
    assert check_token("stream secret", sid, token, now_ms=42_000) == 42_000


async def test_a_call_that_is_handed_over_is_dialled_and_asks_again_afterwards(world: ApiWorld) -> None:
    sid, _ = await world.incoming()
    await world.workflow(sid).signal(LAY_READY, NextVerb(Verb.DIAL, number="+15550111"))
    answer = await resumed(world, sid)
    assert verbs(answer) == ["Dial"]
    dial = verb(answer, "Dial")
    assert (dial.text, dial.get("callerId")) == ("+15550111", None)
    assert dial.get("action") == f"{world.origin}/twilio/resume?call_id={sid}&dialled=1"


async def test_a_person_we_called_is_handed_over_under_our_number(world: ApiWorld) -> None:
    sid, _ = await world.incoming()
    await world.workflow(sid).signal(LAY_READY, NextVerb(Verb.DIAL, number="+15550111"))
    answer = await resumed(world, sid, {"Direction": "outbound-api", "From": OUR_NUMBER, "To": CALLER})
    assert verb(answer, "Dial").get("callerId") == OUR_NUMBER


@pytest.mark.parametrize(("status", "reached"), [("completed", True), ("busy", False), ("no-answer", False)])
async def test_the_call_hears_how_the_dialled_leg_ended_before_it_decides(
    world: ApiWorld, status: str, reached: bool
) -> None:
    sid, _ = await world.incoming()
    answer = await resumed(world, sid, {"DialCallStatus": status}, dialled="1")
    assert verbs(answer) == ["Connect", "Redirect"]
    assert await world.told(sid) == [repr(DialEnded(status, reached))]


async def test_a_call_that_is_to_end_is_hung_up_after_its_last_line(world: ApiWorld) -> None:
    sid, _ = await world.incoming()
    await world.workflow(sid).signal(LAY_READY, NextVerb(Verb.HANG_UP, line="Sorry & goodbye."))
    answer = await resumed(world, sid)
    assert verbs(answer) == ["Say", "Hangup"]
    assert verb(answer, "Say").text == "Sorry & goodbye."


async def test_a_call_that_has_ended_never_loops(world: ApiWorld) -> None:
    sid, _ = await world.incoming()
    await world.v1("POST", f"/v1/calls/{sid}/end", json={})
    await world.workflow(sid).result()
    assert verbs(await resumed(world, sid)) == ["Hangup"]
    assert verbs(await resumed(world, sid, {"DialCallStatus": "completed"}, dialled="1")) == ["Hangup"]
    assert verbs(await resumed(world, "CA-nobody")) == ["Hangup"]


async def test_without_temporal_the_caller_waits_a_bounded_time(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    answer = await resumed(world, "CA1")
    for following in ("2", "3"):
        assert verbs(answer) == ["Say", "Pause", "Redirect"]
        redirect = verb(answer, "Redirect").text or ""
        assert redirect == f"{world.origin}/twilio/resume?call_id=CA1&try={following}"
        answer = await world.signed(redirect, {"CallSid": "CA1"})
    assert verbs(answer) == ["Say", "Hangup"]
