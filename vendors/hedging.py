"""Several vendors for one thing: who is asked, who is asked beside them, and whose answer counts. Knows no vendor."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import structlog

from core.circuit import Circuit
from core.ports.errors import VendorError

log = structlog.get_logger()

Port = TypeVar("Port")
Answer = TypeVar("Answer")
Discard = Callable[[Any], Awaitable[None]]

LEAST_PROGRESS: Final = 2.0  # times the patience: so long a vendor may dawdle, piece by piece, before another is asked


@dataclass(frozen=True, eq=False)
class Member(Generic[Port]):
    """A vendor in its place, with the breaker that all wrappers of a process share. ``name`` is for logs."""

    name: str
    port: Port
    circuit: Circuit = field(default_factory=Circuit)

    def failed(self, error: VendorError) -> None:
        """Count a failure."""
        retry_after = error.retry_after.total_seconds() if error.retry_after else 0.0
        self.circuit.fail(time.monotonic(), hopeless=error.kind == "unauthorized", retry_after=retry_after)
        log.warning("vendor_failed", vendor=self.name, kind=error.kind, reason=str(error))

    def was_slow(self) -> None:
        """Count an answer that did not come while another's did."""
        self.circuit.fail(time.monotonic())
        log.warning("vendor_slow", vendor=self.name)


class Standby(Generic[Port]):
    """The order in which members are asked: first those whose circuit lets us in, then the others.

    Nobody is left out for good: a caller who waits is better served by a doubtful vendor than by none.
    """

    def __init__(self, members: Sequence[Member[Port]]) -> None:
        self._waiting = deque(members)
        self._turned_away: deque[Member[Port]] = deque()

    def next(self) -> Member[Port] | None:
        """The next to ask, None if all were."""
        while self._waiting:
            member = self._waiting.popleft()
            if member.circuit.enter(time.monotonic()):
                return member
            self._turned_away.append(member)
        return self._turned_away.popleft() if self._turned_away else None


def best_error(errors: Sequence[VendorError]) -> VendorError:
    """Of several vendors' failures the one that leaves most hope: curable, soonest."""
    return min(
        errors, key=lambda error: (not error.curable, error.retry_after.total_seconds() if error.retry_after else 0)
    )


class Race(Generic[Port, Answer]):
    """One question to several vendors: the next is asked when one fails, or has not got on for ``patience`` seconds.

    The first answer wins and all others are dropped at once; ``discard`` is given an answer that came too late. The
    winner's circuit is the caller's to tell: an answer may still break off.
    """

    def __init__(
        self, members: Sequence[Member[Port]], *, patience: float, within: float, discard: Discard | None = None
    ) -> None:
        self._standby = Standby(members)
        self._first = members[0].name
        self._patience = patience
        self._within = within
        self._discard = discard
        self._running: dict[asyncio.Task[Answer], Member[Port]] = {}  # in the order in which they began
        self._errors: list[VendorError] = []
        self._due = self._latest = 0.0  # when the next is asked, by the loop's clock

    def progress(self) -> None:
        """A vendor gets on: others are asked a little later."""
        self._due = min(asyncio.get_running_loop().time() + self._patience, self._latest)

    async def run(self, ask: Callable[[Member[Port]], Awaitable[Answer]]) -> tuple[Member[Port], Answer]:
        """Who answered first, and what. Raises VendorError once all have failed or the time is up."""
        try:
            async with asyncio.timeout(self._within):
                return await self._answer(ask)
        except TimeoutError:
            for member in self._running.values():
                member.was_slow()
            self._errors.append(VendorError(self._first, "timeout", "nobody answered in time", curable=True))
            raise best_error(self._errors) from None
        except asyncio.CancelledError:
            for member in self._running.values():
                member.circuit.leave()
            raise
        finally:
            self._drop_all()

    async def _answer(self, ask: Callable[[Member[Port]], Awaitable[Answer]]) -> tuple[Member[Port], Answer]:
        more = self._ask_next(ask)
        while self._running:
            now = asyncio.get_running_loop().time()
            wait = max(0.0, self._due - now) if more else None
            done, _ = await asyncio.wait(self._running, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in self._running if task in done]:
                if (error := task.exception()) is None:
                    return self._win(task), task.result()
                if not isinstance(error, VendorError):
                    raise error
                self._running.pop(task).failed(error)
                self._errors.append(error)
            if more and (done or asyncio.get_running_loop().time() >= self._due):
                more = self._ask_next(ask)
        raise best_error(self._errors)

    def _ask_next(self, ask: Callable[[Member[Port]], Awaitable[Answer]]) -> bool:
        """Ask one more; False if there is none."""
        member = self._standby.next()
        if member is None:
            return False
        if self._running or self._errors:
            log.info("vendor_asked_too", vendor=member.name, failed=len(self._errors))
        self._running[asyncio.ensure_future(ask(member))] = member
        now = asyncio.get_running_loop().time()
        self._due, self._latest = now + self._patience, now + LEAST_PROGRESS * self._patience
        return True

    def _win(self, winner: "asyncio.Task[Answer]") -> Member[Port]:
        """Those who began before the winner were slow; of those who began after it nobody knows."""
        before = True
        for task, member in self._running.items():
            if task is winner:
                before = False
            elif before and not task.done():
                member.was_slow()
            else:
                member.circuit.leave()
        return self._running.pop(winner)

    def _drop_all(self) -> None:
        for task in self._running:
            task.add_done_callback(self._dispose)
            task.cancel()

    def _dispose(self, task: "asyncio.Task[Answer]") -> None:
        """An answer that nobody waits for any more."""
        if not task.cancelled() and task.exception() is None and self._discard is not None:
            _keep(asyncio.ensure_future(self._discard(task.result())))


_disposing: set[asyncio.Future[None]] = set()


def _keep(task: asyncio.Future[None]) -> None:
    _disposing.add(task)
    task.add_done_callback(_disposing.discard)
