"""One stream's ear: the recogniser, opened, fed, and opened again when it is lost."""

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog

from core.ports.errors import VendorError
from core.ports.speech import Recogniser, Recognition
from core.turns import RecogniserEvent, RecogniserLost, TurnTaking

log = structlog.get_logger()

FIRST_PAUSE = 0.2  # seconds between tries; doubled up to the longest
LONGEST_PAUSE = 2.0
STEADY_AFTER = 2.0  # a stream that held so long was a good one


class Listening:
    """Keeps a recogniser listening to one stream.

    ``hear`` never waits. ``heard`` gets every event, ``failed`` the kind of the VendorError once the recogniser has
    refused us or stayed away for ``patience`` seconds. ``backlog`` is what a newly opened recogniser hears first.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        *,
        heard: Callable[[RecogniserEvent], None],
        failed: Callable[[str], None],
        backlog: Callable[[], Iterable[bytes]],
        patience: float,
    ) -> None:
        self._recogniser = recogniser
        self._heard = heard
        self._failed = failed
        self._backlog = backlog
        self._patience = patience
        self._rules: TurnTaking | None = None
        self._rules_changed = asyncio.Event()
        self._recognition: Recognition | None = None  # the open one
        self._lost = asyncio.Event()

    def listen(self, rules: TurnTaking) -> None:
        """Open the recogniser by these rules; again if it is open by others that it would heed."""
        before, self._rules = self._rules, rules
        if before is None or _heeded(before) != _heeded(rules):
            self._rules_changed.set()

    def hear(self, frame: bytes) -> None:
        """The next frame. The hot path."""
        if self._recognition is not None:
            self._feed(self._recognition, frame)

    async def run(self) -> None:
        """Listen until cancelled, or until the recogniser has failed for good."""
        await self._rules_changed.wait()
        failing_since = time.monotonic()
        pause = FIRST_PAUSE
        while True:
            try:
                opened_at = await self._listen_once()
            except VendorError as error:
                if not error.curable or time.monotonic() - failing_since >= self._patience:
                    log.error("recogniser_failed", kind=error.kind)
                    self._failed(error.kind)
                    return
                log.warning("recogniser_unavailable", kind=error.kind)
            else:
                if time.monotonic() - opened_at >= STEADY_AFTER:
                    failing_since, pause = time.monotonic(), FIRST_PAUSE
                if self._rules_changed.is_set():
                    continue
                if time.monotonic() - failing_since >= self._patience:
                    log.error("recogniser_failed", kind="unavailable")
                    self._failed("unavailable")
                    return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _listen_once(self) -> float:
        """Open one stream and use it until it is lost or the rules change; returns when it was up."""
        assert self._rules is not None
        self._rules_changed.clear()
        recognition = await self._recogniser.open(self._rules)
        opened_at = time.monotonic()
        self._lost.clear()
        self._recognition = recognition
        for frame in self._backlog():
            self.hear(frame)
        tasks = [
            asyncio.ensure_future(work)
            for work in (self._read(recognition), self._lost.wait(), self._rules_changed.wait())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._recognition = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await recognition.close()
        return opened_at

    async def _read(self, recognition: Recognition) -> None:
        async for event in recognition.events():
            if isinstance(event, RecogniserLost):
                log.warning("recogniser_lost", reason=event.reason)
                break
            self._heard(event)
        self._heard(RecogniserLost("the stream has ended"))

    def _feed(self, recognition: Recognition, frame: bytes) -> None:
        try:
            recognition.hear(frame)
        except VendorError as error:
            log.warning("recogniser_lost", reason=error.kind)
            self._recognition = None
            self._heard(RecogniserLost(error.kind))
            self._lost.set()


def _heeded(rules: TurnTaking) -> tuple[object, ...]:
    """What a recogniser goes by; the rest is the gateway's own matter."""
    return (
        rules.recogniser,
        rules.language,
        rules.end_of_turn_threshold,
        rules.end_of_turn_timeout_ms,
        rules.endpointing_ms,
        rules.keyterms,
    )
