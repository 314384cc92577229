"""A filler for a reply whose first audio is late, whichever vendor is slow."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from activities.delivery import Delivery
from activities.feed import now_ms
from core.ports.errors import PlaybackLost
from core.ports.speech_cache import Recording

VOICE_GRACE_MS = 400  # a sentence that the voice has had for less than this is about to be heard


@contextmanager
def filler_when_late(delivery: Delivery, filler: Recording | None, after_ms: int) -> Iterator[None]:
    """Say the filler if nothing was heard ``after_ms`` into the block. One only: the next is another attempt's."""
    if filler is None or not after_ms:
        yield
        return
    watch = _Watch(delivery, filler)
    watch.wait(after_ms)
    try:
        yield
    finally:
        watch.timer.cancel()


class _Watch:
    timer: asyncio.TimerHandle

    def __init__(self, delivery: Delivery, filler: Recording) -> None:
        self._delivery = delivery
        self._filler = filler

    def wait(self, ms: float) -> None:
        self.timer = asyncio.get_running_loop().call_later(ms / 1_000, self._look)

    def _look(self) -> None:
        if self._delivery.begun:
            return
        sentence_ms = self._delivery.timings.first_sentence_ms
        grace_ms = VOICE_GRACE_MS - (now_ms() - sentence_ms) if sentence_ms is not None else 0
        if grace_ms > 0:
            self.wait(grace_ms)
            return
        try:
            self._delivery.fill(self._filler)
        except PlaybackLost:
            return  # whoever waits for the reply learns it, too
