"""A dead letter's errand, done again because an operator asked for it."""

from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import ActivityError

from core.contracts import names
from core.contracts.after_call import Resend
from workflows.attempts import ALIVE_LATER
from workflows.errands import DATABASE, DATABASE_AWAY, ONE_REQUEST, failure_of, perform, set_aside

with workflow.unsafe.imports_passed_through():
    from activities.after_steps import AfterStepActivities


@workflow.defn(name=names.RESEND_WORKFLOW)
class ResendWorkflow:
    """Does the errand of a dead letter again, once: what fails goes back to the dead letters."""

    @workflow.run
    async def run(self, request: Resend) -> None:
        """Open it, do it, and keep what came of it."""
        letter = await workflow.execute_activity_method(
            AfterStepActivities.open_letter,
            request,
            start_to_close_timeout=ONE_REQUEST,
            heartbeat_timeout=ALIVE_LATER,
            schedule_to_close_timeout=DATABASE_AWAY,
            retry_policy=DATABASE,
            summary="open the letter",
        )
        if letter is None:
            return
        try:
            while (early := (await perform(letter.errand)).not_before_ms) is not None:
                await workflow.sleep(max(1.0, early / 1_000 - workflow.time()))
        except ActivityError as error:
            failure = failure_of(error)
            await set_aside(
                replace(letter, failure=failure.words, attempts=letter.attempts + 1, at_ms=workflow.time() * 1_000)
            )
            return
        await workflow.execute_activity_method(
            AfterStepActivities.close_letter,
            request,
            start_to_close_timeout=ONE_REQUEST,
            heartbeat_timeout=ALIVE_LATER,
            schedule_to_close_timeout=DATABASE_AWAY,
            retry_policy=DATABASE,
            summary="close the letter",
        )
