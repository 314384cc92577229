"""One stream's keys: collected, timed, and told as turns once the assistant may be interrupted."""

import asyncio
from collections.abc import Callable

import structlog

from core.keypad import NEVER, KeyCollector, KeyEvent, Keypad, KeysEntered

log = structlog.get_logger()


class PressedKeys:
    """Drives a KeyCollector.

    Args:
        clock: the stream's, in ms.
        protected: whether a line is playing that nothing may interrupt: what is keyed in meanwhile waits for its end.
        cut_in: the caller has begun to key in something: the assistant falls silent.
        entered: a turn was keyed in.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        protected: Callable[[], bool],
        cut_in: Callable[[], None],
        entered: Callable[[KeysEntered], None],
    ) -> None:
        self._clock = clock
        self._protected = protected
        self._cut_in = cut_in
        self._entered = entered
        self._collector = KeyCollector()
        self._held: list[KeysEntered] = []
        self._timer: asyncio.TimerHandle | None = None

    @property
    def entering(self) -> bool:
        """Whether digits are being keyed in: the caller holds the floor."""
        return self._collector.entering

    def expect(self, keypad: Keypad) -> None:
        """A reply has begun: these keys answer it."""
        self._collector.expect(keypad)

    def press(self, key: str) -> None:
        """The next key."""
        events = self._collector.press(key, self._clock())
        if (self.entering or _turns(events)) and not self._protected():
            self._cut_in()
        self._follow(events)

    def release(self) -> None:
        """The assistant has finished: what waited is told."""
        held, self._held = self._held, []
        for turn in held:
            self._entered(turn)

    def close(self) -> None:
        """The stream is over: half an entry is of no use."""
        self._set_timer(NEVER)

    def _follow(self, events: list[KeyEvent]) -> None:
        self._set_timer(self._collector.due_ms)
        turns = _turns(events)
        if len(turns) < len(events):
            log.info("keys_ignored")
        self._held += turns
        if not self._protected():
            self.release()

    def _time_is_up(self) -> None:
        self._timer = None
        self._follow(self._collector.pass_time(self._clock()))

    def _set_timer(self, due_ms: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due_ms < NEVER:
            delay_s = max(0.0, due_ms - self._clock()) / 1_000
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._time_is_up)


def _turns(events: list[KeyEvent]) -> list[KeysEntered]:
    return [event for event in events if isinstance(event, KeysEntered)]
