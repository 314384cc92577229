"""The last watch over a caller who waits for the assistant: whichever part stalls, silence does not last."""

from dataclasses import dataclass
from typing import Final

NEVER: Final = float("inf")
LOOK_AGAIN_MS: Final = 100.0  # while somebody speaks
LONGER_EACH_TIME: Final = 1.06
LONGEST_MS: Final = 2_900.0  # a caller is never left in silence for three seconds

# How far an answer has come; where it stays is where the silence is made.
GREETING: Final = "greeting"  # nothing was said on this stream yet
TURN_FORESEEN: Final = "turn_foreseen"  # it is known, and has only probably ended
TURN_SENT: Final = "turn_sent"
TURN_SIGNALLED: Final = "turn_signalled"  # it was not accepted in time, or was foreseen: nothing tells when it is known
TURN_ACCEPTED: Final = "turn_accepted"
REPLY_OPENED: Final = "reply_opened"
FIRST_AUDIO: Final = "first_audio"
TOOLS: Final = "tools"  # words were said, and more is to come
_TOLD: Final = {TURN_SIGNALLED, TURN_ACCEPTED}


@dataclass(frozen=True, slots=True)
class DeadAirFound:
    """The caller has heard nothing for too long. ``overdue``: so long that the workflow has to know."""

    stage: str
    waited_ms: float  # since the answer was owed
    overdue: bool


class DeadAir:
    """One stream's watch. Times are ms on the stream's clock; ask ``look`` when ``due_ms`` has come."""

    def __init__(self, limit_ms: float, overdue_ms: float, now_ms: float) -> None:
        self._limit_ms = limit_ms
        self._overdue_ms = overdue_ms
        self._times = 0
        self._told_ms = now_ms  # of the wait the workflow knows, or its beginning
        self._owed_ms = now_ms
        self._stage = GREETING
        self._doubtful = False
        self.due_ms = now_ms + limit_ms

    @property
    def owed(self) -> bool:
        """Whether the assistant is due to speak."""
        return self.due_ms < NEVER

    def unbegun(self, now_ms: float) -> DeadAirFound | None:
        """If the workflow is to have more of an answer made, and has been told so.

        Ask while nothing comes in: what becomes of a reply that does is told by itself.
        """
        if not self.owed or self._stage in (TURN_SENT, FIRST_AUDIO):
            return None
        return DeadAirFound(self._stage, now_ms - self._owed_ms, overdue=False)

    def doubt(self) -> None:
        """A worker has died that may have had the answer: unless one opens, the first silence is too long."""
        self._doubtful = True

    def owe(self, now_ms: float) -> None:
        """The caller has said something and waits for an answer."""
        self._owed_ms = self._told_ms = now_ms
        self._times = 0
        self._stage = TURN_SENT
        self.due_ms = now_ms + self._limit_ms

    def reach(self, stage: str) -> None:
        """The answer has come so far; that its turn is known is no news by then."""
        if self._stage == TURN_SENT or stage not in _TOLD:
            self._stage = stage
        if stage not in _TOLD:
            self._doubtful = False

    def settle(self) -> None:
        """The answer was heard, or is not wanted any more."""
        self._doubtful = False
        self.due_ms = NEVER

    def look(self, quiet_since_ms: float | None, now_ms: float) -> DeadAirFound | None:
        """What has to be done by now. ``quiet_since_ms`` None: somebody speaks."""
        if quiet_since_ms is None:
            self.due_ms = now_ms + LOOK_AGAIN_MS
            return None
        patience_ms = min(max(LONGEST_MS, self._limit_ms), self._limit_ms * LONGER_EACH_TIME**self._times)
        self.due_ms = max(quiet_since_ms, self._owed_ms) + patience_ms
        if self.due_ms > now_ms:
            return None
        self._times += 1
        self.due_ms = now_ms + LOOK_AGAIN_MS
        overdue = self._doubtful or now_ms - self._told_ms >= self._overdue_ms
        if overdue:
            self._told_ms, self._doubtful = now_ms, False
        return DeadAirFound(self._stage, now_ms - self._owed_ms, overdue)
