"""Steps after a call: tried again for days, seen by whoever looks, hurried by an operator, set aside in the end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

from core.contracts.after_call import AfterStep, DeadLetter, Errand, Outcome, StepStatus
from core.patience import Patience
from workflows.attempts import ALIVE_LATER, ELSEWHERE

with workflow.unsafe.imports_passed_through():
    from activities.after_call import AfterCallActivities
    from activities.after_steps import AfterStepActivities
    from activities.crm import CrmActivities
    from activities.retries import OWN_WORDS
    from activities.step_audit import StepAuditActivities

Sent = TypeVar("Sent")
Got = TypeVar("Got")

DATABASE: Final = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5))
DATABASE_AWAY: Final = timedelta(days=3)
ONE_MODEL_CALL: Final = timedelta(seconds=60)  # over the whole transcript
SOME_MODEL_CALLS: Final = timedelta(minutes=3)  # one after the other, each over one turn
ONE_REQUEST: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(hours=25)  # from one quiet time to its end


@dataclass(frozen=True)
class Failure:
    """What an attempt failed with, in words without personal data."""

    words: str
    for_good: bool
    asked: float | None  # seconds the other side wants to be left alone


class Errands:
    """The steps of one call, and how they are carried out. ``changed`` is called with each change."""

    def __init__(self, call_id: str, tenant: str, patience: Patience, changed: Callable[[], None]) -> None:
        self.news = False  # something that a glance at the record should tell, too
        self._call_id = call_id
        self._tenant = tenant
        self._patience = patience
        self._changed = changed
        self._steps: dict[str, AfterStep] = {}
        self._hurried: set[str] = set()

    @property
    def steps(self) -> tuple[AfterStep, ...]:
        """All, in the order in which they were expected."""
        return tuple(self._steps.values())

    def expect(self, name: str, title: str) -> None:
        """A step that will come."""
        self._steps.setdefault(name, AfterStep(name, title, changed_ms=_now_ms()))
        self._changed()

    def wait(self, name: str, why: str) -> None:
        """It waits for something that is no failure."""
        self._put(name, status=StepStatus.WAITING, detail=why)

    def skip(self, name: str, why: str) -> None:
        """It is not to be done."""
        self._put(name, status=StepStatus.SKIPPED, detail=why)

    def is_waiting_to_retry(self, name: str) -> bool:
        """Whether an operator can hurry it."""
        step = self._steps.get(name)
        return step is not None and step.status is StepStatus.RETRYING

    def hurry(self, name: str) -> None:
        """Have the next attempt made at once."""
        self._hurried.add(name)

    async def do(self, errand: Errand, patience: Patience | None = None) -> Outcome | None:
        """Carry the errand out; None: it was given up, and is a dead letter now."""
        self.expect(errand.step, errand.title)
        failure = await self.carry_out(errand.step, lambda: perform(errand), patience)
        if isinstance(failure, Outcome):
            return failure
        letter = DeadLetter(
            self._call_id, self._tenant, errand, failure.words, self._steps[errand.step].attempts, _now_ms()
        )
        await set_aside(letter)
        return None

    async def carry_out(
        self, name: str, work: Callable[[], Awaitable[Outcome]], patience: Patience | None = None
    ) -> Outcome | Failure:
        """Try until it is done, is refused for good, or has failed for too long."""
        patience = patience or self._patience
        began = workflow.time()
        while True:
            attempts = self._steps[name].attempts + 1
            self._put(name, status=StepStatus.RUNNING, attempts=attempts)
            try:
                outcome = await work()
            except FailureError as error:
                failure = failure_of(error)
                if failure.for_good or patience.is_over(workflow.time() - began):
                    self._put(name, status=StepStatus.GAVE_UP, detail=failure.words, news=True)
                    return failure
                pause = patience.pause(attempts, failure.asked)
                await self._pause(name, StepStatus.RETRYING, failure.words, pause)
            else:
                if outcome.not_before_ms is None:
                    self._put(
                        name, status=StepStatus.SKIPPED if outcome.skipped else StepStatus.DONE, detail=outcome.detail
                    )
                    return outcome
                pause = min(outcome.not_before_ms / 1_000 - workflow.time(), LONGEST_WAIT.total_seconds())
                began += max(1.0, pause)  # a night is no failure
                self._put(name, attempts=attempts - 1)
                await self._pause(name, StepStatus.WAITING, outcome.detail, max(1.0, pause))

    async def _pause(self, name: str, status: StepStatus, why: str, seconds: float) -> None:
        self._put(name, status=status, detail=why, next_ms=_now_ms() + seconds * 1_000, news=True)
        try:
            await workflow.wait_condition(lambda: name in self._hurried, timeout=seconds)
        except TimeoutError:
            return
        finally:
            self._hurried.discard(name)

    def _put(
        self,
        name: str,
        *,
        status: StepStatus | None = None,
        detail: str = "",
        attempts: int | None = None,
        next_ms: float | None = None,
        news: bool = False,
    ) -> None:
        step = self._steps[name]
        self._steps[name] = replace(
            step,
            status=status or step.status,
            detail=detail,
            attempts=step.attempts if attempts is None else attempts,
            next_ms=next_ms,
            changed_ms=_now_ms(),
        )
        self.news = self.news or news
        self._changed()


async def once(work: Callable[[Any, Sent], Awaitable[Got]], request: Sent, summary: str, at_most: timedelta) -> Got:
    """One attempt at an activity: the workflow tries again itself, so that all can see it. Raises ActivityError."""
    return await workflow.execute_activity_method(
        work,
        request,
        start_to_close_timeout=at_most,
        heartbeat_timeout=ALIVE_LATER,
        retry_policy=ELSEWHERE,
        summary=summary,
    )


async def perform(errand: Errand) -> Outcome:
    """One attempt. Raises ActivityError."""
    title = errand.title
    if errand.summarize is not None:
        written = await once(AfterCallActivities.summarize_call, errand.summarize, title, ONE_MODEL_CALL)
        return Outcome(summary=written)
    if errand.extract is not None:
        extracted = await once(AfterCallActivities.extract_fields, errand.extract, title, ONE_MODEL_CALL)
        left_out = f"left out: {', '.join(extracted.faults)}" if extracted.faults else ""
        return Outcome(left_out, extracted=extracted)
    if errand.crm is not None:
        note = await once(CrmActivities.sync_crm, errand.crm, title, ONE_REQUEST)
        return Outcome(f"note {note}")
    if errand.follow_up is not None:
        return await once(AfterStepActivities.send_follow_up, errand.follow_up, title, ONE_REQUEST)
    if errand.webhook is not None:
        return await once(AfterStepActivities.deliver_webhook, errand.webhook, title, ONE_REQUEST)
    if errand.audit is not None:
        return await once(StepAuditActivities.audit_steps, errand.audit, title, SOME_MODEL_CALLS)
    return Outcome("nothing was to be done", skipped=True)


async def set_aside(letter: DeadLetter) -> None:
    """Keep what was given up, for an operator to send again."""
    await workflow.execute_activity_method(
        AfterStepActivities.set_aside,
        letter,
        start_to_close_timeout=ONE_REQUEST,
        heartbeat_timeout=ALIVE_LATER,
        schedule_to_close_timeout=DATABASE_AWAY,
        retry_policy=DATABASE,
        summary=f"set aside: {letter.errand.title}",
    )


def failure_of(error: FailureError) -> Failure:
    """What went wrong; a local activity's error comes as it is. Raises the error itself if all was cancelled."""
    if is_cancelled_exception(error):
        raise error
    cause = error.cause if isinstance(error, ActivityError) else error
    if not isinstance(cause, ApplicationError):
        return Failure("it took too long", for_good=False, asked=None)
    words = cause.message if cause.type in OWN_WORDS else f"failed ({cause.type})"
    asked = cause.next_retry_delay.total_seconds() if cause.next_retry_delay else None
    return Failure(words, for_good=cause.non_retryable, asked=asked)


def _now_ms() -> float:
    return workflow.time() * 1_000
