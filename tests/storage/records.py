"""Calls as workflows record them."""

from dataclasses import replace
from typing import Any

from core.contracts.call import CallInput, CallRecord, Direction, Phase
from core.contracts.playbook import PlaybookBrief
from core.conversation import ToolCall, ToolResult, TurnRecord, Usage
from core.outcome import Disposition

PLAYBOOK = PlaybookBrief(
    ref="order_support@0123456789ab",
    start_step="find_order",
    greeting="Hello.",
    welcome_back="Back again.",
    silence_prompts=(),
    farewell="Bye.",
    apology="Sorry.",
)

GREETING = TurnRecord(
    turn=0,
    caller="",
    confidence=0.0,
    step="find_order",
    step_method="kept",
    step_confidence=1.0,
    said="Hello.",
    heard="Hello.",
    interrupted=False,
    usage=Usage(characters=6),
    started_ms=1_000.5,
)

QUESTION = TurnRecord(
    turn=1,
    caller="Where is order 4 7 1 1? Größe Ω",
    confidence=0.93,
    step="find_order",
    step_method="lexical",
    step_confidence=0.81,
    said="It is on its way. It comes tomorrow.",
    heard="It is on its way.",
    interrupted=True,
    tools=(
        ToolResult(ToolCall("toolu_1", "look_up", {"order": "4711", "deep": {"n": [1, 2.5, None]}}), True, "{}", 82),
        ToolResult(ToolCall("toolu_2", "look_up", {}), False, "no such order", 5),
    ),
    layers={"end_of_turn": 371.2, "hop": 12.0},
    usage=Usage("claude-haiku-4-5", input_tokens=1_000, output_tokens=40, characters=36),
    started_ms=4_200.25,
    answer_method="canned",
    mood="upset",
    matters=("find_order", "returns"),
    choices=("find_order", "goodbye"),
    played_ms=1_640,
    talk_over_ms=140,
)


def ended_call(call_id: str = "CA1", **changes: Any) -> CallRecord:
    """A call of 61 seconds."""
    call = CallInput(
        call_id=call_id,
        direction=Direction.INBOUND,
        playbook=PLAYBOOK,
        caller_number="+15550100",
        our_number="+12025550142",
        tenant="acme",
        campaign="spring",
        variables={"name": "Ada"},
    )
    record = CallRecord(
        call=call,
        disposition=Disposition.COMPLETED,
        phase=Phase.ENDED,
        started_ms=500.125,
        answered_ms=1_000.0,
        ended_ms=62_000.0,
        carrier_call_id="CA1",
        turns=(GREETING, QUESTION),
    )
    return replace(record, **changes)
