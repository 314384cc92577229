"""What is kept of calls, outside their histories: the live feed and the record. Never on the hot path."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.contracts.call import CallRecord, CallSummary, Direction
from core.contracts.transfer import Cause, TransferRecord
from core.conversation import TurnRecord, Usage
from core.outcome import Disposition


@dataclass(frozen=True, slots=True)
class CallEvent:
    """One line of a call's live feed.

    Kinds and their fields:
        call_started   direction, playbook, caller_number, our_number
        phase          phase
        caller_turn    turn, text, confidence
        turn_withdrawn turn: what was found for it ahead of its end is worth nothing
        step_found     turn, step, method, confidence, took_ms, answer (who answers: core.conversation.MODEL, CANNED);
                       where there are any: choices (what an unclear caller is asked), matters (what else they want)
        mood           turn, mood (core.mood.Mood)
        told_from      turn, places (where in documents an answer stands)
        tool_called    turn, name, arguments
        tool_returned  turn, name, ok, content, took_ms
        reply_started  turn, layers (name -> ms, see core.timings), latency_ms (caller stopped -> first frame)
        assistant_said turn, part, heard, complete, interrupted, played_ms, talk_over_ms (of it, while the caller spoke
                       too); a later one of the same part takes its place
        supervisor_said turn (the caller's last one before it), text: a supervisor who has taken the call over
        call_ended     disposition
        call_summarized summary, topic, resolved, sentiment
        fields_extracted fields
        crm_synced     note_id
        after_call_changed over (whether nothing more will happen by itself)
        transfer       stage (core.transfer.Stage), and the fields of core.contracts.transfer.TransferRecord
        problem        what (words for an operator, no personal data)
    """

    call_id: str
    kind: str
    at_ms: float
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A feed line with its place in the feed."""

    id: int
    event: CallEvent


@dataclass(frozen=True, slots=True)
class EarlierCall:
    """A call that has ended."""

    ended_ms: float
    summary: CallSummary


class CallFeed(Protocol):
    """The live feed, written in the background."""

    def note(self, event: CallEvent) -> None:
        """Queue a line; never blocks, never raises. While the database is away lines wait, bounded, oldest dropped."""
        ...


class CallStore(Protocol):
    """The record of calls."""

    async def save(self, record: CallRecord) -> None:
        """Make SQL equal to the record: idempotent, whole."""
        ...

    async def save_summary(self, call_id: str, summary: CallSummary, usage: Usage) -> None:
        """Keep the summary, and put what it took on the call's bill; idempotent."""
        ...

    async def save_extraction(self, call_id: str, usage: Usage) -> None:
        """Put what filling in the playbook's fields took on the call's bill; idempotent."""
        ...

    async def save_audit(self, call_id: str, usage: Usage) -> None:
        """Put what judging the call's steps took on its bill; idempotent."""
        ...

    async def earlier_calls(self, caller_number: str, *, tenant: str, but: str, limit: int) -> Sequence[EarlierCall]:
        """The last calls with this person that were summed up, newest first, without the call ``but``."""
        ...

    async def save_crm_note(self, call_id: str, note_id: str) -> None:
        """Keep where the CRM put the call, and let later calls of the same person follow; idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call as lists show it."""

    call_id: str
    direction: Direction
    playbook: str
    caller_number: str
    our_number: str
    phase: str
    step: str
    disposition: Disposition | None
    started_ms: float
    answered_ms: float | None
    ended_ms: float | None
    turns: int
    tenant: str = "default"
    summary: CallSummary | None = None
    crm_note: str | None = None
    cost_usd: float = 0.0
    last_speaker: str = ""  # while it is live: "caller" | "assistant" | "supervisor", and what was said
    last_line: str = ""
    latency_ms: float | None = None  # while it is live: of the last reply
    played_ms: int = 0  # once it has ended: how long the assistant was heard ..
    transfers: tuple[TransferRecord, ...] = ()  # of one call that is looked at, not of lists
    talk_over_ms: int = 0  # .. and how much of it while the caller was speaking

    @property
    def taken_over(self) -> bool:
        """Whether a supervisor talks with the caller in the assistant's place."""
        return any(one.cause is Cause.SUPERVISOR and one.outcome is None and one.bridged_ms for one in self.transfers)

    @property
    def talk_over_rate(self) -> float | None:
        """The share of the assistant's speech, 0 to 1, that the caller spoke over; None: nothing was heard yet."""
        return self.talk_over_ms / self.played_ms if self.played_ms else None


class CallReader(Protocol):
    """What API and console read."""

    async def calls(
        self, *, live: bool | None = None, before: str | None = None, limit: int = 50
    ) -> tuple[Sequence[CallRow], str | None]:
        """Newest first, and the cursor of the next page. Raises ValueError for a cursor that is none of ours."""
        ...

    async def call(self, call_id: str) -> tuple[CallRow, Sequence[TurnRecord]] | None:
        """One call with its turns, finished ones and, while it is live, what the feed has told so far."""
        ...

    def tail(self, *, after: int, call_id: str | None = None) -> AsyncIterator[StoredEvent]:
        """Lines with a greater id, forever; wakes by LISTEN/NOTIFY on PostgreSQL, by a 200 ms poll on SQLite."""
        ...

    async def last_event_id(self) -> int:
        """The feed's end as it is now; 0 when empty."""
        ...
