"""What is kept of a call once it has ended."""

from temporalio import activity

from activities.extraction import checked, extract_prompt, wire_schema
from activities.feed import now_ms
from activities.playbook_shelf import PlaybookShelf
from activities.prompts import summary_prompt
from activities.retries import vendor_failures
from core.contracts import names
from core.contracts.after_call import Extracted
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
        told = {
            "summary": summary.summary,
            "topic": summary.topic,
            "resolved": summary.resolved,
            "sentiment": summary.sentiment,
        }
        self._feed.note(CallEvent(call_id, "call_summarized", now_ms(), told))
        return summary

    @activity.defn(name=names.EXTRACT_FIELDS)
    async def extract_fields(self, record: CallRecord) -> Extracted:
        """Have the model fill in the playbook's fields; what does not fit its schema is left out, and told."""
        call_id = record.call.call_id
        with vendor_failures():
            playbook = (await self._shelf.get(record.call.playbook.ref)).playbook
            schema = playbook.after_call.extract
            answer, usage = await self._reasoner.extract(extract_prompt(playbook, record), wire_schema(schema))
            await self._store.save_extraction(call_id, usage)
        extracted = checked(answer, schema)
        self._feed.note(CallEvent(call_id, "fields_extracted", now_ms(), {"fields": extracted.fields}))
        return extracted
