"""The language model: finding steps, writing replies, summing up."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.contracts.call import CallSummary
from core.conversation import Step, ToolCall, ToolResult, Usage


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool the model may ask for; ``arguments`` is a JSON Schema of type object."""

    name: str
    description: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation. ``tools`` on an assistant's: what it asked for; the vendor's file pairs them."""

    role: str  # "user" | "assistant"
    text: str
    tools: tuple[ToolResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """All a model needs for one answer. ``conversation`` is an opaque id, never personal data.

    ``system`` is the same for every call of a playbook, so that a vendor can cache it; ``situation``, what holds for
    this call and turn, follows it.
    """

    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    max_tokens: int = 400
    conversation: str = ""
    situation: str = ""


@dataclass(frozen=True, slots=True)
class FindStep:
    """Which of ``steps`` (name -> what it is for) does the last message belong to."""

    prompt: Prompt
    steps: Mapping[str, str] = field(default_factory=dict)
    moods: tuple[str, ...] = ()  # and which of these is the caller's mood
    matters: bool = False  # and which it may be instead, and what else the message asks for
    or_none: bool = False  # or does it belong to none of them: a Step without a name, by the method OFF_TOPIC


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Some text of the reply, as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What a model took that was asked beside the one that answers, or before it: nobody hears its words."""

    usage: Usage


ReplyPiece = TextPiece | ToolCall | Usage | Beside
"""A reply's stream: text, tool calls once their arguments are whole, its usage as it becomes known; usages add up."""


@dataclass(frozen=True, slots=True)
class SummedUp:
    """A call's summary, and what writing it took."""

    summary: CallSummary
    usage: Usage


class Reasoner(Protocol):
    """A language model."""

    async def find_step(self, request: FindStep) -> Step:
        """The step, with what the model took. Raises VendorError."""
        ...

    def reply(self, prompt: Prompt) -> AbstractAsyncContextManager[AsyncIterator[ReplyPiece]]:
        """Stream a reply; leaving the block drops the request. Entering and iterating raise VendorError."""
        ...

    async def summarize(self, prompt: Prompt) -> SummedUp:
        """Raises VendorError."""
        ...

    async def extract(self, prompt: Prompt, schema: Mapping[str, Any]) -> tuple[dict[str, Any], Usage]:
        """An object by the JSON Schema, unchecked, and what it took. Raises VendorError."""
        ...
