"""Writes notes on a talk: what the caller has told, how they feel, and what prompts would forget."""

import asyncio
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from temporalio import activity

from activities.delivery import heard_of
from activities.feed import mood_read
from activities.note_prompts import notes_prompt
from activities.playbook_shelf import PlaybookShelf
from core.contact_zones import zones_of
from core.contracts.call import Heard, Respond
from core.contracts.notes import Notes, TakeNotes
from core.note_taking import checked_notes, notes_schema
from core.ports.call_log import CallFeed
from core.ports.errors import VendorError
from core.ports.playback import ReplyPlayback
from core.ports.reasoner import Reasoner

log = structlog.get_logger()

LATE_S: Final = 1.0  # what follows an answer that was heard waits for its notes so long


class NoteWriter:
    """Asks the model; what it tells is checked by the playbook before anybody believes it."""

    def __init__(self, reasoner: Reasoner, shelf: PlaybookShelf, feed: CallFeed) -> None:
        self._reasoner = reasoner
        self._shelf = shelf
        self._feed = feed

    async def write(self, request: TakeNotes) -> Notes:
        """One structured call. Raises VendorError."""
        playbook = (await self._shelf.get(request.playbook)).playbook
        schema = notes_schema(playbook, request.step, request.memory, sums_up=bool(request.older), mood=request.mood)
        prompt = notes_prompt(playbook, request, _now_at(request.caller_number))
        told, usage = await self._reasoner.extract(prompt, schema)
        older_turn = request.older[-1].turn if request.older else 0
        notes = checked_notes(playbook, request.memory, request.turn, told, older_turn, usage)
        if notes.mood:
            self._feed.note(mood_read(request.call_id, request.turn, notes.mood))
        return notes

    async def while_heard(self, playback: ReplyPlayback, answer: Respond) -> tuple[Heard | None, Notes | None]:
        """What the caller heard of an answer that is whole, and the notes that were written meanwhile.

        No notes: none are due, the model has failed, or took too long. The next turn's notes make up for it.
        """
        request = _request(answer)
        if request is None:
            return await heard_of(playback), None
        writing = asyncio.create_task(self.write(request))
        try:
            heard = await heard_of(playback)
            hurry = heard is None or activity.is_worker_shutdown()  # its stream, or we, are gone: that is to be known
            await asyncio.wait({writing}, timeout=0 if hurry else LATE_S)
            return heard, writing.result() if writing.done() else None
        except VendorError as error:
            log.warning("notes_not_taken", vendor=error.vendor, kind=error.kind)
            return heard, None
        finally:
            writing.cancel()


def _now_at(number: str) -> datetime:
    """By the clock of whoever has this number; by ours where it may be in several zones, or in none that is known."""
    zones = zones_of(number)
    return datetime.now(ZoneInfo(zones[0])) if len(zones) == 1 else datetime.now().astimezone()


def _request(answer: Respond) -> TakeNotes | None:
    due, memory = answer.notes, answer.memory
    if due is None or memory is None:
        return None
    return TakeNotes(
        answer.call_id,
        answer.playbook,
        answer.key.turn,
        answer.step,
        due.exchanges,
        memory,
        answer.variables,
        due.older,
        due.mood,
        due.caller_number,
    )
