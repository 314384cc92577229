"""Escalations that nobody has asked for: the caller is upset, cannot be understood, or our systems fail."""

from core.contracts.transfer import Cause, Wanted
from core.escalation import due
from core.live_call import LiveCall


def give_up(live: LiveCall, now_ms: float) -> None:
    """The caller was asked, and is no clearer. Where there is nobody to go to, a callback is noted."""
    playbook = live.call.playbook
    if playbook.has_people:
        rules = playbook.escalation
        live.escalate(Cause.LOW_CONFIDENCE, now_ms, queue=rules.queue, line=_line(live))
    else:
        live.call_for(Wanted(Cause.LOW_CONFIDENCE), now_ms)


def may_give_up(live: LiveCall) -> bool:
    """Not while somebody is being called, and not twice in a call."""
    return live.transfer is None and all(past.cause is not Cause.LOW_CONFIDENCE for past in live.transfers)


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
        live.escalate(cause, now_ms, queue=rules.queue, line=_line(live))


def _line(live: LiveCall) -> str:
    """What the caller is told; the playbook has it in its first language only."""
    foreign = live.language != live.call.playbook.turn_taking.language
    return live.script.holding_line if foreign else live.call.playbook.escalation.line
