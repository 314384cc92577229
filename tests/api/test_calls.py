"""REST: placing, reading and steering calls."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from api.temporal import Temporal
from core.contracts.call import CallInput, Direction, End, Phase, Say, TakeOver, Transfer
from core.contracts.playbook import brief_of
from core.ports.call_log import CallEvent
from tests.api.recording_call import INPUT, REFUSED_LINE, TOLD
from tests.api.world import CALLER, OUR_NUMBER, RENEWAL, ApiWorld
from tests.temporal_server import TemporalServer

WANTED = {"to": "+1 (555) 0100", "playbook": "renewal", "variables": {"name": "Ada"}}


async def place(world: ApiWorld, body: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
    answer = await world.v1("POST", "/v1/calls", json=body or WANTED, headers=headers)
    assert answer.status_code == 201, answer.text
    placed: dict[str, Any] = answer.json()
    world.started.append(placed["id"])
    return placed


async def keep(world: ApiWorld, call_id: str, *, at_ms: float, ended: bool = False) -> None:
    """Have a call in the database, by way of the feed."""
    opening = {
        "direction": Direction.INBOUND.value,
        "playbook": RENEWAL.ref,
        "caller_number": CALLER,
        "our_number": OUR_NUMBER,
    }
    world.feed.note(CallEvent(call_id, "call_started", at_ms, opening))
    world.feed.note(CallEvent(call_id, "caller_turn", at_ms + 1, {"turn": 1, "text": "Hello?", "confidence": 0.9}))
    if ended:
        world.feed.note(CallEvent(call_id, "call_ended", at_ms + 2, {"disposition": "completed"}))
    await world.feed.flush()


async def test_a_placed_call_is_started_with_what_was_asked_for(world: ApiWorld) -> None:
    placed = await place(world)
    assert (placed["to"], placed["from"], placed["playbook"]) == (CALLER, OUR_NUMBER, RENEWAL.ref)
    call = await world.workflow(placed["id"]).query(INPUT, result_type=CallInput)
    assert (call.direction, call.caller_number, call.our_number) == (Direction.OUTBOUND, CALLER, OUR_NUMBER)
    assert call.variables == {"name": "Ada"}
    assert call.carrier_call_id is None


async def test_a_worker_that_dies_in_a_task_of_a_call_holds_it_up_for_600_ms_at_most(
    world: ApiWorld, temporal_server: TemporalServer
) -> None:
    call_id = world.new_sid()
    await Temporal.at(temporal_server.address, deadline=5.0).start_call(
        CallInput(call_id, Direction.INBOUND, brief_of(RENEWAL), CALLER, OUR_NUMBER)
    )
    config = (await world.workflow(call_id).describe()).raw_description.execution_config
    assert config.default_workflow_task_timeout.ToTimedelta() == timedelta(seconds=0.6)


async def test_a_placed_call_can_be_read_at_once(world: ApiWorld) -> None:
    placed = await place(world)
    answer = await world.v1("GET", placed["url"].removeprefix(world.origin))
    assert answer.status_code == 200
    call = answer.json()
    assert (call["phase"], call["live"], call["transcript"]) == ("dialling", True, [])
    assert call["state"]["next"] == "ask for the policy number"
    assert call["temporal_url"].endswith(f"/workflows/call-{placed['id']}")


async def test_the_same_key_places_one_call(world: ApiWorld) -> None:
    key = {"Idempotency-Key": f"order 7 {world.new_sid()}"}
    placed = await asyncio.gather(*(place(world, WANTED, **key) for _ in range(3)))
    assert len({call["id"] for call in placed}) == 1
    await world.v1("POST", f"/v1/calls/{placed[0]['id']}/end", json={})
    await world.workflow(placed[0]["id"]).result()
    assert await place(world, WANTED, **key) == placed[0]  # no second call when the first has ended, either


async def test_a_key_that_comes_with_another_request_is_refused(world: ApiWorld) -> None:
    key = {"Idempotency-Key": f"order 8 {world.new_sid()}"}
    await place(world, WANTED, **key)
    other = await world.v1("POST", "/v1/calls", json=WANTED | {"to": "+15550101"}, headers=key)
    assert (other.status_code, other.json()["type"]) == (422, "urn:holdfast:problem:idempotency-key-reused")


@pytest.mark.parametrize(
    ("change", "pointer", "words"),
    [
        ({"to": "5550100"}, "#/to", "international form"),
        ({"to": "nobody"}, "#/to", "international form"),
        ({"to": "+1555"}, "#/to", "too few or too many"),
        ({"from": "+1"}, "#/from", "international form"),
        ({"playbook": "nonesuch"}, "#/playbook", "no playbook"),
        ({"playbook": 7}, "#/playbook", "string"),
        ({"vars": {}}, "#/vars", "not permitted"),
        ({"variables": {"name": "x" * 501}}, "#/variables/name", "500"),
    ],
)
async def test_a_call_that_cannot_be_placed_is_refused_with_the_field(
    world_without_temporal: ApiWorld, change: dict[str, Any], pointer: str, words: str
) -> None:
    answer = await world_without_temporal.v1("POST", "/v1/calls", json=WANTED | change)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    [error] = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert words in error["detail"]


async def test_calls_are_listed_newest_first_page_by_page(world: ApiWorld) -> None:
    for number in range(5):
        await keep(world, f"CA{number}", at_ms=1_000.0 * number, ended=number % 2 == 0)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for expected in (2, 2, 1):
        page = (await world.v1("GET", "/v1/calls", params={"limit": "2"} | cursor)).json()
        assert len(page["calls"]) == expected
        seen += [call["id"] for call in page["calls"]]
        cursor = {"cursor": page["next"] or ""}
    assert page["next"] is None
    assert seen == ["CA4", "CA3", "CA2", "CA1", "CA0"]


async def test_live_and_finished_calls_can_be_listed_apart(world: ApiWorld) -> None:
    await keep(world, "CAlive", at_ms=1_000.0)
    await keep(world, "CAdone", at_ms=2_000.0, ended=True)
    live = (await world.v1("GET", "/v1/calls", params={"live": "true"})).json()["calls"]
    done = (await world.v1("GET", "/v1/calls", params={"live": "false"})).json()["calls"]
    assert [(call["id"], call["live"], call["disposition"]) for call in live] == [("CAlive", True, None)]
    assert [(call["id"], call["live"], call["disposition"]) for call in done] == [("CAdone", False, "completed")]
    assert done[0]["started_at"] == "1970-01-01T00:00:02Z"


@pytest.mark.parametrize("query", [{"cursor": "nonsense"}, {"limit": "0"}, {"limit": "201"}, {"live": "perhaps"}])
async def test_a_list_that_cannot_be_made_is_a_clear_error(
    world_without_temporal: ApiWorld, query: dict[str, str]
) -> None:
    answer = await world_without_temporal.v1("GET", "/v1/calls", params=query)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_call_is_read_with_its_turns_also_when_its_workflow_is_long_gone(world: ApiWorld) -> None:
    await keep(world, "CAold", at_ms=1_000.0, ended=True)
    call = (await world.v1("GET", "/v1/calls/CAold")).json()
    assert [(turn["turn"], turn["caller"]) for turn in call["transcript"]] == [(1, "Hello?")]
    assert (call["phase"], call["state"]) == (Phase.ENDED, None)


async def test_a_live_call_is_read_without_its_state_while_temporal_is_away(world_without_temporal: ApiWorld) -> None:
    await keep(world_without_temporal, "CAlive", at_ms=1_000.0)
    answer = await world_without_temporal.v1("GET", "/v1/calls/CAlive")
    assert (answer.status_code, answer.json()["state"]) == (200, None)


async def test_an_operator_steers_a_live_call(world: ApiWorld) -> None:
    call = f"/v1/calls/{(await place(world))['id']}"
    asked = [
        ("say", {"text": " One moment. "}, Say("One moment.")),
        ("transfer", {"to": "+1 555 0111", "reason": "billing"}, Transfer("+15550111", "billing")),
        ("take-over", {"to": "+15550112", "by": "Grace"}, TakeOver("+15550112", "Grace", warm=True)),
        ("end", {"reason": "done", "line": "Goodbye."}, End("done", "Goodbye.")),
    ]
    for action, body, _ in asked:
        answer = await world.v1("POST", f"{call}/{action}", json=body)
        assert (action, answer.status_code, answer.text) == (action, 204, "")
    told = await world.workflow(world.started[-1]).query(TOLD)
    assert told == [repr(message) for _, _, message in asked]


async def test_asked_again_with_the_same_key_the_line_is_said_once(world: ApiWorld) -> None:
    call_id = (await place(world))["id"]
    for _ in range(2):
        key = {"Idempotency-Key": "line 1"}
        await world.v1("POST", f"/v1/calls/{call_id}/say", json={"text": "Hello."}, headers=key)
    assert await world.workflow(call_id).query(TOLD) == [repr(Say("Hello."))]


async def test_what_the_call_will_not_do_is_refused_in_its_own_words(world: ApiWorld) -> None:
    call_id = (await place(world))["id"]
    answer = await world.v1("POST", f"/v1/calls/{call_id}/say", json={"text": REFUSED_LINE})
    assert (answer.status_code, answer.json()["detail"]) == (409, "the call is being transferred")


async def test_a_call_that_has_ended_cannot_be_steered(world: ApiWorld) -> None:
    call_id = (await place(world))["id"]
    await world.v1("POST", f"/v1/calls/{call_id}/end", json={})
    await world.workflow(call_id).result()
    answer = await world.v1("POST", f"/v1/calls/{call_id}/say", json={"text": "Hello?"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:holdfast:problem:call-ended")


async def test_a_call_nobody_knows_is_not_found(world: ApiWorld) -> None:
    for method, path, body in (
        ("GET", "/v1/calls/nobody", None),
        ("GET", "/v1/calls/nobody/events", None),
        ("POST", "/v1/calls/nobody/say", {"text": "Hello?"}),
    ):
        answer = await world.v1(method, path, json=body)
        assert (path, answer.status_code) == (path, 404)
        assert answer.json()["type"] == "urn:holdfast:problem:unknown-call"


async def test_without_temporal_no_call_is_placed_or_steered(world_without_temporal: ApiWorld) -> None:
    for path, body in (("/v1/calls", WANTED), ("/v1/calls/CA1/say", {"text": "Hello?"})):
        answer = await world_without_temporal.v1("POST", path, json=body)
        assert (path, answer.status_code) == (path, 503)
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["content-type"] == "application/problem+json"


async def test_playbooks_are_listed_and_read(world: ApiWorld) -> None:
    assert (await world.v1("GET", "/v1/playbooks")).json() == {"playbooks": ["renewal"]}
    read = (await world.v1("GET", "/v1/playbooks/renewal")).json()
    assert (read["ref"], read["playbook"]["steps"][0]["name"]) == (RENEWAL.ref, "greet")
    missing = await world.v1("GET", "/v1/playbooks/nonesuch")
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:holdfast:problem:unknown-playbook")
