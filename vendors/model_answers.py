"""What every language model is asked for, whichever vendor's it is: the shapes of its answers, and how soon."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from core.agenda import NO_STEP, OFF_TOPIC, Matter
from core.conversation import Step, Usage
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


class FoundBeside(msgspec.Struct):
    """Another step that the turn asks for."""

    step: str
    words: str = ""


class FoundStep(msgspec.Struct):
    """An answer by ``step_schema``."""

    step: str
    confidence: float
    mood: str = ""
    instead: str = ""
    also: list[FoundBeside] = []

    def as_step(self, request: FindStep, usage: Usage) -> Step | None:
        """What was found; None if it is nothing that was asked about."""
        confidence = min(1.0, max(0.0, self.confidence))
        if request.or_none and self.step == NO_STEP:
            return Step(None, confidence, OFF_TOPIC, usage=usage, mood=self.mood)
        if self.step not in request.steps:
            return None
        others = {one.step: one.words for one in reversed(self.also) if one.step in request.steps}
        others.pop(self.step, None)
        likely = tuple(dict.fromkeys(name for name in (self.step, self.instead) if name in request.steps))
        matters = tuple(Matter(name, others[name]) for name in reversed(others)) if request.matters else ()
        return Step(
            self.step,
            confidence,
            "model",
            usage=usage,
            mood=self.mood,
            choices=likely if request.matters else (),
            matters=matters,
        )


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
        "step": {
            "type": "string",
            "enum": [*request.steps, *([NO_STEP] if request.or_none else [])],
            "description": "the step's name",
        },
        "confidence": {"type": "number", "description": "how sure you are, from 0 to 1"},
    }
    if request.matters:
        properties["instead"] = {
            "type": "string",
            "enum": [*request.steps, NO_STEP],
            "description": f"the step it may be instead; {NO_STEP} without doubt",
        }
        properties["also"] = {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "step": {"type": "string", "enum": list(request.steps)},
                    "words": {"type": "string", "description": "the part of the turn that asks for it, word for word"},
                },
                "required": ["step", "words"],
                "additionalProperties": False,
            },
            "description": "other steps that the same turn asks for as well, in the order it names them; mostly none",
        }
    if request.moods:
        properties["mood"] = {"type": "string", "enum": list(request.moods), "description": "the caller's mood"}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
