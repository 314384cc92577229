"""Turns that were keyed in: what a single key asks for is done at once, digits are answered like words."""

from core.contracts.call import CallerTurn, Consent
from core.contracts.transfer import Cause
from core.conversation import Step
from core.keypad import KeyAction
from core.live_call import LiveCall
from workflows.transfer import announcement


def keyed_step(live: LiveCall, turns: list[CallerTurn]) -> Step | None:
    """Keys answer what the step has asked for: the call stays there. None: something was spoken."""
    if any(turn.keyed is None for turn in turns):
        return None
    return Step(live.conversation.now.step, 1.0, "keys")


def obey(live: LiveCall, turns: list[CallerTurn]) -> KeyAction | None:
    """Take down what the keys have told; returns the last action among them."""
    last = None
    for turn in turns:
        action = turn.keyed.action if turn.keyed else None
        if action in (KeyAction.CONSENT, KeyAction.REFUSE):
            live.consents.append(Consent(action is KeyAction.CONSENT, turn.turn, turn.timings.decided_ms))
        elif action is KeyAction.NO_CALLS:
            live.no_more_calls = True
        elif action is KeyAction.TRANSFER:
            live.escalate(Cause.KEY, turn.timings.decided_ms, line=announcement(live, ""))
        last = action or last
    return last


def last_said(live: LiveCall) -> str:
    """What the assistant said last, to say it again; "" while nobody knows yet what that will come to."""
    for turn in reversed(live.conversation.turns):
        if turn.utterances:
            return "" if turn.making else turn.said or turn.heard
    return ""


def nothing_was_asked(live: LiveCall) -> bool:
    """Whether the running turn is the caller's first."""
    return not any(turn.caller for turn in live.conversation.turns[:-1])
