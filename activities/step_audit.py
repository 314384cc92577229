"""Steps that were found without the model, judged by it once the call is over."""

from collections.abc import Sequence

import structlog
from structlog.contextvars import bound_contextvars
from temporalio import activity

from activities.conversation import SURE
from activities.feed import now_ms
from activities.playbook_shelf import PlaybookShelf
from activities.prompts import step_prompt
from activities.retries import vendor_failures
from core.agenda import NO_STEP, OFF_TOPIC
from core.auditing import audited_turns
from core.contracts import names
from core.contracts.after_call import Outcome
from core.contracts.call import CallRecord, ReasonStep
from core.conversation import RECENT_EXCHANGES, Exchange, TurnRecord, Usage, sum_usage
from core.playbook import Playbook
from core.ports.call_log import CallStore
from core.ports.reasoner import FindStep, Reasoner
from core.ports.step_examples import StepAudit, StepExamples
from core.steps import reachable_from

log = structlog.get_logger()


class StepAuditActivities:
    """Asks the model what it would have said, and keeps whether it is the same."""

    def __init__(
        self, reasoner: Reasoner, shelf: PlaybookShelf, store: CallStore, examples: StepExamples | None
    ) -> None:
        self._reasoner = reasoner
        self._shelf = shelf
        self._store = store
        self._examples = examples

    @activity.defn(name=names.AUDIT_STEPS)
    async def audit_steps(self, record: CallRecord) -> Outcome:
        """Judge the call's drawn turns. What the model is unsure of counts for nothing. Idempotent: once a turn."""
        if self._examples is None:
            return Outcome("no audits are kept here", skipped=True)
        call = record.call
        usages: list[Usage] = []
        judged: list[StepAudit] = []
        with bound_contextvars(call_id=call.call_id), vendor_failures():
            playbook = (await self._shelf.get(call.playbook.ref)).playbook
            for before, turn in audited_turns(playbook, call.call_id, record.turns):
                said = await self._reasoner.find_step(_asked(playbook, record, before, turn))
                usages.append(said.usage or Usage())
                name = NO_STEP if said.method == OFF_TOPIC else said.name
                if name is not None and said.confidence >= SURE:
                    judged.append(_audit(playbook, record, turn, name))
            await self._store.save_audit(call.call_id, sum_usage(usages))
            await self._examples.note_audits(judged)
            for audit in judged:
                if audit.judged != audit.found:
                    log.info("step_disagreed", turn=audit.turn, found=audit.found, judged=audit.judged)
        agreed = sum(audit.judged == audit.found for audit in judged)
        return Outcome(f"{agreed} of {len(judged)} as the model says")


def _asked(playbook: Playbook, record: CallRecord, before: TurnRecord, turn: TurnRecord) -> FindStep:
    """As of a turn that its words do not tell, among the steps that they could have told."""
    reachable = reachable_from(playbook, before.step) | {turn.step}
    request = ReasonStep(
        record.call.call_id,
        record.call.playbook.ref,
        before.step,
        turn.turn,
        turn.caller,
        _exchanges([known for known in record.turns if known.turn < turn.turn][-RECENT_EXCHANGES:]),
    )
    return step_prompt(playbook, request, [step.name for step in playbook.steps if step.name in reachable])


def _exchanges(turns: Sequence[TurnRecord]) -> tuple[Exchange, ...]:
    return tuple(Exchange(turn.turn, turn.caller, turn.heard, turn.interrupted) for turn in turns)


def _audit(playbook: Playbook, record: CallRecord, turn: TurnRecord, judged: str) -> StepAudit:
    return StepAudit(
        call_id=record.call.call_id,
        turn=turn.turn,
        playbook=playbook.name,
        method=turn.step_method,
        found=turn.step,
        confidence=turn.step_confidence,
        judged=judged,
        at_ms=now_ms(),
    )
