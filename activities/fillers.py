"""Fillers for a reply whose first audio is late, whichever vendor is slow."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from activities.delivery import Delivery
from activities.feed import now_ms
from core.ports.errors import PlaybackLost
from core.ports.speech_cache import Recording

VOICE_GRACE_MS = 400  # a sentence that the voice has had for less than this is about to be heard
AGAIN_AFTER_MS = 2_000  # of silence after the end of a filler
BYTES_A_MS = 8


@contextmanager
def fillers_when_late(
    delivery: Delivery, fillers: Sequence[Recording], after_ms: float, again_after_ms: float = AGAIN_AFTER_MS
) -> Iterator[None]:
    """Say a filler if no answer was heard ``after_ms`` into the block, and the next ones after more silence."""
    watch = _Watch(delivery, fillers, again_after_ms)
    watch.wait(after_ms)
    try:
        yield
    finally:
        watch.stop()


class _Watch:
    def __init__(self, delivery: Delivery, fillers: Sequence[Recording], again_after_ms: float) -> None:
        self._delivery = delivery
        self._again_after_ms = again_after_ms
        self._left = list(fillers)
        self._timer: asyncio.TimerHandle | None = None

    def wait(self, ms: float) -> None:
        """Look in so long."""
        if self._left:
            self._timer = asyncio.get_running_loop().call_later(ms / 1_000, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        delivery = self._delivery
        if delivery.answering:
            return
        grace_ms = VOICE_GRACE_MS - (now_ms() - delivery.asked_voice_ms) if delivery.asked_voice_ms else 0
        if grace_ms > 0:
            self.wait(grace_ms)
            return
        filler = self._left.pop(0)
        try:
            delivery.fill(filler)
        except PlaybackLost:
            return  # whoever waits for the reply learns it, too
        self.wait(filler.size / BYTES_A_MS + self._again_after_ms)
