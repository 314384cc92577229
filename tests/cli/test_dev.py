"""holdfast dev, as its users start, use and stop it: real processes, real Temporal, the sandbox."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from activities.playbook_shelf import voice_of
from activities.spoken_lines import fixed_lines
from cli.dev import our_command
from cli.settings import PACKAGED_PLAYBOOKS
from core.playbook import parse_playbook

UP_DEADLINE_S = 200.0
DEADLINE_S = 60.0
pytestmark = pytest.mark.timeout(400)
OURS = re.compile(r"^(HOLDFAST|TWILIO|DEEPGRAM|ANTHROPIC|ELEVENLABS)_|^(DATABASE_URL|PUBLIC_URL|TEMPORAL_\w+)$")
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name == "HOLDFAST_TEMPORAL_CLI" or not OURS.search(name)
}


@dataclass(frozen=True)
class Dev:
    """A running `holdfast dev`."""

    process: subprocess.Popen[str]
    status: Path
    url: str
    api_key: str

    def children(self) -> dict[str, dict[str, Any]]:
        """The status file by name."""
        return {child["name"]: child for child in json.loads(self.status.read_text())}

    def holdfast(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Another holdfast command that knows the key and the address."""
        known = {"HOLDFAST_API_KEY": self.api_key, "PUBLIC_URL": self.url}
        return holdfast(*arguments, **(known | environment))


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cli.main", *arguments]


