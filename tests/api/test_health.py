"""Probes and figures."""

import pytest

from api.temporal import Temporal, TemporalUnavailable
from tests.api.world import ApiWorld


async def test_it_is_ready_when_all_it_needs_answers(world: ApiWorld) -> None:
    ready = await world.client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["ready"] is True
    assert set(ready.json()["checks"]) == {"temporal", "database"}


async def test_without_temporal_it_lives_but_is_not_ready(world_without_temporal: ApiWorld) -> None:
    assert (await world_without_temporal.client.get("/healthz")).json() == {"status": "ok", "version": "1.2.3"}
    ready = await world_without_temporal.client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["temporal"] | {"took_ms": 0} == {"ok": False, "took_ms": 0, "error": "no connection"}
    assert ready.json()["checks"]["database"]["ok"] is True


async def test_a_namespace_that_is_not_there_is_no_readiness(world: ApiWorld) -> None:
    address = world.temporal.service_client.config.target_host
    with pytest.raises(TemporalUnavailable, match="NOT_FOUND"):
        await Temporal.at(address, "nonesuch", deadline=5.0).check()


async def test_requests_are_counted_by_route_and_not_by_path(world: ApiWorld) -> None:
    await world.incoming()
    await world.v1("GET", "/v1/calls/nobody")
    await world.v1("GET", "/v1/nothing/here")
    figures = (await world.client.get("/metrics")).text
    assert 'holdfast_api_requests_total{method="GET",route="/v1/calls/{call_id}",status="404"} 1.0' in figures
    assert 'holdfast_api_requests_total{method="GET",route="unmatched",status="404"} 1.0' in figures
    assert 'holdfast_api_calls_started_total{direction="inbound"} 1.0' in figures
    assert 'holdfast_api_carrier_answers_total{answer="connect",route="voice"} 1.0' in figures
    assert "nobody" not in figures
