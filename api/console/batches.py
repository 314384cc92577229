"""Lines of the feed by the handful: many come at once, and a page needs drawing once."""

import asyncio
from collections.abc import AsyncIterator

from core.ports.call_log import StoredEvent


async def batches(lines: AsyncIterator[StoredEvent], pause_seconds: float) -> AsyncIterator[list[StoredEvent]]:
    """What has come by ``pause_seconds`` after a batch's first line. Raises what ``lines`` raises."""
    waiting: list[StoredEvent] = []
    news = asyncio.Event()

    async def collect() -> None:
        async for line in lines:
            waiting.append(line)
            news.set()

    collecting = asyncio.create_task(collect(), name="console feed")
    collecting.add_done_callback(lambda _: news.set())
    try:
        while not collecting.done() or waiting:
            await news.wait()
            await asyncio.sleep(pause_seconds)
            news.clear()
            if waiting:
                batch, waiting[:] = waiting[:], []
                yield batch
        collecting.result()
    finally:
        collecting.cancel()
        await asyncio.wait([collecting])
