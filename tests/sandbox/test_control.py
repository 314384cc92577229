import httpx
import pytest

from sandbox.app import SandboxConfig, create_app
from sandbox.state import Fault, SandboxState
from tests.sandbox.server import running


async def test_latency_is_set_field_by_field() -> None:
    state = SandboxState()
    async with running(create_app(state, SandboxConfig())) as origin, httpx.AsyncClient(base_url=origin) as client:
        answer = await client.patch("/sandbox/latency", json={"end_of_turn_ms": 50})
        assert answer.json() == (await client.get("/sandbox/latency")).json()
    assert state.latency.end_of_turn_ms == 50
    assert state.latency.model_first_token_ms == 320


@pytest.mark.parametrize("changes", [{"end_of_turn": 50}, {"end_of_turn_ms": -1}, {"end_of_turn_ms": "soon"}])
async def test_a_latency_that_makes_no_sense_is_refused_and_changes_nothing(changes: dict[str, object]) -> None:
    state = SandboxState()
    async with running(create_app(state, SandboxConfig())) as origin, httpx.AsyncClient(base_url=origin) as client:
        assert (await client.patch("/sandbox/latency", json=changes)).status_code == 422
    assert state.latency == SandboxState().latency


async def test_faults_are_switched_on_and_off() -> None:
    state = SandboxState()
    async with running(create_app(state, SandboxConfig())) as origin, httpx.AsyncClient(base_url=origin) as client:
        fault = {"vendor": "deepgram", "kind": "status", "status": 429, "times": 2}
        assert (await client.post("/sandbox/faults", json=fault)).status_code == 201
        assert state.faults == [Fault("deepgram", "status", status=429, times=2)]
        assert [listed["status"] for listed in (await client.get("/sandbox/faults")).json()] == [429]
        assert (await client.post("/sandbox/faults", json=fault | {"vendor": "acme"})).status_code == 422
        assert (await client.delete("/sandbox/faults")).status_code == 204
    assert state.faults == []


async def test_the_timeline_is_read_on_from_where_one_stopped() -> None:
    state = SandboxState()
    async with running(create_app(state, SandboxConfig())) as origin, httpx.AsyncClient(base_url=origin) as client:
        state.stamp("crm", "note", id="1")
        first = (await client.get("/sandbox/timeline")).json()
        state.stamp("crm", "note", id="2")
        second = (await client.get("/sandbox/timeline", params={"since": first["next"]})).json()
    assert [stamp["data"] for stamp in first["stamps"]] == [{"id": "1"}]
    assert [stamp["data"] for stamp in second["stamps"]] == [{"id": "2"}]
    assert second["next"] == 2