def holdfast(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env={**ENVIRONMENT, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> Iterator[Dev]:
    folder = tmp_path_factory.mktemp("dev")
    ports = ["--port", "0", "--temporal-port", "0", "--temporal-ui-port", "0"]
    process = subprocess.Popen(
        command("dev", *ports, "--gateways", "2", "--data", str(folder / "data"), "--status", str(folder / "status")),
        env=ENVIRONMENT | {"HOLDFAST_TEMPORAL_CLI": str(temporal_binary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    giving_up = threading.Timer(UP_DEADLINE_S, process.kill)
    giving_up.start()
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if "holdfast call" in line:
            break
    giving_up.cancel()
    if found := re.search(r"HOLDFAST_API_KEY=(\S+) PUBLIC_URL=(\S+)", said):
        yield Dev(process, folder / "status", url=found[2], api_key=found[1])
    else:
        pytest.fail(f"it did not come up: {said}")
    process.terminate()
    process.communicate(timeout=DEADLINE_S)


def until(condition: Callable[[], object]) -> None:
    """Look until it is so."""
    pause, deadline = threading.Event(), time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        pause.wait(0.05)


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_fixed_lines_of_every_playbook_are_recorded_with_no_call(dev: Dev) -> None:
    speech = dev.status.parent / "data" / "speech"
    playbooks = [parse_playbook(path.read_text(), path.name) for path in PACKAGED_PLAYBOOKS.glob("*.yaml")]
    wanted = {(voice_of(playbook), line) for playbook in playbooks for line in fixed_lines(playbook, playbook.language)}
    until(lambda: len(list(speech.glob("*.speech"))) >= len(wanted))
    assert len(wanted) > len(playbooks)


def test_the_command_is_told_as_a_terminal_finds_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / ".venv" / "bin" / "holdfast"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(program), "dev"])
    monkeypatch.setenv("PATH", "/nowhere")
    assert our_command() == ".venv/bin/holdfast"
    monkeypatch.setenv("PATH", str(program.parent))
    assert our_command() == "holdfast"


def test_the_status_file_tells_role_pid_and_port_of_each_child(dev: Dev) -> None:
    children = dev.children()
    assert children.keys() == {"temporal", "sandbox", "api", "gateway-1", "gateway-2", "worker-1"}
    assert {child["role"] for child in children.values()} == {"temporal", "sandbox", "api", "gateway", "worker"}
    assert all(runs(child["pid"]) for child in children.values())
    for child in children.values():
        socket.create_connection(("127.0.0.1", child["port"]), timeout=5).close()


def test_one_port_serves_api_console_and_media(dev: Dev) -> None:
    assert httpx.get(f"{dev.url}/readyz").json()["ready"] is True
    assert httpx.get(f"{dev.url}/v1/calls").status_code == 401
    key = {"Authorization": f"Bearer {dev.api_key}"}
    assert httpx.get(f"{dev.url}/v1/playbooks", headers=key).json()["playbooks"]
    with pytest.raises(InvalidStatus) as refused:  # by a gateway: the handshake is not signed
        connect(f"ws{dev.url.removeprefix('http')}/twilio/media", proxy=None)
    assert refused.value.response.status_code == 403


def test_the_doctor_finds_nothing_wrong(dev: Dev) -> None:
    environ = Path(f"/proc/{dev.children()['worker-1']['pid']}/environ").read_bytes().decode().split("\0")
    given = dict(line.split("=", 1) for line in environ if OURS.search(line.partition("=")[0]))
    ran = holdfast("doctor", **given)
    assert ran.returncode == 0, ran.stdout
    assert "Ready for calls." in ran.stdout


def test_a_call_is_placed_by_command(dev: Dev) -> None:
    ran = dev.holdfast("call", "+15550100", "--playbook", "appointment_reminder", "--var", "name=Ada")
    assert ran.returncode == 0, ran.stderr
    key = {"Authorization": f"Bearer {dev.api_key}"}
    call_url = f"{dev.url}/v1/calls/{ran.stdout.strip()}"
    until(lambda: httpx.get(call_url, headers=key).json().get("phase") == "live")
    answer = httpx.post(f"{call_url}/end", json={"reason": "the test has seen enough"}, headers=key)
    assert answer.is_success, answer.text
    until(lambda: httpx.get(call_url, headers=key).json()["disposition"] == "ended_by_operator")


@pytest.mark.parametrize(
    ("arguments", "environment", "complaint"),
    [
        (["+15550100", "--playbook", "nowhere"], {}, "holdfast: playbook: names no playbook we have: nowhere"),
        (["five", "--playbook", "order_support"], {}, "holdfast: to: is no phone number in international form"),
        (["+15550100", "--playbook", "order_support", "--var", "name"], {}, "--var name: must be key=value"),
        (
            ["+15550100", "--playbook", "order_support"],
            {"HOLDFAST_API_KEY": "wrong"},
            "HOLDFAST_API_KEY is not the key",
        ),
        (["+15550100", "--playbook", "order_support"], {"PUBLIC_URL": "http://127.0.0.1:9"}, "cannot be reached"),
    ],
)
def test_a_call_that_cannot_be_placed_is_one_line(
    dev: Dev, arguments: list[str], environment: dict[str, str], complaint: str
) -> None:
    ran = dev.holdfast("call", *arguments, **environment)
    assert ran.returncode == 2
    [line] = ran.stderr.splitlines()
    assert line.startswith("holdfast: ")
    assert complaint in line


def test_a_port_in_use_is_one_line_that_names_it(dev: Dev, tmp_path: Path) -> None:
    port = dev.url.rpartition(":")[2]
    ran = holdfast("dev", "--port", port, "--data", str(tmp_path))
    assert ran.returncode == 2
    assert ran.stderr.splitlines() == [
        f"holdfast: port {port} is in use: stop what holds it (lsof -i :{port} tells), or choose another with --port"
    ]


def test_a_broken_playbook_is_told_by_file_line_and_field(tmp_path: Path, temporal_binary: Path) -> None:
    (tmp_path / "bad.yaml").write_text("name: bad\ngoal: g\npersona: p\ngreeting: hello\nstepss: []\n")
    ports = ["--port", "0", "--temporal-port", "0", "--temporal-ui-port", "0"]
    ran = holdfast(
        *("dev", *ports, "--data", str(tmp_path / "data")),
        HOLDFAST_PLAYBOOKS=str(tmp_path),
        HOLDFAST_TEMPORAL_CLI=str(temporal_binary),
    )
    assert ran.returncode == 2
    told = [line for line in ran.stderr.splitlines() if line.startswith("holdfast: ")]
    assert f"holdfast: {tmp_path}/bad.yaml:5: stepss: no such field (did you mean 'steps'?)" in told
    assert "Traceback" not in ran.stderr


def test_gateways_run_before_all_else_where_that_is_permitted(dev: Dev, real_time_permitted: bool) -> None:
    if not real_time_permitted:
        pytest.skip("no real-time priority for this user")
    policies = {name: os.sched_getscheduler(child["pid"]) for name, child in dev.children().items()}
    first = {name for name, policy in policies.items() if policy == os.SCHED_RR}
    assert first == {"gateway-1", "gateway-2"}


def test_a_gateway_that_is_killed_comes_back(dev: Dev) -> None:
    killed = dev.children()["gateway-1"]
    os.kill(killed["pid"], signal.SIGKILL)
    until(lambda: dev.children()["gateway-1"]["pid"] not in (None, killed["pid"]))
    assert dev.children()["gateway-1"]["restarts"] == 1
    assert dev.children()["gateway-2"]["restarts"] == 0


def test_ctrl_c_stops_every_child_and_leaves_nothing_behind(dev: Dev) -> None:
    pids = [child["pid"] for child in dev.children().values()]
    dev.process.send_signal(signal.SIGINT)
    said, _ = dev.process.communicate(timeout=DEADLINE_S)
    assert dev.process.returncode == 0
    assert not [pid for pid in pids if pid and runs(pid)]
    assert not dev.status.exists()
    assert "Traceback" not in said
