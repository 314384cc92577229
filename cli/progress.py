"""Words on the terminal while something takes its time."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from rich.console import Console

PATIENCE_S = 2.0  # below it nobody wonders
REPEAT_S = 15.0
COMPLAINT = "holdfast: "  # how a line begins that says why something cannot be done

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def complain(line: str) -> None:
    """Say why something cannot be done, in one line."""
    err.print(f"{COMPLAINT}{line}", markup=False, style="red")


@contextlib.asynccontextmanager
async def progress(what: str) -> AsyncIterator[None]:
    """Tell what is under way once it has taken longer than two seconds, and how long it has been since."""
    teller = asyncio.create_task(_tell(what))
    try:
        yield
    finally:
        teller.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await teller


async def _tell(what: str) -> None:
    began = time.monotonic()
    await asyncio.sleep(PATIENCE_S)
    if not err.is_terminal:
        while True:
            err.print(f"{what} ... {time.monotonic() - began:.0f} s", markup=False)
            await asyncio.sleep(REPEAT_S)
    with err.status(what) as line:
        while True:
            line.update(f"{what} ... {time.monotonic() - began:.0f} s")
            await asyncio.sleep(1)
