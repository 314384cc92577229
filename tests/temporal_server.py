"""A real Temporal server for tests: one a test process, started when the first test asks for it."""

import asyncio
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.temporal_server import obtain_temporal, server_command
from core.contracts.names import NAMESPACE
from workflows.codec import HistoryKey
from workflows.packing import house_converter


class TemporalServer:
    """A development server with the house's flags, its data in one SQLite file; may be stopped and started again."""

    def __init__(self, binary: Path, database: Path) -> None:
        self.port = free_port()
        self._command = server_command(binary, port=self.port, ui_port=None, database=database, namespace=NAMESPACE)
        self._log = database.with_suffix(".log")
        self._process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        """Where it is reached: host:port, the same after a new start."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return once it serves."""
        with self._log.open("a") as log:
            self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("Server:"):  # printed once its namespaces answer
                return
        raise RuntimeError(f"the Temporal server did not start: {self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        """Kill it, as an outage would; what was answered stays in its file."""
        if self._process is None:
            return
        self._process.kill()
        self._process.communicate()
        self._process = None

    async def connect(self, keys: Sequence[HistoryKey] = ()) -> Client:
        """A client as the product makes it; ``keys`` seal what it tells."""
        converter = house_converter(pydantic_data_converter, keys)
        return await Client.connect(self.address, namespace=NAMESPACE, data_converter=converter)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def temporal_binary() -> Path:
    """The server's program, obtained as ``make`` would."""
    return asyncio.run(obtain_temporal())


@pytest.fixture(scope="session")
def temporal_server(temporal_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalServer]:
    """The server all tests of this process share: use workflow ids and task queues of your own."""
    server = TemporalServer(temporal_binary, tmp_path_factory.mktemp("temporal") / "temporal.db")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_temporal_server(temporal_binary: Path, tmp_path: Path) -> Iterator[TemporalServer]:
    """A server for one test that stops it in mid-call."""
    server = TemporalServer(temporal_binary, tmp_path / "temporal.db")
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def temporal(temporal_server: TemporalServer) -> Client:
    """A client of the shared server."""
    return await temporal_server.connect()
