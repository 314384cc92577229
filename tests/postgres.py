"""A private PostgreSQL for tests: one cluster for the run, one database for each test that asks."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from uuid import uuid4

import pytest

_STARTS_WITHIN_SECONDS = 30


@dataclass(frozen=True)
class PostgresServer:
    """A running cluster; everybody on this machine may connect as postgres."""

    programs: Path
    port: int

    def url(self, database: str) -> str:
        """For DATABASE_URL."""
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{database}"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's client programs against the cluster."""
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres")
        subprocess.run([self.programs / program, *where, *arguments], check=True, capture_output=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Starts a cluster on a free port; never as root, which PostgreSQL refuses."""
    programs = _programs()
    if programs is None:
        _do_without("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="holdfast-postgres-"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        subprocess.run(
            [programs / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"],
            check=True,
            capture_output=True,
            user=user,
            cwd=folder,
            env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
        )
        yield from _running(programs, folder, user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """An empty database of its own."""
    name = f"test_{uuid4().hex}"
    postgres_server.run("createdb", name)
    yield postgres_server.url(name)
    postgres_server.run("dropdb", "--force", name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/holdfast.db"
    return str(request.getfixturevalue("postgres_url"))


def _running(programs: Path, folder: Path, user: str | None) -> Iterator[PostgresServer]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": folder,
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "shared_buffers": "32MB",
        "max_connections": "200",
    }
    command = [str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port)]
    command += [f"-c{name}={value}" for name, value in settings.items()]
    if shutil.which("setpriv"):  # a run that is killed takes its cluster along
        command = ["setpriv", "--pdeathsig", "INT", *command]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, user=user, cwd=folder)
    try:
        ready = [
            str(programs / "pg_isready"),
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "-t",
            str(_STARTS_WITHIN_SECONDS),
        ]
        while subprocess.run(ready, check=False).returncode != 0:
            if server.poll() is not None:
                pytest.fail("PostgreSQL did not start:\n" + (folder / "log").read_text())
        yield PostgresServer(programs, port)
    finally:
        server.send_signal(signal.SIGINT)  # a fast shutdown
        server.wait(_STARTS_WITHIN_SECONDS)


def _programs() -> Path | None:
    """Where initdb and its kin are: Debian keeps them off the PATH, one folder for each version."""
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    found = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if (folder / "initdb").exists()]
    return max(found, key=lambda folder: int(folder.parent.name), default=None)


def _user() -> str | None:
    """Who runs the cluster: postgres when we are root, else ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        _do_without("there is no user postgres to run PostgreSQL")


def _do_without(why: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{why}, and CI must not pass without")
    pytest.skip(why)
