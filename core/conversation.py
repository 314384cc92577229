"""What was said, done and found in a call, turn by turn. Frozen parts: histories remember them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ToolCall:
    """A tool the model asked for."""

    id: str  # the model's id, to pair the result
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ToolResult:
    """What became of a tool call, as the model will read it."""

    call: ToolCall
    ok: bool
    content: str  # JSON, or the error in words
    took_ms: int = 0


@dataclass(frozen=True)
class Usage:
    """What a reply cost its vendors."""

    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    characters: int = 0  # spoken


@dataclass(frozen=True)
class Step:
    """The step a turn belongs to. ``name`` None: not found by this method."""

    name: str | None
    confidence: float
    method: str  # "lexical" | "model" | "kept": no finding was sure, the call stays where it is
    took_ms: float = 0.0
    escalates: bool = False
    ends_call: bool = False


@dataclass(frozen=True)
class Exchange:
    """One turn as the prompt remembers it: what was said, done and heard."""

    turn: int
    caller: str  # "" before the caller's first words
    assistant: str  # heard text only
    interrupted: bool = False
    tools: tuple[ToolResult, ...] = ()


@dataclass(frozen=True)
class TurnRecord:
    """One turn, whole: the row in SQL and the line on a screen."""

    turn: int
    caller: str
    confidence: float
    step: str
    step_method: str
    step_confidence: float
    said: str  # what the assistant sent
    heard: str  # what the caller heard of it
    interrupted: bool
    tools: tuple[ToolResult, ...] = ()
    layers: dict[str, float] = field(default_factory=dict)  # name -> ms, see core.timings
    usage: Usage = Usage()
    started_ms: float = 0.0
