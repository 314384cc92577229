"""When a call goes to a person though nobody has asked for one. Pure."""

from collections.abc import Sequence

from core.contracts.playbook import EscalationRules
from core.contracts.transfer import Cause
from core.conversation import Turn
from core.playbook import TRANSFER_TOOL


def due(turns: Sequence[Turn], rules: EscalationRules) -> Cause | None:
    """The first reason that holds now."""
    results = [result for turn in turns for result in turn.tools if result.call.name != TRANSFER_TOOL]
    failing = rules.after_tool_failures
    if failing and len(results) >= failing and not any(result.ok for result in results[-failing:]):
        return Cause.TOOL_FAILURE
    spoken = [turn for turn in turns if turn.caller and turn.eager is None]
    unsure = rules.after_unsure_turns
    if unsure and len(spoken) >= unsure and all(turn.step_confidence < rules.unsure_below for turn in spoken[-unsure:]):
        return Cause.LOW_CONFIDENCE
    return None
