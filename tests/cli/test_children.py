"""Children: restarted when they die, gone when their parent is, however it died."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.children import Child, ChildFailed, ChildPlan, Lifeline, foreign_command

SLEEPER = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=True); signal.pause()",
]
DEADLINE_S = 20.0


async def gone(pid: int) -> None:
    """Return once the process has ended."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop.add_reader(descriptor, ended.set)
    try:
        await asyncio.wait_for(ended.wait(), DEADLINE_S)
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
async def lifeline() -> AsyncIterator[Lifeline]:
    line = Lifeline()
    yield line
    line.cut()


def plan(log: Path, command: list[str], *, stop_deadline_s: float = 10.0) -> ChildPlan:
    async def is_up() -> bool:
        return log.exists() and "up" in log.read_text()  # noqa: ASYNC240

    return ChildPlan("role", "one", command, dict(os.environ), is_up, log, stop_deadline_s=stop_deadline_s)


async def test_a_child_that_is_killed_is_started_again(tmp_path: Path, lifeline: Lifeline) -> None:
    changed = asyncio.Event()
    child = Child(plan(tmp_path / "log", SLEEPER), lifeline, changed.set)
    await child.start()
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(DEADLINE_S):
        while child.pid in (None, first):
            changed.clear()
            await changed.wait()
    assert child.restarts == 1
    await child.stop()


async def test_a_stopped_child_is_gone_and_stays_so(tmp_path: Path, lifeline: Lifeline) -> None:
    child = Child(plan(tmp_path / "log", SLEEPER), lifeline, lambda: None)
    await child.start()
    pid = child.pid
    assert pid is not None
    await child.stop()
    assert not runs(pid)
    assert child.pid is None


async def test_a_child_that_will_not_stop_is_killed_at_its_deadline(tmp_path: Path, lifeline: Lifeline) -> None:
    child = Child(plan(tmp_path / "log", STUBBORN, stop_deadline_s=0.1), lifeline, lambda: None)
    await child.start()
    pid = child.pid
    assert pid is not None
    await child.stop()
    assert not runs(pid)


async def test_a_child_that_never_comes_up_is_given_up_with_its_last_words(tmp_path: Path, lifeline: Lifeline) -> None:
    child = Child(plan(tmp_path / "log", [sys.executable, "-c", "raise SystemExit('no key')"]), lifeline, lambda: None)
    with pytest.raises(ChildFailed, match=r"one did not come.* \(no key\)"):
        await child.start()
    assert child.pid is None


async def test_another_program_ends_with_its_parent_and_keeps_its_own_pid(tmp_path: Path) -> None:
    line = Lifeline()
    child = Child(plan(tmp_path / "log", foreign_command(["sh", "-c", "echo up; exec sleep 1000"])), line, lambda: None)
    await child.start()
    pid = child.pid
    assert pid is not None
    assert Path(f"/proc/{pid}/comm").read_text().strip() in ("sh", "sleep")  # noqa: ASYNC240
    line.cut()
    await gone(pid)
    await child.stop()


PARENT = """
import asyncio, json, os, sys
from pathlib import Path
from cli.children import Child, ChildPlan, Lifeline, foreign_command

HOLDING_ON = "import signal; from cli.lifeline import hold_on; hold_on(); print('up', flush=True); signal.pause()"
OURS = [sys.executable, "-c", HOLDING_ON]

async def main(folder: Path) -> None:
    line, children = Lifeline(), []
    for name, command in (("ours", OURS), ("other", foreign_command(["sh", "-c", "echo up; exec sleep 1000"]))):
        log = folder / name
        async def is_up(log=log) -> bool:
            return log.exists() and "up" in log.read_text()
        child = Child(ChildPlan(name, name, command, dict(os.environ), is_up, log), line, lambda: None)
        await child.start()
        children.append(child)
    print(json.dumps([child.pid for child in children]), flush=True)
    await asyncio.Event().wait()

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_killing_the_parent_leaves_no_child_behind(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, str(tmp_path), stdout=PIPE)
    assert parent.stdout is not None
    pids: list[int] = json.loads(await asyncio.wait_for(parent.stdout.readline(), DEADLINE_S))
    assert all(runs(pid) for pid in pids)
    parent.kill()
    await parent.wait()
    await asyncio.gather(*map(gone, pids))
    assert not any(map(runs, pids))
