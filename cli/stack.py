"""The whole product on this machine: every role as a child process behind one port.

async with Stack(StackOptions(port=0, data=tmp_path)) as stack:
    httpx.get(f"{stack.url}/healthz")
"""

import asyncio
import contextlib
import json
import os
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import structlog
from temporalio.client import Client

from cli.background_work import write_whole
from cli.children import (
    Child,
    ChildFailed,
    ChildPlan,
    Lifeline,
    complaints_in,
    foreign_command,
    last_words,
    own_command,
)
from cli.deployment import NoWorkers, make_current
from cli.dev_environment import Addresses, local_environment, sandboxed_vendors
from cli.front_door import Backend, Backends, FrontDoor
from cli.progress import progress
from cli.settings import Settings, reveal
from cli.temporal_server import obtain_temporal, server_command, server_ready
from workflows.fingerprint import build_id

STOP_ORDER = (("api", "gateway"), ("worker",), ("sandbox",), ("temporal",))
PROBE_DEADLINE_S = 2.0
MIGRATE_DEADLINE_S = 120.0
CURRENT_DEADLINE_S = 60.0
log = structlog.get_logger()

# Huge pages: a killed worker's memory is given back sooner, and only then are its sockets closed.
TUNABLES = "glibc.malloc.hugetlb=1"
GOGC = "400"  # Temporal's garbage collection, less often than Go's default: memory for CPU


class PortInUse(Exception):
    """A port that was asked for is taken; the message names it and says what to do."""


@dataclass(frozen=True)
class StackOptions:
    """What to start. A port of 0 is a free one."""

    port: int = 8000
    host: str = "127.0.0.1"
    temporal_port: int = 7233
    temporal_ui_port: int = 8233
    workers: int = 1
    gateways: int = 1
    gateway_port: int = 0  # of the first gateway
    status: Path | None = None
    data: Path = Path(".holdfast/dev")
    keep_data: bool = False
    sandbox_only: bool = False  # never an operator's vendors, whatever the environment says
    environment: Mapping[str, str] = field(default_factory=dict)  # on top, for every child
    drain_seconds: float = 2.0


@dataclass(frozen=True)
class ChildStatus:
    """One child, as the status file tells it. ``pid`` None: it is being restarted."""

    role: str
    name: str
    pid: int | None
    port: int | None
    restarts: int


