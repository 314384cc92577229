"""Escalations that nobody has asked for: the caller is upset, cannot be understood, or our systems fail."""

from core.contracts.transfer import Cause
from core.escalation import due
from core.live_call import LiveCall


def escalate_if_due(live: LiveCall, now_ms: float) -> None:
    """Have a person called when it has come to that; not twice in a call for the same reason."""
    if live.transfer is not None:
        return
    rules = live.call.playbook.escalation
    before = {past.cause for past in live.transfers}
    if live.vexed and Cause.MOOD not in before:
        live.escalate(Cause.MOOD, now_ms, line=live.script.mood.escalation_line)
        return
    cause = due(live.conversation.turns, rules)
    if cause is not None and cause not in before:
        foreign = live.language != live.call.playbook.turn_taking.language
        line = live.script.holding_line if foreign else rules.line
        live.escalate(cause, now_ms, queue=rules.queue, line=line)
