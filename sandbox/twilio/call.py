"""One leg's life: ringing, answered, following TwiML, over."""

import asyncio
from collections.abc import Coroutine
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from sandbox.state import now_ms
from sandbox.twilio.ids import new_sid
from sandbox.twilio.line import NOT_ANSWERED, Line
from sandbox.twilio.person import rehearsed
from sandbox.twilio.plan import HANG_UP, CallPlan, Note, PersonPlan, Source
from sandbox.twilio.program import follow
from sandbox.twilio.stream import MediaStream
from sandbox.twilio.webhooks import CallbackQueue, SentCallback

if TYPE_CHECKING:
    from sandbox.twilio.carrier import Carrier

AMD_SECONDS = 1.5
_SIP_RESPONSES = {"busy": "486", "failed": "404"}
_STATUS_EVENTS = {"initiated": "initiated", "ringing": "ringing", "in-progress": "answered"}

log = structlog.get_logger()
T = TypeVar("T")


class _Interrupted(Exception):
    """What the leg was doing was stopped; ``then`` is what it does next."""

    def __init__(self, then: Source) -> None:
        super().__init__()
        self.then = then


class Call:
    """A leg. ``live`` is its whole life; ``redirect`` and ``hang_up`` reach into it."""

    def __init__(self, carrier: "Carrier", plan: CallPlan, person: PersonPlan) -> None:
        self.carrier = carrier
        self.plan = plan
        self.person_plan = person
        self.sid = new_sid("CA")
        self.status = "queued" if plan.direction != "inbound" else "ringing"
        self.created_ms = now_ms()
        self.answered_ms: float | None = None
        self.ended_ms: float | None = None
        self.answered_by: str | None = None
        self.rejected: str | None = None
        self.line: Line | None = None
        self.stream: MediaStream | None = None
        self.base_url = carrier.config.public_url  # what relative URLs in TwiML stand on
        self.verbs: list[Note] = []
        self.warnings: list[Note] = []
        self.callbacks: list[SentCallback] = []
        self.answered = asyncio.Event()
        self.over = asyncio.Event()
        self._prepared: Line | None = None
        self._status_queue = CallbackQueue(carrier.webhooks, person.callbacks, self.callbacks)
        self._stream_queue = CallbackQueue(carrier.webhooks, None, self.callbacks)
        self._sequence = 0
        self._interrupt: asyncio.Future[Source] = asyncio.get_running_loop().create_future()

    @property
    def duration_seconds(self) -> int:
        """How long it was answered; 0 if never."""
        if self.answered_ms is None:
            return 0
        return round(((self.ended_ms or now_ms()) - self.answered_ms) / 1_000)

    def params(self) -> dict[str, str]:
        """What every webhook tells of the leg."""
        told = {
            "AccountSid": self.carrier.config.account_sid,
            "ApiVersion": "2010-04-01",
            "CallSid": self.sid,
            "CallStatus": self.status,
            "Called": self.plan.to,
            "Caller": self.plan.from_,
            "Direction": self.plan.direction,
            "From": self.plan.from_,
            "To": self.plan.to,
        }
        if self.plan.parent_sid:
            told["ParentCallSid"] = self.plan.parent_sid
        if self.answered_by:
            told["AnsweredBy"] = self.answered_by
        return told

    # What others do to it.

    def redirect(self, source: Source) -> None:
        """Leave what it does and follow this."""
        if not self._interrupt.done():
            self._interrupt.set_result(source)

    def hang_up(self) -> None:
        """End it, whoever wants that."""
        if self._interrupt.done():
            self._interrupt = asyncio.get_running_loop().create_future()
        self._interrupt.set_result(HANG_UP)

    def warn(self, code: int, message: str) -> None:
        """Write into the call's log what Twilio would show in its debugger."""
        self.warnings.append(Note(str(code), now_ms(), message))
        self.carrier.state.stamp("twilio", "warning", sid=self.sid, code=code, message=message)

    def post_stream_status(self, url: str, params: dict[str, str]) -> None:
        """Tell the product how a stream is."""
        self._stream_queue.post(url, params)

    def answer(self) -> None:
        """The two sides are connected; once it is, nothing more happens."""
        if self.answered_ms is not None or self._prepared is None:
            return
        self.answered_ms = now_ms()
        self.line = self._prepared
        self.carrier.pacer.add(self.line)
        self._tell("in-progress")
        self.answered.set()

    # Its life.

    async def live(self) -> None:
        """Ring, follow TwiML to its end, and be over."""
        try:
            final = await self._reach()
            if final is None:
                await self._follow(self.plan.first)
                final = self.rejected or ("canceled" if self.answered_ms is None else "completed")
        except Exception:  # the edge of this leg: it must end, and be seen to have failed
            log.exception("call_broke", call_sid=self.sid)
            final = "failed"
        except asyncio.CancelledError:
            self._stop_callbacks()
            raise
        finally:
            if self.line is not None:
                self.carrier.pacer.remove(self.line)
        self._end(final)
        await self._status_queue.settle()
        await self._stream_queue.settle()

    async def _reach(self) -> str | None:
        """Get the leg answered, or an inbound one to its webhook; else its final status."""
        person = await rehearsed(self.person_plan.lines, self.person_plan.voice, audible=self.carrier.config.audible)
        self._prepared = Line(self.sid, person, self.carrier.state, self.hang_up)
        if self.plan.direction == "inbound":
            return None
        try:
            final = await self._uninterrupted(self._ring())
        except _Interrupted:
            return "canceled"
        if final is None:
            self.answer()
        return final

    async def _ring(self) -> str | None:
        person, ring = self.person_plan, self.carrier.state.latency.ring_ms / 1_000
        if person.ring_seconds is not None:
            ring = person.ring_seconds
        self._tell("initiated")
        await asyncio.sleep(min(ring, 0.1))
        if person.answer in ("busy", "failed"):
            return person.answer
        self._tell("ringing")
        if person.answer == "no-answer" and person.ring_seconds is None:
            ring = self.plan.ring_seconds
        await asyncio.sleep(min(ring, self.plan.ring_seconds))
        unanswered = person.answer == "no-answer" or ring > self.plan.ring_seconds
        return "no-answer" if unanswered else None

    async def _follow(self, source: Source) -> None:
        then: Source | None = source
        if self.plan.machine_detection:
            try:
                await self._uninterrupted(self._detect_machine())
            except _Interrupted as interrupted:
                then = interrupted.then
        while then is not None:
            try:
                then = await self._uninterrupted(follow(self, then))
            except _Interrupted as interrupted:
                then = interrupted.then
            if then is HANG_UP:
                return

    async def _detect_machine(self) -> None:
        """Find out who answered: before the first TwiML, or beside it."""
        machine = "machine_end_beep" if self.plan.machine_detection == "DetectMessageEnd" else "machine_start"
        answered_by = machine if self.person_plan.answer == "machine" else "human"
        if self.plan.async_amd_url is None:
            await asyncio.sleep(AMD_SECONDS)
            self.answered_by = answered_by
            return
        url = self.plan.async_amd_url
        self.carrier.soon(self._report_machine(url, answered_by))

    async def _report_machine(self, url: str, answered_by: str) -> None:
        await asyncio.sleep(AMD_SECONDS)
        if self.ended_ms is None:
            self.answered_by = answered_by
            duration = {"MachineDetectionDuration": str(round(AMD_SECONDS * 1_000))}
            self._stream_queue.post(url, {**self.params(), **duration})

    async def _uninterrupted(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it unless ``redirect`` or ``hang_up`` stops it. Raises _Interrupted."""
        task = asyncio.create_task(work)
        either: set[asyncio.Future[Any]] = {task, self._interrupt}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        if self._interrupt.done():
            then = self._interrupt.result()
            self._interrupt = asyncio.get_running_loop().create_future()
            raise _Interrupted(then)
        return task.result()

    def _tell(self, status: str) -> None:
        """Take a status on, and have the product told if it asked for it."""
        if status != "initiated":
            self.status = status
        self.carrier.state.stamp("twilio", "status", sid=self.sid, status=status)
        event = _STATUS_EVENTS.get(status, "completed")
        if self.plan.status_url is None or event not in self.plan.status_events:
            return
        told = {
            **self.params(),
            "CallStatus": status,
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._sequence),
        }
        if event == "completed":
            told["CallDuration"] = told["Duration"] = str(self.duration_seconds)
        if status in _SIP_RESPONSES:
            told["SipResponseCode"] = _SIP_RESPONSES[status]
        self._sequence += 1
        self._status_queue.post(self.plan.status_url, told, last=event == "completed")

    def _end(self, status: str) -> None:
        self.ended_ms = now_ms()
        self._tell(status)
        self.over.set()

    def _stop_callbacks(self) -> None:
        self._status_queue.cancel()
        self._stream_queue.cancel()

    def to_json(self) -> dict[str, Any]:
        """All there is to know, as the control routes show it."""
        return {
            "sid": self.sid,
            "to": self.plan.to,
            "from": self.plan.from_,
            "direction": self.plan.direction,
            "parent_sid": self.plan.parent_sid,
            "status": self.status,
            "answered_by": self.answered_by,
            "created_ms": self.created_ms,
            "answered_ms": self.answered_ms,
            "ended_ms": self.ended_ms,
            "streaming": self.stream is not None,
            "verbs": [asdict(note) for note in self.verbs],
            "warnings": [asdict(note) for note in self.warnings],
            "callbacks": [callback.to_json() for callback in self.callbacks],
            **(self.line.to_json() if self.line is not None else NOT_ANSWERED),
        }
