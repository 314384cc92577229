"""The steps after a call that reach people, customers and operators. All are idempotent, or say how they are not."""

from collections.abc import Callable
from typing import Final

import structlog
from structlog.contextvars import bound_contextvars
from temporalio import activity

from activities.clocks import agreed_ms
from activities.courier import Courier, failure_of
from activities.feed import now_ms
from activities.follow_ups import Ready, prepared
from activities.playbook_shelf import PlaybookShelf
from activities.retries import vendor_failures
from core.after_call import crm_note
from core.auditing import audited_turns
from core.contracts import names
from core.contracts.after_call import (
    AfterPlan,
    AfterState,
    AwaitCrmTurn,
    DeadLetter,
    DeliverWebhook,
    FollowUpPlan,
    Means,
    Outcome,
    Resend,
    SendFollowUp,
)
from core.contracts.call import CallRecord
from core.ports.after_call import AfterCallStore, Messenger, WebhookBook
from core.ports.call_log import CallEvent, CallFeed
from core.ports.errors import VendorError

log = structlog.get_logger()

CHANGED: Final = "after_call_changed"


class AfterStepActivities:
    """What ``AfterCallActivities`` does not do: no model is asked here."""

    def __init__(
        self,
        store: AfterCallStore,
        book: WebhookBook,
        courier: Courier,
        messenger: Messenger,
        shelf: PlaybookShelf,
        feed: CallFeed,
        clock: Callable[[], float] = now_ms,
    ) -> None:
        """``clock``: ms since the epoch."""
        self._clock = clock
        self._store = store
        self._book = book
        self._courier = courier
        self._messenger = messenger
        self._shelf = shelf
        self._feed = feed

    @activity.defn(name=names.PLAN_AFTER_CALL)
    async def plan_after_call(self, record: CallRecord) -> AfterPlan:
        """What playbook and customers want; and the call takes its place among its person's notes."""
        with vendor_failures():
            playbook = (await self._shelf.get(record.call.playbook.ref)).playbook
            choice = playbook.after_call
            crm = choice.crm and crm_note(record, None, {}) is not None
            if crm:
                await self._store.queue_for_crm(record)
            crm_turn = crm and await self._store.is_crm_turn(record.call.call_id)
            endpoints = tuple(await self._book.plans())
        answered = record.answered_ms is not None
        return AfterPlan(
            extracts=bool(choice.extract),
            crm=crm,
            follow_ups=tuple(FollowUpPlan(item.name, Means(item.by)) for item in choice.follow_ups if answered),
            endpoints=endpoints,
            audits=bool(audited_turns(playbook, record.call.call_id, record.turns)),
            crm_turn=crm_turn,
        )

    @activity.defn(name=names.AWAIT_CRM_TURN)
    async def await_crm_turn(self, request: AwaitCrmTurn) -> None:
        """Fails, to be asked again, while an earlier call of the same person waits for its note."""
        with vendor_failures():
            if not await self._store.is_crm_turn(request.call_id):
                raise VendorError("crm", "unavailable", "an earlier call of this person comes first", curable=True)

    @activity.defn(name=names.SEND_FOLLOW_UP)
    async def send_follow_up(self, request: SendFollowUp) -> Outcome:
        """Write to the person, if they have consented and it is not too late in their day.

        An SMS whose sending was unclear is looked up first. An e-mail may come twice, with one Message-ID.
        """
        with bound_contextvars(call_id=request.call_id), vendor_failures():
            choice = (await self._shelf.get(request.playbook)).playbook.after_call
            ready = prepared(choice, request, agreed_ms(self._clock))
            if not isinstance(ready, Ready):
                return ready
            if ready.means is Means.SMS:
                sent = await self._messenger.send_sms(ready.to, request.our_number, ready.text, request.since_ms)
            else:
                key = f"{request.call_id}.{request.name}"
                sent = await self._messenger.send_email(ready.to, ready.subject, ready.text, key)
        log.info("follow_up_sent", follow_up=request.name, means=ready.means, id=sent)
        return Outcome(f"sent: {sent}")

    @activity.defn(name=names.DELIVER_WEBHOOK)
    async def deliver_webhook(self, request: DeliverWebhook) -> Outcome:
        """Tell one endpoint, signed with the secrets it has now. It may hear a message twice, with the same id."""
        with bound_contextvars(call_id=request.call_id, endpoint=request.endpoint_id), vendor_failures():
            attempts = await self._courier.deliver(request.endpoint_id, [request])
            if attempts is None:
                return Outcome("the endpoint was removed", skipped=True)
            (attempt,) = attempts
            if failure := failure_of(attempt):
                raise failure
        return Outcome(f"{attempt.detail} in {attempt.took_ms} ms")

    @activity.defn(name=names.KEEP_AFTER_STATE)
    async def keep_after_state(self, state: AfterState) -> None:
        """Make SQL equal to the workflow's own view."""
        with vendor_failures():
            await self._store.keep(state)
        self._feed.note(CallEvent(state.call_id, CHANGED, now_ms(), {"over": all(step.over for step in state.steps)}))

    @activity.defn(name=names.SET_ASIDE)
    async def set_aside(self, letter: DeadLetter) -> None:
        """Keep it among the dead letters; what waited for it waits no more."""
        with vendor_failures():
            letter_id = await self._store.set_aside(letter)
            if letter.errand.crm is not None:
                await self._store.leave_crm_queue(letter.call_id)
        log.warning("dead_letter", call_id=letter.call_id, step=letter.errand.step, letter_id=letter_id)
        if letter.call_id:  # a campaign's contact may never have been called
            self._feed.note(CallEvent(letter.call_id, CHANGED, now_ms(), {"over": False}))

    @activity.defn(name=names.OPEN_LETTER)
    async def open_letter(self, request: Resend) -> DeadLetter | None:
        """The letter, marked as under way; None if there is none that waits."""
        with vendor_failures():
            found = await self._store.letter(request.letter_id)
            if found is None or found.status in ("sent", "dismissed"):
                return None
            await self._store.mark_letter(request.letter_id, "resending")
        return found.letter

    @activity.defn(name=names.CLOSE_LETTER)
    async def close_letter(self, request: Resend) -> None:
        """Its errand is done."""
        with vendor_failures():
            await self._store.mark_letter(request.letter_id, "sent")
