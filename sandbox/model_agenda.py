"""The rule-based model on turns that are unclear or ask for several things, by what the prompt tells of them."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sandbox.model_prompt import Conversation

NOT_SURE: Final = 0.3
_CHOICE: Final = re.compile(r"just asked the caller which of these it is about: ([\w, -]+)\.")
_UNCLEAR: Final = re.compile(
    r"^# What the caller wants is not clear\n(?:It may be one of these:\n((?:- .*\n)+))?", re.M
)
_STEP: Final = re.compile(r"^- ([\w-]+): ", re.M)
_RESUMED: Final = re.compile(r"The step is ([\w-]+)\..*^# This part of the answer\nThe caller had changed", re.M | re.S)
_COMES_LATER: Final = re.compile(r"^# What comes after this step$", re.M)
_ELSE: Final = re.compile(r"\s*(?:Is there )?anything else(?: I can help you with)?\?\s*$", re.I)
_CLAUSE_ENDS: Final = re.compile(r"[.?!;,]+|\b(?:and|but)\b", re.I)
_VAGUE: Final = re.compile(r"\b(?:things?|stuff|something|whatever|you know what|an issue)\b", re.I)
_FIRST: Final = re.compile(r"\b(?:first|former)\b", re.I)
_SECOND: Final = re.compile(r"\b(?:second|latter|last)\b", re.I)
_FITS: Final = 0.1
_FITS_A_CLAUSE: Final = 0.25


def step_of(
    conversation: Conversation, options: Sequence[str], rate: Callable[[str, str], float]
) -> dict[str, object] | None:
    """The step with what it may be instead and what else is asked for; None: nothing special about this turn.

    Args:
        rate: how well an option fits some words.
    """
    caller = conversation.caller_text
    offered = [name for name in _choices(conversation.system) if name in options]
    for place, ordinal in enumerate((_FIRST, _SECOND)):
        if place < len(offered) and ordinal.search(caller):
            return {"step": offered[place], "confidence": 0.9}
    several = _of_clauses(caller, options, rate)
    if len(several) > 1:
        first, *others = several
        also = [{"step": step, "words": several[step]} for step in others]
        return {"step": first, "confidence": 0.85, "also": also}
    rated = sorted(options, key=lambda option: -rate(option, caller))
    fits = rate(rated[0], caller) >= _FITS
    if not fits and (offered or _VAGUE.search(caller)):
        likely = (offered or rated)[:2]
        return {"step": likely[0], "confidence": NOT_SURE} | ({"instead": likely[1]} if len(likely) > 1 else {})
    return None


def _of_clauses(caller: str, options: Sequence[str], rate: Callable[[str, str], float]) -> dict[str, str]:
    """The steps that the parts of what was said plainly ask for, in their order."""
    found: dict[str, str] = {}
    for clause in _CLAUSE_ENDS.split(caller):
        rated = {option: rate(option, clause) for option in options}
        best = max(options, key=rated.__getitem__)
        if rated[best] >= _FITS_A_CLAUSE:
            found.setdefault(best, clause.strip())
    return found


def _choices(system: str) -> list[str]:
    asked = _CHOICE.search(system)
    return asked[1].split(", ") if asked else []


def question(system: str) -> str:
    """What to ask a caller who is not clear; "" where nothing of that is said."""
    unclear = _UNCLEAR.search(system)
    if unclear is None:
        return ""
    named = [name.replace("_", " ") for name in _STEP.findall(unclear[1] or "")]
    if not named:
        return "I am not sure I understood. Could you tell me in other words what you need?"
    return f"I want to be sure I help with the right thing. Is it about {', or about '.join(named)}?"


def led_over(text: str, conversation: Conversation) -> str:
    """The answer as it goes over to, or back to, other things that the caller wants."""
    if resumed := _RESUMED.search(conversation.system):
        _, _, rest = text.partition(". ")
        text = f"Now, back to your {resumed[1].replace('_', ' ')}. {rest or text}"
    return _ELSE.sub("", text) if _COMES_LATER.search(conversation.system) else text


def asks_several(schema: Mapping[str, object]) -> bool:
    """Whether the request wants to know more than one step."""
    properties = schema.get("properties")
    return isinstance(properties, Mapping) and {"step", "instead", "also"} <= properties.keys()
