"""The note that the customer's systems keep of a call."""

from temporalio import activity

from activities.feed import now_ms
from activities.retries import vendor_failures
from core.contracts import names
from core.contracts.call import SyncCrm
from core.ports.call_log import CallEvent, CallFeed, CallStore
from core.ports.crm import Crm


class CrmActivities:
    """Tells the CRM of calls."""

    def __init__(self, crm: Crm, store: CallStore, feed: CallFeed) -> None:
        self._crm = crm
        self._store = store
        self._feed = feed

    @activity.defn(name=names.SYNC_CRM)
    async def sync_crm(self, request: SyncCrm) -> str:
        """Put the call into the CRM, once; returns the note's id."""
        with vendor_failures():
            note_id = await self._crm.log_call(request)
            await self._store.save_crm_note(request.call_id, note_id)
        self._feed.note(CallEvent(request.call_id, "crm_synced", now_ms(), {"note_id": note_id}))
        return note_id
