"""What every language model is asked for, whichever vendor's it is: the shapes of its answers, and how soon."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from core.mood import SENTIMENTS
from core.ports.reasoner import FindStep


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long to wait before the vendor is taken for failed, in seconds."""

    connect: float = 1.0
    first_token: float = 4.0  # from the request to a reply's first text or tool call
    next_token: float = 1.5  # from one to the next; the caller hears what came before it meanwhile
    step: float = 3.0  # a whole structured answer
    summary: float = 30.0
    check: float = 5.0


class FoundStep(msgspec.Struct):
    """An answer by ``step_schema``."""

    step: str
    confidence: float
    mood: str = ""


SUMMARY_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "summary": {"type": "string", "description": "two or three plain sentences"},
        "topic": {"type": "string", "description": "two to five words"},
        "resolved": {"type": "boolean", "description": "whether the caller got what the call was for"},
        "follow_up": {"type": "string", "description": "what a person still has to do, empty if nothing"},
        "sentiment": {"type": "string", "enum": list(SENTIMENTS), "description": "how the caller left"},
    },
    "required": ["summary", "topic", "resolved", "follow_up", "sentiment"],
    "additionalProperties": False,
}


def step_schema(request: FindStep) -> dict[str, Any]:
    """The shape of a step. No bounds on the number: structured output does not take any."""
    properties: dict[str, Any] = {
        "step": {"type": "string", "enum": list(request.steps), "description": "the step's name"},
        "confidence": {"type": "number", "description": "how sure you are, from 0 to 1"},
    }
    if request.moods:
        properties["mood"] = {"type": "string", "enum": list(request.moods), "description": "the caller's mood"}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
