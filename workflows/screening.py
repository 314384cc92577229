"""Calls that we place, and that a service or somebody else answers for the person we want to reach."""

from dataclasses import replace

from core.backchannels import only_greets
from core.contracts.call import Direction
from core.conversation import Step
from core.live_call import LiveCall
from core.screening import METHOD, Screener, screener_in


def may_screen(live: LiveCall, said: str, turn: int) -> bool:
    """Whether a turn is answered by a fixed line: what asks who is calling, or who comes to the phone after it."""
    return _found(live, said, turn) is not None or _comes(live, turn)


def line_at_the_door(live: LiveCall, said: str, turn: int) -> str | None:
    """What is said to whoever screens the call, and after it to the person themselves; None: the call is past that."""
    found, comes = _found(live, said, turn), _comes(live, turn)
    if found is None and not comes:
        return None
    live.conversation.find(Step(live.conversation.now.step, 1.0, METHOD))
    if found is None:
        live.screening = replace(live.screening, person_comes=False)
        return live.script.greeting
    live.screening = live.screening.after(live.conversation.now.number, found)
    return (
        live.script.screening if found is not Screener.WAIT else live.script.take_your_time or live.script.holding_line
    )


def _found(live: LiveCall, said: str, turn: int) -> Screener | None:
    if live.call.direction is not Direction.OUTBOUND or not live.script.screening or not _nobody_has_talked(live, turn):
        return None
    found = screener_in(said, live.language)
    return None if found is Screener.WAIT and not live.screening.turn else found


def _comes(live: LiveCall, turn: int) -> bool:
    return live.screening.person_comes and _nobody_has_talked(live, turn)


def _nobody_has_talked(live: LiveCall, turn: int) -> bool:
    """Before this turn: what was said belonged to the screening, or was a mere hello."""
    since = [one for one in live.conversation.turns if live.screening.turn < one.number < turn]
    return all(only_greets(one.caller, live.language) for one in since)
