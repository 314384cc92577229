"""Work of seconds in a process of its own at the lowest priority, whose result is kept in a file."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

LONGEST_REASON = 500  # characters of what the process said last


class WorkFailed(Exception):
    """The process has broken down, or took too long; the message is what it said last."""


async def work_apart(module: str, order: Mapping[str, Any], longest_s: float) -> None:
    """Have ``python -m module`` carry the order out. Raises WorkFailed; what is not done in time is killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    try:
        _, errors = await asyncio.wait_for(process.communicate(json.dumps(order).encode()), longest_s)
    except TimeoutError:
        raise WorkFailed("it took too long") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise WorkFailed(errors.decode(errors="replace")[-LONGEST_REASON:])


def take_order() -> dict[str, Any]:
    """In the process: what is to be done. Everything else on the machine goes first."""
    os.nice(19)
    order: dict[str, Any] = json.load(sys.stdin)
    return order


def write_whole(file: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Put a file in its place once it is whole: another process may be reading."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(f".{os.getpid()}.part")
    with beside.open("wb") as stream:
        write(stream)
    beside.replace(file)
