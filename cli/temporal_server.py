"""The local Temporal server: where its binary comes from, and how it is started."""

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from cli.process import complaints
from cli.progress import progress
from core.contracts.names import NAMESPACE, SEARCH_ATTRIBUTES

GO_MODULE = "github.com/temporalio/cli/cmd/temporal@v1.5.1"
GO_DEADLINE_S = 900.0
READY_DEADLINE_S = 60.0

# Without the first three a regular activity waits about 100 ms for its task. With more than one partition, and few
# pollers, a task waits for seconds in one while a worker waits at another. The pragmas keep commits off fsync.
DYNAMIC_CONFIG = {
    "history.transferProcessorMaxPollRPS": "10000",
    "history.timerProcessorMaxPollRPS": "10000",
    "history.timerProcessorMaxTimeShift": '"50ms"',
    "system.enableActivityEagerExecution": "true",
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
}
SQLITE_PRAGMAS = {"journal_mode": "wal", "synchronous": "1"}


class NoTemporal(Exception):
    """No Temporal server can be had here, or it does not start; the message says what to do."""


def cache_folder() -> Path:
    """Where downloaded and built tools are kept for all checkouts of this user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "holdfast"


def find_temporal() -> Path | None:
    """The binary, where there is one: HOLDFAST_TEMPORAL_CLI, PATH, the cache. Raises NoTemporal for a wrong path."""
    if chosen := os.environ.get("HOLDFAST_TEMPORAL_CLI"):
        if not os.access(chosen, os.X_OK):
            raise NoTemporal(f"HOLDFAST_TEMPORAL_CLI: {chosen} is no program that can be run")
        return Path(chosen)
    if on_path := shutil.which("temporal"):
        return Path(on_path)
    cached = cache_folder() / "bin" / "temporal"
    return cached if os.access(cached, os.X_OK) else None


async def obtain_temporal() -> Path:
    """The binary, downloaded or built into the cache if there is none yet. Raises NoTemporal."""
    if found := find_temporal():
        return found
    folder = cache_folder() / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    reasons = []
    for way, what in (
        (_download, "Downloading the Temporal server"),
        (_build, "Building the Temporal server, once (2 to 4 minutes)"),
    ):
        async with progress(what):
            try:
                return await way(folder / "temporal")
            except NoTemporal as error:
                reasons.append(str(error))
    raise NoTemporal(
        "no Temporal server: install the temporal command (https://docs.temporal.io/cli) or Go (https://go.dev/dl), "
        f"or set HOLDFAST_TEMPORAL_CLI. Tried: {'; '.join(reasons)}"
    )


async def _download(to: Path) -> Path:
    """The SDK knows which release fits it, but only downloads by starting it."""
    with tempfile.TemporaryDirectory(dir=to.parent) as folder:
        try:
            environment = await WorkflowEnvironment.start_local(download_dest_dir=folder)
        except RuntimeError as error:
            raise NoTemporal(f"download: {str(error).splitlines()[0]}") from error
        await environment.shutdown()
        return _take_program(Path(folder), to)


def _take_program(folder: Path, to: Path) -> Path:
    for downloaded in folder.iterdir():
        if os.access(downloaded, os.X_OK):
            return downloaded.replace(to)
    raise NoTemporal("download: the SDK left no program behind")


async def _build(to: Path) -> Path:
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go is None:
        raise NoTemporal("build: no go command")
    process = await asyncio.create_subprocess_exec(
        go,
        "install",
        GO_MODULE,
        env=os.environ | {"GOBIN": str(to.parent)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await asyncio.wait_for(process.communicate(), GO_DEADLINE_S)
    except TimeoutError as error:
        raise NoTemporal(f"build: go install took longer than {GO_DEADLINE_S / 60:.0f} minutes") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        last = said.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
        raise NoTemporal(f"build: go install: {last[0]}")
    return to


def server_command(binary: Path, *, port: int, ui_port: int | None, database: Path, namespace: str) -> list[str]:
    """The command line of a development server with the house's settings; ``ui_port`` None: without its UI."""
    command = [str(binary), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
    command += ["--headless"] if ui_port is None else ["--ui-port", str(ui_port)]
    command += ["--db-filename", str(database), "--log-level", "warn"]
    if namespace != NAMESPACE:
        command += ["--namespace", namespace]
    for name, value in DYNAMIC_CONFIG.items():
        command += ["--dynamic-config-value", f"{name}={value}"]
    for name, value in SQLITE_PRAGMAS.items():
        command += ["--sqlite-pragma", f"{name}={value}"]
    for name in SEARCH_ATTRIBUTES:
        command += ["--search-attribute", f"{name}=Keyword"]
    return command


async def server_ready(address: str, namespace: str) -> bool:
    """Whether a server answers there and knows the namespace."""
    try:
        client = await Client.connect(address, namespace=namespace)
        await client.count_workflows("WorkflowType = 'none'")
    except (RuntimeError, RPCError):
        return False
    return True


if __name__ == "__main__":  # for scripts/setup.sh, before the first start
    with complaints(NoTemporal):
        print(asyncio.run(obtain_temporal()))
