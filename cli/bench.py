"""holdfast bench: how fast it is, measured on this machine with the real Temporal server and the sandbox."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import uvloop
from rich.table import Table
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.dev import STACK_FAILURES, quiet_logs, run_stack
from cli.process import complaints
from cli.progress import out, progress
from cli.settings import Settings
from cli.stack import Stack, StackOptions, free_port
from core.contracts.playbook import brief_of
from core.playbook import parse_playbook
from evals.call_bench import CallBench
from evals.figures import Row, write_rows
from evals.hop_bench import HopBench, HopLog
from evals.sandbox_control import SandboxControl

PLAYBOOK = "order_support"
NUMBER = "+12025550142"  # that playbook answers it
DATA = Path(".holdfast/bench")
VENDORS = {  # what the peers were measured with, ms
    "end_of_turn_ms": 371.0,
    "eager_end_of_turn_ms": 210.0,
    "resumed_share": 0.1,
    "model_first_token_ms": 320.0,
    "voice_first_byte_ms": 130.0,
}


def run_hop(calls: Sequence[int], turns: int, json_file: Path | None) -> None:
    """Measure the durable hop at each number of live calls."""

    async def measure(stack: Stack) -> list[Row]:
        rows = []
        for count in calls:
            async with _hop_worker(stack) as (worker, log), progress(f"Holding {count} calls"):
                rows.append(await _hop(stack, worker.pid, log, count, turns))
        return rows

    _run(StackOptions(0, temporal_port=0, temporal_ui_port=0, workers=0, gateways=0, data=DATA), measure, json_file)


def run_call(calls: Sequence[int], turns: int, json_file: Path | None, workers: int) -> None:
    """Hold calls in real time, at each number of them."""
    gateway_port = free_port()
    options = StackOptions(
        0,
        temporal_port=0,
        temporal_ui_port=0,
        workers=workers,
        gateway_port=gateway_port,
        data=DATA,
        sandbox_only=True,
        # The carrier reaches the gateway itself, as an ingress would: the development door is not measured.
        environment={"HOLDFAST_MEDIA_URL": f"ws://127.0.0.1:{gateway_port}", "HOLDFAST_LOG_LEVEL": "WARNING"},
    )

    async def measure(stack: Stack) -> list[Row]:
        sandbox = SandboxControl(stack.sandbox_url or "")
        try:
            rows = []
            for count in calls:
                bench = CallBench(sandbox, NUMBER, _pids(stack), count, turns, VENDORS)
                async with progress(f"Holding {count} calls"):
                    rows.append(await bench.run())
            return rows
        finally:
            await sandbox.close()

    _run(options, measure, json_file)


def _run(options: StackOptions, measure: Callable[[Stack], Awaitable[list[Row]]], json_file: Path | None) -> None:
    quiet_logs()
    rows: list[Row] = []

    async def use(stack: Stack) -> None:
        rows.extend(await measure(stack))

    with complaints(*STACK_FAILURES):
        uvloop.run(run_stack(Stack(options, Settings.read()), use))
    _print(rows)
    write_rows(json_file, rows)


def _print(rows: Sequence[Row]) -> None:
    table = Table(box=None, header_style="bold")
    table.add_column("figure")
    for row in rows:
        table.add_column(f"{row['calls']} calls", justify="right")
    for name in rows[0] if rows else ():
        table.add_row(name, *(str(row.get(name, "")) for row in rows))
    out.print(table)


def _pids(stack: Stack) -> dict[str, list[int]]:
    pids: dict[str, list[int]] = {}
    for child in stack.children():
        if child.pid is not None:
            pids.setdefault(child.role, []).append(child.pid)
    return pids


async def _hop(stack: Stack, worker: int, log: HopLog, calls: int, turns: int) -> Row:
    text = (Path(stack.settings.playbooks) / f"{PLAYBOOK}.yaml").read_text()
    playbook = parse_playbook(text, PLAYBOOK)
    bench = HopBench(
        client=await Client.connect(stack.temporal_address, data_converter=pydantic_data_converter),
        log=log,
        playbook=brief_of(playbook),
        utterances=[
            example for step in playbook.steps if not step.ends_call and not step.escalates for example in step.examples
        ],
        pids={"temporal": _pids(stack)["temporal"], "worker": [worker], "bench": [os.getpid()]},
        calls=calls,
        turns=turns,
    )
    return await bench.run()


@contextlib.asynccontextmanager
async def _hop_worker(stack: Stack) -> AsyncIterator[tuple[asyncio.subprocess.Process, HopLog]]:
    """A worker with instant vendors and what it tells."""
    log = HopLog()
    with (stack.logs / "hop-worker.log").open("ab") as errors:
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli.hop_worker",
            env=dict(stack.environment), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors,
        )  # fmt: skip
    listening = asyncio.create_task(_listen(worker, log))
    try:
        yield worker, log
    finally:
        worker.kill()
        await worker.wait()
        await listening


async def _listen(worker: asyncio.subprocess.Process, log: HopLog) -> None:
    assert worker.stdout is not None
    async for line in worker.stdout:
        if line.startswith(b"["):
            call_id, turn, started_ms = json.loads(line)
            log.told(call_id, turn, started_ms)
