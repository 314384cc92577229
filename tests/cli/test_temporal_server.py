"""Where the Temporal server comes from, and what `migrate` registers at it."""

from pathlib import Path

import pytest
from temporalio.api.operatorservice.v1 import RemoveSearchAttributesRequest
from temporalio.client import Client

from cli.temporal_client import missing_search_attributes, register_search_attributes
from cli.temporal_server import NoTemporal, cache_folder, find_temporal, server_command, server_ready
from core.contracts.names import NAMESPACE, OUTCOME_ATTRIBUTE, SEARCH_ATTRIBUTES
from tests.temporal_server import TemporalServer


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A machine with nothing on it."""
    monkeypatch.delenv("HOLDFAST_TEMPORAL_CLI", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return monkeypatch


def test_the_chosen_binary_beats_the_path_and_that_the_cache(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert find_temporal() is None
    cached = program(cache_folder() / "bin" / "temporal")
    assert find_temporal() == cached
    on_path = program(tmp_path / "bin" / "temporal")
    assert find_temporal() == on_path
    chosen = program(tmp_path / "chosen")
    bare.setenv("HOLDFAST_TEMPORAL_CLI", str(chosen))
    assert find_temporal() == chosen


def test_a_chosen_binary_that_is_none_is_told(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("HOLDFAST_TEMPORAL_CLI", "/nowhere/temporal")
    with pytest.raises(NoTemporal, match="HOLDFAST_TEMPORAL_CLI: /nowhere/temporal"):
        find_temporal()


def test_the_server_is_started_with_what_calls_need() -> None:
    command = server_command(Path("temporal"), port=7233, ui_port=8233, database=Path("t.db"), namespace=NAMESPACE)
    line = " ".join(command)
    assert "--dynamic-config-value history.transferProcessorMaxPollRPS=10000" in line
    assert "--dynamic-config-value history.timerProcessorMaxPollRPS=10000" in line
    assert '--dynamic-config-value history.timerProcessorMaxTimeShift="50ms"' in line
    assert "--dynamic-config-value system.enableActivityEagerExecution=true" in line
    assert "--dynamic-config-value matching.numTaskqueueReadPartitions=1" in line
    assert "--dynamic-config-value matching.numTaskqueueWritePartitions=1" in line
    assert "--sqlite-pragma journal_mode=wal --sqlite-pragma synchronous=1" in line
    assert "--ui-port 8233" in line
    assert all(f"--search-attribute {name}=Keyword" in line for name in SEARCH_ATTRIBUTES)


async def test_a_server_is_ready_only_while_it_runs(own_temporal_server: TemporalServer) -> None:
    assert await server_ready(own_temporal_server.address, NAMESPACE)
    assert not await server_ready(own_temporal_server.address, "nowhere")
    own_temporal_server.stop()
    assert not await server_ready(own_temporal_server.address, NAMESPACE)


async def test_missing_search_attributes_are_found_and_registered(own_temporal_server: TemporalServer) -> None:
    client: Client = await own_temporal_server.connect()
    assert await missing_search_attributes(client) == []
    await client.operator_service.remove_search_attributes(
        RemoveSearchAttributesRequest(namespace=NAMESPACE, search_attributes=[OUTCOME_ATTRIBUTE])
    )
    assert await missing_search_attributes(client) == [OUTCOME_ATTRIBUTE]
    assert await register_search_attributes(client) == [OUTCOME_ATTRIBUTE]
    assert await missing_search_attributes(client) == []
    assert await register_search_attributes(client) == []
