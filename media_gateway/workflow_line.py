"""One stream's line to its call's workflow: nothing waits for it, nothing told it is lost."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetStickyTaskQueueRequest
from temporalio.client import Client, RPCTimeoutOrCancelledError, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from core.contracts import names
from core.contracts.call import Attach, Attached, CallerTurn, TurnAccepted, TurnWithdrawn
from core.outbox import Letter, Outbox

log = structlog.get_logger()

FIRST_PAUSE = 0.1  # seconds between tries; doubled up to the longest
LONGEST_PAUSE = 1.0
SIGNAL_DEADLINE = 2.0  # for one try; the SDK's own retries grow too far apart for a live call
CALM = 1.0, 3.0  # seconds after a worker's death: calls with an urgent need are taken over first, others one by one
LEAVING_DEADLINE = timedelta(milliseconds=250)  # by then Temporal will do so by itself


class Unreachable(Exception):
    """The workflow did not answer in time; it may all the same have heard."""


class Refused(Unreachable):
    """The workflow has answered that it does not take this."""


class CallOver(Exception):
    """There is no such call any more."""


class WorkflowLine:
    """Sends the events of one attachment.

    ``over`` is called, with the reason, when nobody is there to be told anything.
    Everything but ``attach`` waits until the workflow knows the attachment.
    """

    def __init__(self, temporal: Client, call_id: str, attachment: int, *, over: Callable[[str], None]) -> None:
        self._temporal = temporal
        self._workflow = temporal.get_workflow_handle(names.call_workflow_id(call_id))
        self._attachment = attachment
        self._over = over
        self._outbox = Outbox()
        self._withdrawn_seq: int | None = None
        self._nobody_there = False
        self._leaving: asyncio.Task[None] | None = None
        self._calm: list[tuple[str, Callable[[int], Any]]] = []
        self._attached = asyncio.Event()
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._turns: asyncio.Queue[tuple[Letter, float, Callable[[], None], Callable[[], None]]] = asyncio.Queue()

    async def attach(self, attach: Attach, deadline: float) -> Attached:
        """Tell the workflow of the stream; safe to repeat. Raises Unreachable, Refused or CallOver."""
        attached: Attached = await self._update(names.ATTACH, attach, 0, Attached, deadline)
        if attached.accepted:
            self._attached.set()
        return attached

    def signal(self, message: str, make: Callable[[int], Any], *, calmly: bool = False) -> None:
        """Have an event delivered, in its order, however long it takes; ``make`` gets its number.

        ``calmly``: in a while, before the next event at the latest. A worker that takes a call over has to read its
        history first, and many calls may have come to it at once.
        """
        if self._nobody_there:
            return
        if calmly:
            self._calm.append((message, make))
            asyncio.get_running_loop().call_later(random.uniform(*CALM), self._send_calm)
            return
        self._send_calm()
        self._outbox.post(message, make)
        self._empty.clear()
        self._wake.set()

    def withdraw_turn(self) -> None:
        """The caller goes on after what was probably a turn. The next turn, an update, may overtake this."""

        def told(seq: int) -> TurnWithdrawn:
            self._withdrawn_seq = seq
            return TurnWithdrawn(self._attachment, seq)

        self.signal(names.TURN_WITHDRAWN, told)

    def turn(
        self,
        make: Callable[[int], CallerTurn],
        deadline: float,
        late: Callable[[], None],
        accepted: Callable[[], None] = lambda: None,
    ) -> None:
        """Have a turn delivered as fast as can be: as an update, after ``deadline`` seconds as a signal too.

        ``late`` is called when it was not accepted in time, ``accepted`` when it was.
        """
        if self._nobody_there:
            return
        self._send_calm()
        withdrawn_seq = self._withdrawn_seq
        letter = self._outbox.post_update(
            names.CALLER_TURN_AGAIN, lambda seq: replace(make(seq), withdrawn_seq=withdrawn_seq)
        )
        self._empty.clear()
        self._turns.put_nowait((letter, deadline, late, accepted))

    def leave_worker(self) -> None:
        """The worker that spoke last has died, and it mostly ran the workflow: have any other take its next task.

        By itself Temporal offers that task to the dead one first, for as long as ``workflows.worker.STICKY``. What is
        told from now on comes after this.
        """
        if not self._nobody_there:
            self._leaving = asyncio.create_task(self._leave_worker())

    def give_up(self) -> None:
        """Nobody is there to be told anything, now or later."""
        self._nobody_there = True
        for letter in self._outbox.undelivered:
            self._delivered(letter)
        self._over("the call is over, or has a newer stream")

    async def run(self) -> None:
        """Deliver until cancelled."""
        await self._attached.wait()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send_signals())
            while True:
                tasks.create_task(self._send_turn(*await self._turns.get()))

    async def all_delivered(self, deadline: float) -> bool:
        """Wait, no longer than ``deadline`` seconds, until the workflow has heard everything."""
        try:
            async with asyncio.timeout(deadline):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True

    def _send_calm(self) -> None:
        calm, self._calm = self._calm, []
        for message, make in calm:
            self.signal(message, make)

    async def _leave_worker(self) -> None:
        request = ResetStickyTaskQueueRequest(
            namespace=self._temporal.namespace, execution=WorkflowExecution(workflow_id=self._workflow.id)
        )
        try:
            await self._temporal.workflow_service.reset_sticky_task_queue(request, timeout=LEAVING_DEADLINE)
        except (RPCError, RuntimeError) as error:  # RuntimeError: what a client that has yet to connect raises
            log.info("worker_not_left", reason=str(error))

    async def _has_left_worker(self) -> None:
        if self._leaving is not None:
            await asyncio.wait({self._leaving})
            self._leaving = None

    async def _send_turn(
        self, letter: Letter, deadline: float, late: Callable[[], None], accepted: Callable[[], None]
    ) -> None:
        try:
            await self._update(names.CALLER_TURN, letter.body, letter.seq, TurnAccepted, deadline)
        except Unreachable as error:
            log.warning("turn_not_accepted", turn=letter.body.turn, reason=str(error))
            self._outbox.fall_back(letter.seq)
            self._wake.set()
            late()
        except CallOver:
            self.give_up()
        else:
            self._delivered(letter)
            accepted()

    async def _send_signals(self) -> None:
        pause = FIRST_PAUSE
        while True:
            letter = self._outbox.next()
            if letter is None:
                self._wake.clear()
                await self._wake.wait()
                continue
            if await self._deliver_signal(letter):
                pause = FIRST_PAUSE
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _deliver_signal(self, letter: Letter) -> bool:
        await self._has_left_worker()
        try:
            async with asyncio.timeout(SIGNAL_DEADLINE):
                await self._workflow.signal(letter.message, letter.body)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                self.give_up()
                return True
            log.warning("signal_not_delivered", message=letter.message, reason=error.status.name)
            return False
        except (TimeoutError, RuntimeError):  # RuntimeError: what a client that has yet to connect raises
            log.warning("signal_not_delivered", message=letter.message, reason="no answer in time")
            return False
        self._delivered(letter)
        return True

    async def _update(self, update: str, body: Any, seq: int, answer: type, deadline: float) -> Any:
        await self._has_left_worker()
        try:
            async with asyncio.timeout(deadline):
                return await self._workflow.execute_update(
                    update, body, id=f"{self._attachment}-{seq}", result_type=answer
                )
        except TimeoutError as error:
            raise Unreachable("no answer in time") from error
        except RPCTimeoutOrCancelledError as error:
            _reraise_own_cancellation(error)
            raise Unreachable("no answer in time") from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise CallOver from error
            raise Unreachable(error.status.name) from error
        except RuntimeError as error:  # what a client that has yet to connect raises
            raise Unreachable("no connection") from error
        except WorkflowUpdateFailedError as error:
            raise Refused("the workflow refused it") from error

    def _delivered(self, letter: Letter) -> None:
        self._outbox.delivered(letter.seq)
        if not self._outbox.undelivered:
            self._empty.set()


def _reraise_own_cancellation(error: RPCTimeoutOrCancelledError) -> None:
    """The SDK turns a cancelled task into an error of its own; whoever cancelled us is waiting."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError from error