class Stack:
    """Starts everything on entering and leaves no process behind on leaving.

    Raises PortInUse, ChildFailed, NoTemporal or BadSettings on entering.
    """

    def __init__(self, options: StackOptions, settings: Settings | None = None) -> None:
        self.options = options
        self.settings = settings or Settings.read()
        self.sandboxed = sandboxed_vendors(self.settings, all_of_them=options.sandbox_only)
        self._lifeline = Lifeline()
        self._children: list[Child] = []
        self._backends = Backends()
        self._door = FrontDoor(self._backends)
        self._http = httpx.AsyncClient(trust_env=False, timeout=PROBE_DEADLINE_S)
        self._where = Addresses(0, 0, 0, 0, 0)
        self._environment: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Where everything is served on this machine."""
        return f"http://127.0.0.1:{self._where.door}"

    @property
    def public_url(self) -> str:
        """What the carrier sees."""
        return self._environment["PUBLIC_URL"]

    @property
    def api_key(self) -> str:
        """Opens /v1 and the console."""
        return self._environment["HOLDFAST_API_KEY"]

    @property
    def sandbox_url(self) -> str | None:
        """The sandbox's control routes, None where every vendor is real."""
        return f"http://127.0.0.1:{self._where.sandbox}" if self.sandboxed else None

    @property
    def temporal_address(self) -> str:
        """host:port of the Temporal server."""
        return f"127.0.0.1:{self._where.temporal}"

    @property
    def temporal_ui_url(self) -> str:
        """Where the Temporal UI is."""
        return f"http://127.0.0.1:{self._where.temporal_ui}"

    @property
    def environment(self) -> Mapping[str, str]:
        """What the children were given: keys, addresses, the database."""
        return self._environment

    @property
    def logs(self) -> Path:
        """The folder with one log a child."""
        return self.options.data / "logs"

    def children(self) -> list[ChildStatus]:
        """Every child as it is now."""
        return [
            ChildStatus(child.plan.role, child.plan.name, child.pid, child.plan.port, child.restarts)
            for child in self._children
        ]

    def kill(self, name: str, *, down_s: float = 0.0) -> None:
        """SIGKILL the child of that name; another takes its place, after ``down_s``. Raises KeyError."""
        for child in self._children:
            if child.plan.name == name:
                child.kill(down_s=down_s)
                return
        raise KeyError(name)

    async def end(self, name: str) -> None:
        """SIGTERM the child of that name and return once it has ended; another takes its place. Raises KeyError."""
        for child in self._children:
            if child.plan.name == name:
                await child.end()
                return
        raise KeyError(name)

    def kill_all(self) -> None:
        """SIGKILL every child, for those who will not wait for ``stop``."""
        for child in self._children:
            child.kill(for_good=True)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start everything and return once it is ready. Call ``stop`` afterwards, whatever this raises."""
        options = self.options
        door = await self._open_door()
        self._where = Addresses(
            door=door,
            temporal=_claimed(options.temporal_port, "--temporal-port"),
            temporal_ui=_claimed(options.temporal_ui_port, "--temporal-ui-port"),
            api=free_port(),
            sandbox=free_port(),
            mail=free_port(),
        )
        self._prepare_data()
        inherited = {**os.environ, **options.environment}
        database = f"sqlite+aiosqlite:///{options.data.absolute() / 'holdfast.db'}"
        database = inherited.get("DATABASE_URL") or reveal(self.settings.database_url) or database
        made = local_environment(self.settings, inherited, self.sandboxed, self._where, database)
        own = {"HOLDFAST_DRAIN_SECONDS": str(options.drain_seconds)}
        if "elevenlabs" in self.sandboxed:
            own["HOLDFAST_SPEECH_CACHE"] = str(options.data.absolute() / "speech")  # goes with this run's data
        self._environment = {**made, **own, **options.environment}
        binary = await obtain_temporal()
        async with progress("Starting"), _together() as begin:
            begin(self._start_temporal(binary))
            begin(self._migrate())
            if self.sandboxed:
                begin(self._start_sandbox())
        async with progress("Starting API, gateways and workers"), _together() as begin:
            begin(self._start_api())
            for number in range(1, options.gateways + 1):
                begin(self._start_gateway(number))
            for number in range(1, options.workers + 1):
                begin(self._start_worker(number))
        if self.settings.versioned_workers:
            await self._make_current()

    async def stop(self) -> None:
        """End everything in order, each child within its deadline. May be called twice."""
        await self._door.close()
        try:
            for roles in STOP_ORDER:
                await asyncio.gather(*(child.stop() for child in self._children if child.plan.role in roles))
        finally:
            self.kill_all()
            self._lifeline.cut()
            await self._http.aclose()
            if self.options.status is not None:
                self.options.status.unlink(missing_ok=True)

    async def _open_door(self) -> int:
        try:
            return await self._door.open(self.options.host, self.options.port)
        except OSError as error:
            raise _in_use(self.options.port, "--port") from error

    def _prepare_data(self) -> None:
        if not self.options.keep_data:
            shutil.rmtree(self.options.data, ignore_errors=True)
        self.logs.mkdir(parents=True, exist_ok=True)

    async def _start_temporal(self, binary: Path) -> None:
        namespace = self.settings.temporal_namespace
        command = server_command(
            binary,
            port=self._where.temporal,
            ui_port=self._where.temporal_ui,
            database=self.options.data / "temporal.db",
            namespace=namespace,
        )
        await self._run(
            "temporal",
            "temporal",
            foreign_command(command),
            ready=lambda: server_ready(self.temporal_address, namespace),
            port=self._where.temporal,
            extra={"GOGC": os.environ.get("GOGC", GOGC)},
            watched=False,
        )

    async def _start_sandbox(self) -> None:
        port = self._where.sandbox
        await self._run(
            "sandbox", "sandbox", own_command("sandbox"), ready=self._probe(port, "/sandbox/latency"), port=port
        )

    async def _start_api(self) -> None:
        port = self._where.api
        await self._run(
            "api",
            "api",
            own_command("api"),
            ready=self._probe(port, "/healthz"),
            port=port,
            extra={"HOLDFAST_PORT": str(port)},
        )
        self._backends.api = [Backend(port)]  # reached while it runs: its own answers say more than the door could

    async def _start_gateway(self, number: int) -> None:
        port = (number == 1 and self.options.gateway_port) or free_port()
        internal = free_port()
        child = await self._run(
            "gateway",
            f"gateway-{number}",
            own_command("gateway"),
            ready=self._probe(port, "/readyz"),
            port=port,
            extra={"HOLDFAST_GATEWAY_PORT": str(port), "HOLDFAST_GATEWAY_INTERNAL_PORT": str(internal)},
        )
        self._backends.gateways = [*self._backends.gateways, Backend(port, ready=lambda: child.ready)]

    async def _start_worker(self, number: int) -> None:
        port = free_port()
        await self._run(
            "worker",
            f"worker-{number}",
            own_command("worker"),
            ready=self._probe(port, "/readyz"),
            port=port,
            extra={
                "HOLDFAST_WORKER_PORT": str(port),
                "GLIBC_TUNABLES": os.environ.get("GLIBC_TUNABLES", TUNABLES),
            },
            watched=False,
        )

    async def _make_current(self) -> None:
        """There is one version here, as there is one installation."""
        client = await Client.connect(self.temporal_address, namespace=self.settings.temporal_namespace)
        try:
            await make_current(client, build_id(), CURRENT_DEADLINE_S)
        except NoWorkers as error:
            raise ChildFailed(str(error)) from error

    async def _run(
        self,
        role: str,
        name: str,
        command: list[str],
        *,
        ready: Callable[[], Awaitable[bool]],
        port: int,
        extra: Mapping[str, str] | None = None,
        watched: bool = True,
    ) -> Child:
        plan = ChildPlan(
            role=role,
            name=name,
            command=command,
            environment={**self._environment, **(extra or {})},
            ready=ready,
            log=self.logs / f"{name}.log",
            port=port,
            watched=watched,
            stop_deadline_s=self.options.drain_seconds + 5.0,
        )
        child = Child(plan, self._lifeline, self._write_status)
        self._children.append(child)
        await child.start()
        return child

    def _probe(self, port: int, path: str) -> Callable[[], Awaitable[bool]]:
        async def ready() -> bool:
            try:
                return (await self._http.get(f"http://127.0.0.1:{port}{path}")).is_success
            except httpx.HTTPError:
                return False

        return ready

    async def _migrate(self) -> None:
        log = self.logs / "migrate.log"
        with log.open("ab") as out:
            process = await asyncio.create_subprocess_exec(
                *own_command("migrate", "--database-only"),
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
            try:
                code = await asyncio.wait_for(process.wait(), MIGRATE_DEADLINE_S)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if code:
            raise ChildFailed("\n".join(complaints_in(log)) or f"the database was not migrated: {last_words(log)}")

    def _write_status(self) -> None:
        path = self.options.status
        if path is None:
            return
        told = json.dumps([asdict(child) for child in self.children()], indent=2) + "\n"
        try:
            write_whole(path, lambda stream: stream.write(told.encode()))
        except OSError as error:
            log.warning("status_not_written", reason=str(error))  # the children are kept running all the same


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _claimed(port: int, option: str) -> int:
    if port == 0:
        return free_port()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError as error:
            raise _in_use(port, option) from error
    return port


def _in_use(port: int, option: str) -> PortInUse:
    return PortInUse(
        f"port {port} is in use: stop what holds it (lsof -i :{port} tells), or choose another with {option}"
    )


@contextlib.asynccontextmanager
async def _together() -> AsyncIterator[Callable[[Awaitable[None]], object]]:
    """Run what is begun in the block side by side; the first failure ends the others and is raised as it is."""
    tasks: list[asyncio.Future[None]] = []
    try:
        yield lambda work: tasks.append(asyncio.ensure_future(work))
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
