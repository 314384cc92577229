"""Tells a customer of a campaign's results, and bears with a receiver that is down."""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.workflow import ParentClosePolicy

from core.contracts import names
from core.contracts.after_call import DeadLetter, Errand
from core.contracts.campaign_results import (
    LoneMessage,
    ResultsInput,
    ResultsSeenTo,
    ResultsTold,
    TellResults,
    Untold,
)
from workflows.attempts import ALIVE_LATER
from workflows.errands import ONE_REQUEST, Errands, set_aside

with workflow.unsafe.imports_passed_through():
    from activities.campaign_results import CampaignResultActivities

LONGEST_PAUSE_S: Final = 300.0  # of a receiver that takes nothing: it may be one message alone that it does not take
LAST_CALLS_S: Final = 60.0  # at most, between two looks whether a canceled campaign's last calls have ended
FOREVER: Final = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))


@workflow.defn(name=names.CAMPAIGN_RESULTS_WORKFLOW)
class CampaignResultsWorkflow:
    """Tells all that is untold, then ends: the campaign's next round begins it anew when there is more.

    While the receiver takes nothing, one page is tried again and again. Where it takes some of a page, what it does
    not take is left to workflows of their own, and the others go on.
    """

    @workflow.init
    def __init__(self, results: ResultsInput) -> None:
        self._results = results
        self._news = False
        self._attempts = results.attempts
        self._failing_since_ms = results.failing_since_ms

    @workflow.run
    async def run(self, results: ResultsInput) -> None:
        """Page after page."""
        looks = 0
        for _ in range(results.pages):
            self._news = False
            page = await self._tell()
            if page.told:
                self._attempts, self._failing_since_ms = 0, None
            if page.untold:
                await self._bear_with(page)
            elif page.calls_go_on and not page.told:
                looks += 1
                await self._wait(min(results.patience.pause(looks), LAST_CALLS_S))
            elif not page.told and not self._news:
                return
        workflow.continue_as_new(
            ResultsInput(
                results.campaign_id,
                results.patience,
                results.pages,
                self._attempts,
                self._failing_since_ms,
            )
        )

    @workflow.signal(name=names.RESULTS_NEWS)
    def news(self) -> None:
        """Look again now."""
        self._news = True

    async def _tell(self) -> ResultsTold:
        return await workflow.execute_activity_method(
            CampaignResultActivities.tell_results,
            TellResults(self._results.campaign_id),
            start_to_close_timeout=timedelta(seconds=60),  # a page side by side, 15 s each at most, and SQL
            heartbeat_timeout=ALIVE_LATER,
            retry_policy=FOREVER,
            summary="tell what is untold",
        )

    async def _bear_with(self, page: ResultsTold) -> None:
        """Whatever was not taken is tried again together, or seen to one by one."""
        now_ms = workflow.time() * 1_000
        refused = [one for one in page.untold if one.for_good]
        others = [one for one in page.untold if not one.for_good]
        if others and not page.told:
            self._attempts += 1
            self._failing_since_ms = self._failing_since_ms or now_ms
            if self._results.patience.is_over((now_ms - self._failing_since_ms) / 1_000):
                refused, others = [*refused, *others], []
        await asyncio.gather(*(set_aside(self._letter(one)) for one in refused))
        if page.told:
            for one in others:
                await self._leave_to_itself(one)
            refused, others = [*refused, *others], []
        if refused:
            await self._seen_to(refused)
        if others:
            workflow.set_current_details(f"the receiver takes nothing: {others[0].failure}")
            await self._wait(min(self._results.patience.pause(self._attempts), LONGEST_PAUSE_S))
            workflow.set_current_details("")

    async def _leave_to_itself(self, one: Untold) -> None:
        lone = LoneMessage(_errand(one), one.message.call_id, one.tenant, self._results.patience)
        await workflow.start_child_workflow(
            MessageWorkflow.run,
            lone,
            id=names.message_workflow_id(one.message.message_id),
            parent_close_policy=ParentClosePolicy.ABANDON,
            static_summary=one.title,
        )

    async def _seen_to(self, those: list[Untold]) -> None:
        await workflow.execute_activity_method(
            CampaignResultActivities.results_seen_to,
            ResultsSeenTo(self._results.campaign_id, tuple(one.contact_id for one in those)),
            start_to_close_timeout=ONE_REQUEST,
            heartbeat_timeout=ALIVE_LATER,
            retry_policy=FOREVER,
            summary=f"{len(those)} are seen to by others",
        )

    def _letter(self, one: Untold) -> DeadLetter:
        attempts = max(self._attempts, 1)
        now_ms = workflow.time() * 1_000
        return DeadLetter(one.message.call_id, one.tenant, _errand(one), one.failure, attempts, now_ms)

    async def _wait(self, seconds: float) -> None:
        try:
            await workflow.wait_condition(lambda: self._news, timeout=seconds)
        except TimeoutError:
            return


@workflow.defn(name=names.MESSAGE_WORKFLOW)
class MessageWorkflow:
    """One message whose receiver takes others: tried for days like a step after a call, then a dead letter."""

    @workflow.init
    def __init__(self, lone: LoneMessage) -> None:
        self._errands = Errands(lone.call_id, lone.tenant, lone.patience, self._show)

    @workflow.run
    async def run(self, lone: LoneMessage) -> None:
        """Until it is taken, or given up."""
        await self._errands.do(lone.errand)

    def _show(self) -> None:
        step = self._errands.steps[-1]
        workflow.set_current_details(f"{step.status.value}, attempt {step.attempts}: {step.detail}")


def _errand(one: Untold) -> Errand:
    message = one.message
    return Errand(f"webhook:{message.event}:{message.endpoint_id}:{message.message_id}", one.title, webhook=message)
