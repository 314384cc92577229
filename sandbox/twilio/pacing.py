"""The one clock of all lines: every 20 ms a frame for each, from an absolute schedule.

Lines are spread over the 20 ms, so that a hundred of them do not all speak in the same instant.
"""

import asyncio
from typing import Protocol

import structlog

FRAME_SECONDS = 0.020
_SLOTS = 10  # 2 ms each

log = structlog.get_logger()


class Paced(Protocol):
    """Something with a frame to send every 20 ms."""

    def tick(self, late_ms: float) -> None:
        """Send the next frame; it was due ``late_ms`` ago."""
        ...


class Pacer:
    """Calls ``tick`` of each member every 20 ms. After a stall the ticks that were missed follow at once."""

    def __init__(self) -> None:
        self._slots: list[dict[Paced, None]] = [{} for _ in range(_SLOTS)]
        self._members = 0
        self._began = 0.0
        self._step = 0  # steps of 2 ms since ``_began``; the slot is its rest by _SLOTS
        self._timer: asyncio.TimerHandle | None = None

    def add(self, member: Paced) -> None:
        """Begin to tick for a member, in the emptiest slot. Needs a running loop."""
        min(self._slots, key=len)[member] = None
        self._members += 1
        if self._timer is None:
            self._began = asyncio.get_running_loop().time()
            self._step = 0
            self._schedule()

    def remove(self, member: Paced) -> None:
        """Tick no more for it; one that is no member is fine."""
        for slot in self._slots:
            if member in slot:
                del slot[member]
                self._members -= 1

    def _due(self) -> float:
        return self._began + self._step * (FRAME_SECONDS / _SLOTS)

    def _schedule(self) -> None:
        if not self._members:
            self._timer = None
            return
        while not self._slots[self._step % _SLOTS]:
            self._step += 1
        self._timer = asyncio.get_running_loop().call_at(self._due(), self._wake)

    def _wake(self) -> None:
        now = asyncio.get_running_loop().time()
        while (late := now - self._due()) >= 0:
            for member in tuple(self._slots[self._step % _SLOTS]):
                try:
                    member.tick(late * 1_000)
                except Exception:  # one line's fault must not stop the clock of all
                    log.exception("line_broke")
                    self.remove(member)
            self._step += 1
        self._schedule()
