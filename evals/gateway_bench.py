"""Many calls on one gateway process: does each frame pass in time, and which process is the first to be full?

Callers and recogniser are two lean processes (evals.gateway_load); worker, Temporal and API are real, and answers come
from the speech cache.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evals.figures import CpuMeter, LoadFailed, Row, spread
from evals.gateway_load.carriers import Load

ENDING_S = 60.0  # after the measurement: all calls are hung up


@dataclass(frozen=True, slots=True)
class GatewayBench:
    """One measurement. ``recogniser_port``: where the gateway was told that Deepgram is."""

    load: Load
    recogniser_port: int
    pids: Mapping[str, Sequence[int]]

    async def run(self) -> Row:
        """Hold the calls and measure. Raises LoadFailed."""
        async with (
            _process("recogniser", str(self.recogniser_port)) as recogniser,
            _process("carriers") as carriers,
        ):
            await _line(recogniser)
            _write(carriers, json.dumps(asdict(self.load)))
            await _line(carriers)
            meter = CpuMeter.start({**self.pids, "recogniser": [recogniser.pid], "carriers": [carriers.pid]})
            began = time.monotonic()
            await _line(carriers)
            used, seconds = meter.used(), time.monotonic() - began
            async with asyncio.timeout(ENDING_S + self.load.calls):
                said = json.loads(await _line(carriers))
            _close_input(recogniser)
            heard = json.loads(await _line(recogniser))
        return {
            "calls": self.load.calls,
            **frames_of(heard, said),
            **answers_of(heard, said),
            **cpu_of(used, seconds, self.load.calls),
        }


def frames_of(heard: Mapping[str, Any], said: Mapping[str, Any]) -> Row:
    """How frames fared from the carrier to the recogniser."""
    return {
        "frames": heard["frames"],
        "frames_lost": said["frames"] - heard["frames"],
        "late_frames": heard["late"],
        "frames_packed": heard["packed"],
        "speech_frames_packed": heard["speech_packed"],
        **{name: round(heard[name], 2) for name in ("delay_p50_ms", "delay_p99_ms", "delay_max_ms", "jitter_p99_ms")},
        "carrier_late_frames": said["late_frames"],
        "streams_lost": said["lost"],
    }


def answers_of(heard: Mapping[str, Any], said: Mapping[str, Any]) -> Row:
    """From each end of turn to its answer's first audio at the carrier; the last question of a call may be open."""
    waits, unanswered = [], 0
    ends: dict[int, list[float]] = {}
    for call, ended_ms in heard["ended"]:
        ends.setdefault(call, []).append(ended_ms)
    last = {asked["call"]: asked["ended_ms"] for asked in said["asked"]}
    for asked in said["asked"]:
        ended_ms = next((at for at in ends.get(asked["call"], ()) if at >= asked["ended_ms"]), None)
        if ended_ms is not None and asked["answered_ms"] is not None:
            waits.append(asked["answered_ms"] - ended_ms)
        elif asked["ended_ms"] != last[asked["call"]]:
            unanswered += 1
    return {
        "turns": len(waits),
        "unanswered": unanswered,
        **{f"end_of_turn_to_audio_{name}": figure for name, figure in spread(waits).items()},
    }


def cpu_of(used: Mapping[str, float], seconds: float, calls: int) -> Row:
    """What each process took of a core, which of them took most, and what the gateway took for a call-minute."""
    busiest = max(used, key=lambda role: used[role])
    return {
        "gateway_cpu_s_per_call_min": round(used["gateway"] / (calls * seconds / 60), 3),
        **{f"{role}_core_share": round(cpu / seconds, 2) for role, cpu in used.items()},
        "machine_share": round(sum(used.values()) / seconds / (os.cpu_count() or 1), 2),
        "busiest": f"{busiest} {used[busiest] / seconds:.0%} of a core",
    }


@contextlib.asynccontextmanager
async def _process(name: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"evals.gateway_load.{name}", *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 26,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    if not (line := await process.stdout.readline()):
        raise LoadFailed("the load has ended too soon")
    return line.decode()


def _write(process: asyncio.subprocess.Process, text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text.encode() + b"\n")


def _close_input(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
