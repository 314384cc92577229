"""What a warm transfer needs beside the carrier: who is there, and what they have to know."""

from datetime import UTC, datetime

from temporalio import activity

from activities.briefing import briefing_prompt
from activities.feed import transfer_moved
from activities.playbook_shelf import PlaybookShelf
from activities.retries import vendor_failures
from core.contracts import names
from core.contracts.transfer import Briefing, NoteTransfer, OpenQueue, QueueOpened, WriteBriefing
from core.ports.call_log import CallFeed
from core.ports.reasoner import Reasoner


class TransferActivities:
    """Decides nothing about legs: those are the carrier's (activities.telephony)."""

    def __init__(self, reasoner: Reasoner, shelf: PlaybookShelf, feed: CallFeed) -> None:
        self._reasoner = reasoner
        self._shelf = shelf
        self._feed = feed

    @activity.defn(name=names.OPEN_QUEUE)
    async def open_queue(self, request: OpenQueue) -> QueueOpened:
        """Who is to be called now; nobody outside the queue's hours."""
        with vendor_failures():
            playbook = (await self._shelf.get(request.playbook)).playbook
        queue = playbook.queue(request.queue)
        return QueueOpened(
            numbers=queue.numbers if queue.is_open(datetime.now(UTC)) else (),
            ring_seconds=queue.ring_seconds,
            language=queue.language,
            keys_line=queue.keys_line,
            callback=queue.fallback == "callback",
            comes_back=queue.comes_back,
        )

    @activity.defn(name=names.WRITE_BRIEFING)
    async def write_briefing(self, request: WriteBriefing) -> Briefing:
        """Have the model write what the representative hears and reads."""
        with vendor_failures():
            playbook = (await self._shelf.get(request.playbook)).playbook
            summed_up = await self._reasoner.summarize(briefing_prompt(playbook, request))
        summary = summed_up.summary
        written = summary.summary + (f"\nTo do: {summary.follow_up}" if summary.follow_up else "")
        return Briefing(whisper=f"{summary.topic}. {summary.summary}", summary=written)

    @activity.defn(name=names.NOTE_TRANSFER)
    async def note_transfer(self, request: NoteTransfer) -> None:
        """Tell the live feed."""
        self._feed.note(transfer_moved(request))
