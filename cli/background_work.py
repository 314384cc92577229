"""Work of seconds in a process of its own at the lowest priority, whose result is kept in a file."""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

UNFINISHED = ".part"
UNFINISHED_S = 3_600.0  # longer than anything is written
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


def write_whole(file: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Put a file in its place once it is whole: another process may be reading.

    Raises OSError where that cannot be done, on a full disk say, and leaves what was there.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    _clear(file.parent)
    beside = file.with_suffix(f".{os.getpid()}{UNFINISHED}")
    try:
        with beside.open("wb") as stream:
            write(stream)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _clear(folder: Path) -> None:
    """Of what processes left that were killed while they wrote."""
    for left in folder.glob(f"*{UNFINISHED}"):
        with contextlib.suppress(FileNotFoundError):  # another process clears it too
            if time.time() - left.stat().st_mtime > UNFINISHED_S:
                left.unlink()
