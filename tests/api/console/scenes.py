"""Calls as their feeds and records tell them."""

import time
from typing import Any

from core.contracts.call import CallInput, CallRecord, CallSummary, Direction, Phase
from core.contracts.playbook import brief_of
from core.conversation import ToolCall, ToolResult, TurnRecord
from core.outcome import Disposition
from core.ports.call_log import CallEvent, CallFeed
from tests.api.world import CALLER, OUR_NUMBER, RENEWAL

LAYERS = {"end_of_turn": 262.0, "hop": 14.0, "step": 6.0, "tools": 0.0, "model": 410.0, "voice": 130.0, "gateway": 9.0}


def now_ms() -> float:
    return time.time() * 1_000


class Scene:
    """One live call, told line by line."""

    def __init__(self, feed: CallFeed, call_id: str, *, caller: str = CALLER, seconds_ago: float = 60.0) -> None:
        self.call_id = call_id
        self.caller = caller
        self.began_ms = now_ms() - seconds_ago * 1_000
        self._feed = feed

    def note(self, kind: str, **data: Any) -> None:
        self._feed.note(CallEvent(self.call_id, kind, now_ms(), data))

    def begins(self, direction: str = "inbound", playbook: str = RENEWAL.ref, phase: str = "live") -> "Scene":
        data = {
            "direction": direction,
            "playbook": playbook,
            "caller_number": self.caller,
            "our_number": OUR_NUMBER,
        }
        self._feed.note(CallEvent(self.call_id, "call_started", self.began_ms, data))
        self._feed.note(CallEvent(self.call_id, "phase", self.began_ms + 1, {"phase": phase}))
        return self

    def caller_says(self, turn: int, text: str, confidence: float = 0.97) -> None:
        self.note("caller_turn", turn=turn, text=text, confidence=confidence)

    def step_is(self, turn: int, step: str, method: str = "lexical", confidence: float = 0.92) -> None:
        self.note("step_found", turn=turn, step=step, method=method, confidence=confidence, took_ms=4.0)

    def reply_starts(self, turn: int, **changed: float) -> None:
        layers = LAYERS | changed
        self.note("reply_started", turn=turn, layers=layers, latency_ms=sum(layers.values()))

    def assistant_says(self, turn: int, heard: str, *, interrupted: bool = False) -> None:
        self.note("assistant_said", turn=turn, part=0, heard=heard, complete=not interrupted, interrupted=interrupted)

    def tool_runs(self, turn: int, name: str, **arguments: Any) -> None:
        self.note("tool_called", turn=turn, name=name, arguments=arguments)

    def tool_returns(self, turn: int, name: str, content: str, *, ok: bool = True) -> None:
        self.note("tool_returned", turn=turn, name=name, ok=ok, content=content, took_ms=184)

    def ends(self, disposition: Disposition = Disposition.COMPLETED) -> None:
        self.note("phase", phase="ended")
        self.note("call_ended", disposition=disposition)


def turn(number: int, caller: str, heard: str, **changed: Any) -> TurnRecord:
    """A turn of a call that has ended."""
    usual: dict[str, Any] = {
        "turn": number,
        "caller": caller,
        "confidence": 0.97,
        "step": "greet",
        "step_method": "lexical",
        "step_confidence": 0.92,
        "said": heard,
        "heard": heard,
        "interrupted": False,
        "layers": LAYERS,
        "started_ms": now_ms(),
    }
    return TurnRecord(**(usual | changed))


def look_up(ok: bool = True) -> ToolResult:
    """A tool call that has come back."""
    content = '{"number": "48213", "state": "shipped", "arrives": "2026-11-24"}' if ok else "The shop did not answer."
    return ToolResult(ToolCall("t1", "get_order_status", {"order_number": "48213"}), ok, content, 184)


def record(
    call_id: str,
    *turns: TurnRecord,
    disposition: Disposition = Disposition.COMPLETED,
    minutes_ago: float = 10.0,
    seconds: float | None = 75.0,
    caller: str = CALLER,
    direction: Direction = Direction.INBOUND,
) -> CallRecord:
    """A call that has ended; ``seconds`` None: nobody answered."""
    started = now_ms() - minutes_ago * 60_000
    return CallRecord(
        call=CallInput(call_id, direction, brief_of(RENEWAL), caller, OUR_NUMBER),
        disposition=disposition,
        phase=Phase.ENDED,
        started_ms=started,
        answered_ms=None if seconds is None else started + 4_000,
        ended_ms=started + 4_000 + (seconds or 20.0) * 1_000,
        carrier_call_id=None,
        turns=turns,
    )


SUMMARY = CallSummary(
    "The caller asked where order 48213 is. It has shipped and arrives on Tuesday.", "order_status", True
)
