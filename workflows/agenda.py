"""What the caller wants beside what was just answered."""

from core.live_call import LiveCall
from core.serving import take_up


def take_up_next(live: LiveCall) -> bool:
    """Go on with the next step in the same turn, unless something else is due. Whether there is one."""
    now = live.conversation.now
    busy = live.interrupted or now.interrupted or live.transfer is not None or live.tools.pending is not None
    if busy or not live.answered:
        return False
    return take_up(live.memory, live.call.playbook, now)
