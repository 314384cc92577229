"""What happens once a call has ended; it may take as long as it takes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from core import after_call, webhooks
from core.contracts import names
from core.contracts.after_call import (
    AfterPlan,
    AfterState,
    AwaitCrmTurn,
    DeliverWebhook,
    Errand,
    Outcome,
    RetryStep,
)
from core.contracts.call import CallRecord, CallSummary
from core.patience import Patience
from workflows.after_call_first import follow_up_as_before
from workflows.after_view import after_details
from workflows.attempts import ALIVE_LATER, ONCE
from workflows.errands import DATABASE, DATABASE_AWAY, ONE_REQUEST, Errands, Failure, Got, Sent, once

with workflow.unsafe.imports_passed_through():
    from activities.after_call import AfterCallActivities
    from activities.after_steps import AfterStepActivities

STEPS: Final = "steps"  # the patch since which steps are carried out one by one
IN_PLACE: Final = "in-place"  # the patch since which SQL is written within the workflow's own tasks
MODEL_PATIENCE_S: Final = 6 * 3_600.0  # CRM and customer are to know of the call all the same
RECORD_PAUSE_S: Final = 300.0  # everything else waits for the record

RECORD, SUMMARY, FIELDS, CRM, AUDIT = "record", "summary", "fields", "crm", "audit"


@workflow.defn(name=names.AFTER_CALL_WORKFLOW)
class AfterCallWorkflow:
    """Records the call, finds out what it came to, and tells whoever is to know. Each step waits for its own outage."""

    @workflow.init
    def __init__(self, record: CallRecord) -> None:
        self.record = record
        self.call_id = record.call.call_id
        self.patience = record.call.timers.after_call
        self.errands = Errands(self.call_id, record.call.tenant, self.patience, self._show)
        self.summary: CallSummary | None = None
        self.found = AfterState(self.call_id)
        self._over = False
        self._in_place = False

    @workflow.run
    async def run(self, record: CallRecord) -> None:
        """The story: record; what the call came to; then CRM, messages and customers side by side."""
        if not (record.in_place or workflow.patched(STEPS)):
            await follow_up_as_before(record)
            return
        self._in_place = record.in_place or workflow.patched(IN_PLACE)
        plan = await self._keep_record()
        scribe = asyncio.create_task(self._keep_up())
        await asyncio.gather(
            self._tell_customers(plan, webhooks.CALL_ENDED, lambda: after_call.ended_event(record)),
            self._find_out_and_tell(plan),
            *([self._audit()] if plan.audits else []),
        )
        self._over = True
        await scribe

    @workflow.query(name=names.STATE)
    def state(self) -> AfterState:
        """Every step, and what was found out."""
        return replace(self.found, steps=self.errands.steps)

    @workflow.update(name=names.RETRY_STEP)
    def retry_step(self, request: RetryStep) -> None:
        """Make the next attempt of a failed step now."""
        self.errands.hurry(request.step)

    @retry_step.validator
    def check_retry(self, request: RetryStep) -> None:
        """Only a step that waits for its next attempt can be hurried."""
        if not self.errands.is_waiting_to_retry(request.step):
            raise ApplicationError(f"the step {request.step!r} does not wait for another attempt")

    # Scenes

    async def _keep_record(self) -> AfterPlan:
        plans: list[AfterPlan] = []

        async def keep() -> Outcome:
            await self._sql(AfterCallActivities.record_call, self.record, "record the call")
            plans.append(await self._sql(AfterStepActivities.plan_after_call, self.record, "see what is to follow"))
            return Outcome()

        self.errands.expect(RECORD, "Record the call")
        patience = replace(self.patience, longest=min(self.patience.longest, RECORD_PAUSE_S))
        failed = await self.errands.carry_out(RECORD, keep, patience)
        if isinstance(failed, Failure):
            raise ApplicationError(f"the call could not be recorded: {failed.words}", non_retryable=True)
        return plans[-1]

    async def _find_out_and_tell(self, plan: AfterPlan) -> None:
        self._expect(plan)
        await asyncio.gather(self._sum_up(), self._extract(plan))
        fields = self.found.fields
        await asyncio.gather(
            self._tell_crm(plan, fields),
            self._tell_customers(plan, webhooks.CALL_ANALYZED, self._analyzed),
            *(self._write(follow_up.name, follow_up.means.value, fields) for follow_up in plan.follow_ups),
        )

    def _expect(self, plan: AfterPlan) -> None:
        """Show what will come before it begins."""
        spoke = after_call.caller_spoke(self.record)
        if spoke:
            self.errands.expect(SUMMARY, "Sum up")
        if plan.extracts and spoke:
            self.errands.expect(FIELDS, "Fill in the playbook's fields")
        if plan.crm and after_call.crm_note(self.record, None, {}):
            self.errands.expect(CRM, "Put it into the CRM")
        for follow_up in plan.follow_ups:
            self.errands.expect(_follow_up(follow_up.name), _follow_up_title(follow_up.name, follow_up.means.value))

    async def _sum_up(self) -> None:
        if after_call.caller_spoke(self.record):
            outcome = await self.errands.do(Errand(SUMMARY, "Sum up", summarize=self.record), self._model_patience)
            self.summary = outcome.summary if outcome else None

    async def _extract(self, plan: AfterPlan) -> None:
        if not plan.extracts or not after_call.caller_spoke(self.record):
            return
        errand = Errand(FIELDS, "Fill in the playbook's fields", extract=self.record)
        outcome = await self.errands.do(errand, self._model_patience)
        if outcome and outcome.extracted:
            self.found = replace(self.found, fields=outcome.extracted.fields, faults=outcome.extracted.faults)

    async def _audit(self) -> None:
        errand = Errand(AUDIT, "Check how steps were found", audit=self.record)
        await self.errands.do(errand, self._model_patience)

    async def _tell_crm(self, plan: AfterPlan, fields: dict[str, Any]) -> None:
        note = after_call.crm_note(self.record, self.summary, fields)
        if note is None or not plan.crm:
            return
        if not plan.crm_turn:
            await self._await_crm_turn()
        await self.errands.do(Errand(CRM, "Put it into the CRM", crm=note))

    async def _await_crm_turn(self) -> None:
        self.errands.wait(CRM, "earlier calls of this person come first")
        await workflow.execute_activity_method(
            AfterStepActivities.await_crm_turn,
            AwaitCrmTurn(self.call_id),
            start_to_close_timeout=ONE_REQUEST,
            heartbeat_timeout=ALIVE_LATER,
            schedule_to_close_timeout=2 * DATABASE_AWAY,  # an earlier one gives up after three days
            retry_policy=self._turns,
            summary="wait for the notes of earlier calls",
        )

    async def _write(self, name: str, means: str, fields: dict[str, Any]) -> None:
        message = after_call.follow_up(self.record, name, fields, workflow.time() * 1_000)
        await self.errands.do(Errand(_follow_up(name), _follow_up_title(name, means), follow_up=message))

    def _analyzed(self) -> dict[str, Any] | None:
        if self.summary is None and not self.found.fields:
            return None
        return after_call.analyzed_event(self.record, self.summary, self.found.fields)

    async def _tell_customers(self, plan: AfterPlan, event: str, data: Callable[[], dict[str, Any] | None]) -> None:
        told: list[Awaitable[object]] = []
        if (payload := data()) is None:
            return
        for endpoint_id, host in after_call.wants_to_know(plan, event):
            message = DeliverWebhook(
                endpoint_id=endpoint_id,
                message_id=f"msg_{self.call_id}_{event.replace('.', '_')}",
                event=event,
                at_ms=workflow.time() * 1_000,
                data=payload,
                call_id=self.call_id,
            )
            errand = Errand(f"webhook:{event}:{endpoint_id}", f"Tell {host} of {event}", webhook=message)
            told.append(self.errands.do(errand))
        await asyncio.gather(*told)

    # Everything else

    @property
    def _model_patience(self) -> Patience:
        return replace(self.patience, whole=min(self.patience.whole, MODEL_PATIENCE_S))

    @property
    def _turns(self) -> RetryPolicy:
        first = timedelta(seconds=min(self.patience.first, 1.0))
        return RetryPolicy(initial_interval=first, backoff_coefficient=1.5, maximum_interval=30 * first)

    async def _keep_up(self) -> None:
        """Keep in SQL what an operator should see of it; once where all goes well, at the end."""
        last = False
        while not last:
            await workflow.wait_condition(lambda: self._over or self.errands.news)
            last, self.errands.news = self._over, False
            await self._keep_state()

    async def _keep_state(self) -> None:
        if self._in_place:
            try:
                await self._sql(AfterStepActivities.keep_after_state, self.state(), "keep how far it has come")
            except FailureError as error:
                if is_cancelled_exception(error):
                    raise  # else the database is away: the activity waits for it
            else:
                return
        await workflow.execute_activity_method(
            AfterStepActivities.keep_after_state,
            self.state(),
            start_to_close_timeout=ONE_REQUEST,
            heartbeat_timeout=ALIVE_LATER,
            schedule_to_close_timeout=DATABASE_AWAY,
            retry_policy=DATABASE,
            summary="keep how far it has come",
        )

    async def _sql(self, work: Callable[[Any, Sent], Awaitable[Got]], request: Sent, summary: str) -> Got:
        """One attempt, within the workflow's own task: no queue and no task more where the database is there."""
        if self._in_place:
            return await workflow.execute_local_activity_method(
                work, request, start_to_close_timeout=ONE_REQUEST, retry_policy=ONCE, summary=summary
            )
        return await once(work, request, summary, ONE_REQUEST)

    def _show(self) -> None:
        workflow.set_current_details(
            after_details(self.call_id, self.errands.steps, discreet=self.record.call.discreet)
        )


def _follow_up(name: str) -> str:
    return f"follow_up:{name}"


def _follow_up_title(name: str, means: str) -> str:
    return f"{'Text' if means == 'sms' else 'E-mail'} to the caller: {name.replace('_', ' ')}"
