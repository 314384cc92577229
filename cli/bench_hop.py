"""holdfast bench hop: the durable hop, measured on this machine with the real Temporal server."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.bench_stack import DATA, PLAYBOOK, pids_of, run
from cli.progress import progress
from cli.stack import Stack, StackOptions
from core.contracts.playbook import brief_of
from core.playbook import parse_playbook
from evals.figures import Row
from evals.hop_bench import HopBench, HopLog


def run_hop(calls: Sequence[int], turns: int, json_file: Path | None) -> None:
    """Measure the durable hop at each number of live calls."""

    async def measure(stack: Stack) -> AsyncIterator[Row]:
        for count in calls:
            async with _hop_worker(stack) as (worker, log), progress(f"Holding {count} calls"):
                row = await _hop(stack, worker.pid, log, count, turns)
            yield row

    run(StackOptions(0, temporal_port=0, temporal_ui_port=0, workers=0, gateways=0, data=DATA), measure, json_file)


async def _hop(stack: Stack, worker: int, log: HopLog, calls: int, turns: int) -> Row:
    text = (Path(stack.environment["HOLDFAST_PLAYBOOKS"]) / f"{PLAYBOOK}.yaml").read_text()
    playbook = parse_playbook(text, PLAYBOOK)
    bench = HopBench(
        client=await Client.connect(stack.temporal_address, data_converter=pydantic_data_converter),
        log=log,
        playbook=brief_of(playbook),
        utterances=[
            example for step in playbook.steps if not step.ends_call and not step.escalates for example in step.examples
        ],
        pids={"temporal": pids_of(stack)["temporal"], "worker": [worker], "bench": [os.getpid()]},
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
