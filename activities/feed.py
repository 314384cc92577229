"""Lines of the live feed that several activities write; the kinds are listed at core.ports.call_log.CallEvent."""

import time
from collections.abc import Sequence
from dataclasses import asdict

from core.contracts.call import CallOpening, Phase
from core.contracts.transfer import NoteTransfer
from core.conversation import CANNED, MODEL, Step, ToolCall, ToolResult
from core.ports.call_log import CallEvent


def now_ms() -> float:
    """Wall clock, ms since the epoch: comparable with the gateway's stamps."""
    return time.time() * 1_000


def call_started(call_id: str, opening: CallOpening) -> CallEvent:
    """A call begins."""
    return CallEvent(call_id, "call_started", now_ms(), asdict(opening))


def phase(call_id: str, entered: Phase) -> CallEvent:
    """A call enters a phase."""
    return CallEvent(call_id, "phase", now_ms(), {"phase": entered})


def step_found(call_id: str, turn: int, step: Step) -> CallEvent:
    """A turn belongs to a step."""
    found: dict[str, object] = {
        "step": step.name,
        "method": step.method,
        "confidence": step.confidence,
        "took_ms": step.took_ms,
    }
    if step.choices:
        found["choices"] = list(step.choices)
    if step.matters:
        found["matters"] = [matter.step for matter in step.matters]
    return CallEvent(
        call_id, "step_found", now_ms(), {"turn": turn} | found | {"answer": CANNED if step.answer else MODEL}
    )


def mood_read(call_id: str, turn: int, mood: str) -> CallEvent:
    """How the caller sounds."""
    return CallEvent(call_id, "mood", now_ms(), {"turn": turn, "mood": mood})


def told_from_documents(call_id: str, turn: int, places: Sequence[str]) -> CallEvent:
    """Where what the assistant has told stands."""
    return CallEvent(call_id, "told_from", now_ms(), {"turn": turn, "places": list(places)})


def tool_called(call_id: str, turn: int, call: ToolCall) -> CallEvent:
    """A tool starts."""
    return CallEvent(call_id, "tool_called", now_ms(), {"turn": turn, "name": call.name, "arguments": call.arguments})


def tool_returned(call_id: str, turn: int, result: ToolResult) -> CallEvent:
    """A tool has answered, or failed."""
    answer = {"name": result.call.name, "ok": result.ok, "content": result.content, "took_ms": result.took_ms}
    return CallEvent(call_id, "tool_returned", now_ms(), {"turn": turn} | answer)


def transfer_moved(note: NoteTransfer) -> CallEvent:
    """A transfer has come to a stage."""
    return CallEvent(note.call_id, "transfer", now_ms(), asdict(note.record) | {"stage": note.stage})


def problem(call_id: str, what: str) -> CallEvent:
    """Words for an operator, without personal data."""
    return CallEvent(call_id, "problem", now_ms(), {"what": what})
