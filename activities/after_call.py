"""What is kept of a call once it has ended."""

from temporalio import activity

from activities.feed import now_ms
from activities.playbook_shelf import PlaybookShelf
from activities.prompts import summary_prompt
from activities.retries import vendor_failures
from core.contracts import names
from core.contracts.call import CallRecord, CallSummary
from core.ports.call_log import CallEvent, CallFeed, CallStore
from core.ports.reasoner import Reasoner


class AfterCallActivities:
    """Records and sums up. All are idempotent: a database or a vendor may be away for hours."""

    def __init__(self, store: CallStore, reasoner: Reasoner, shelf: PlaybookShelf, feed: CallFeed) -> None:
        self._store = store
        self._reasoner = reasoner
        self._shelf = shelf
        self._feed = feed

    @activity.defn(name=names.RECORD_CALL)
    async def record_call(self, record: CallRecord) -> None:
        """Make SQL equal to what the workflow knows."""
        if activity.info().attempt == 1:
            ended = {"disposition": record.disposition}
            self._feed.note(CallEvent(record.call.call_id, "call_ended", now_ms(), ended))
        with vendor_failures():
            await self._store.save(record)

    @activity.defn(name=names.SUMMARIZE_CALL)
    async def summarize_call(self, record: CallRecord) -> CallSummary:
        """Have the model write what a representative reads first, and keep it."""
        call_id = record.call.call_id
        with vendor_failures():
            playbook = (await self._shelf.get(record.call.playbook.ref)).playbook
            summed_up = await self._reasoner.summarize(summary_prompt(playbook, record))
            summary = summed_up.summary
            await self._store.save_summary(call_id, summary, summed_up.usage)
        told = {"summary": summary.summary, "topic": summary.topic, "resolved": summary.resolved}
        self._feed.note(CallEvent(call_id, "call_summarized", now_ms(), told))
        return summary
