"""Child processes: started, watched, restarted, and none left behind."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog

from cli.lifeline import LIFELINE_VARIABLE
from cli.progress import COMPLAINT

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
STEADY_AFTER_S = 30.0  # a child that has lived so long starts with the shortest pause again
TRIES_BEFORE_READY = 3  # one that was never ready is given up after so many deaths
READY_POLL_S = 0.1
HEALTH_POLL_S = 0.5

log = structlog.get_logger()


class ChildFailed(Exception):
    """A child does not come up; the message says which, with its last words."""


@dataclass(frozen=True)
class ChildPlan:
    """How to run one child."""

    role: str
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ready: Callable[[], Awaitable[bool]]
    log: Path
    port: int | None = None
    watched: bool = True  # whether ``ready`` is asked again once it was true
    stop_deadline_s: float = 10.0
    ready_deadline_s: float = 120.0  # of a machine that is busy


def own_command(*arguments: str) -> list[str]:
    """The command line of one of our own roles, in this interpreter."""
    return [sys.executable, "-m", "cli.main", *arguments]


def foreign_command(command: Sequence[str]) -> list[str]:
    """The command line of another program that is to end with us."""
    return [sys.executable, "-m", "cli.lifeline", *command]


class Lifeline:
    """The pipe whose end tells every child that its parent is gone."""

    def __init__(self) -> None:
        self.read_end, self._write_end = os.pipe()

    def cut(self) -> None:
        """Tell the children now. May be called twice."""
        for end in (self.read_end, self._write_end):
            with contextlib.suppress(OSError):
                os.close(end)


class Child:
    """One child, kept running until it is stopped."""

    def __init__(self, plan: ChildPlan, lifeline: Lifeline, changed: Callable[[], None]) -> None:
        self.plan = plan
        self.restarts = 0
        self.ready = False
        self._lifeline = lifeline
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._was_ready = False
        self._stopping = False
        self._down_until = 0.0  # monotonic: it is not started again before

    @property
    def pid(self) -> int | None:
        """Its process id, None while there is no process."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Run it until it is ready. Raises ChildFailed."""
        self._keeper = asyncio.create_task(self._keep_running(), name=f"keep {self.plan.name}")
        deadline = time.monotonic() + self.plan.ready_deadline_s
        while not self.ready:
            if self._keeper.done():
                await self._keeper
            if time.monotonic() > deadline:
                raise ChildFailed(f"{self._not_ready()} within {self.plan.ready_deadline_s:.0f} s")
            await asyncio.sleep(READY_POLL_S)

    async def stop(self) -> None:
        """Ask it to end, and end it when its deadline has passed."""
        self._stopping = True
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), self.plan.stop_deadline_s)
            except TimeoutError:
                log.warning("child_killed", child=self.plan.name, after_s=self.plan.stop_deadline_s)
                self.kill()
                await process.wait()
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError, ChildFailed):
                await self._keeper

    async def end(self) -> None:
        """Ask it to end and return once it has; another takes its place."""
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            await process.wait()

    def kill(self, *, for_good: bool = False, down_s: float = 0.0) -> None:
        """End it at once; another takes its place after ``down_s``, unless ``for_good`` or it is being stopped."""
        self._stopping = self._stopping or for_good
        self._down_until = time.monotonic() + down_s
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _keep_running(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            code = await self._run_once()
            if self._stopping:
                return
            self.restarts += 1
            log.warning("child_ended", child=self.plan.name, code=code)
            if not self._was_ready and self.restarts >= TRIES_BEFORE_READY:
                raise ChildFailed(f"{self._not_ready()}: it ended with code {code} {self.restarts} times")
            if time.monotonic() - began > STEADY_AFTER_S:
                pause = FIRST_PAUSE_S
            await asyncio.sleep(max(pause, self._down_until - time.monotonic()))
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _run_once(self) -> int:
        with self._log() as out:
            self._process = await asyncio.create_subprocess_exec(
                *self.plan.command,
                env={**self.plan.environment, LIFELINE_VARIABLE: "1"},
                stdin=self._lifeline.read_end,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C is for the parent, which stops its children in order
            )
        self._changed()
        health = asyncio.create_task(self._watch_health())
        try:
            return await self._process.wait()
        finally:
            health.cancel()
            self.ready = False
            self.kill()  # nobody would keep it any more
            self._changed()

    async def _watch_health(self) -> None:
        while self.plan.watched or not self.ready:
            self.ready = await self.plan.ready()
            self._was_ready = self._was_ready or self.ready
            await asyncio.sleep(HEALTH_POLL_S if self.ready else READY_POLL_S)

    def _log(self) -> BinaryIO:
        self.plan.log.parent.mkdir(parents=True, exist_ok=True)
        return self.plan.log.open("ab")

    def _not_ready(self) -> str:
        words = "; ".join(complaints_in(self.plan.log)[-3:]) or last_words(self.plan.log)
        return f"{self.plan.name} did not come up" + (f" ({words})" if words else "")


def complaints_in(path: Path) -> list[str]:
    """The lines in which a role of ours said why it cannot start (cli.process.complaints)."""
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return [line.removeprefix(COMPLAINT) for line in lines if line.startswith(COMPLAINT)]


def last_words(path: Path) -> str:
    """The last line of a log that says anything, "" if there is none."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4_096))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""
