"""Who speaks to the caller on one stream: the assistant, or a supervisor who has taken the call over in the browser.

Without a clock or I/O: times are ms on the stream's clock.
"""

from enum import StrEnum
from typing import Final

from core.g711 import SAMPLES_PER_MS

MOST_AHEAD_MS: Final = 400.0  # of a supervisor's audio that waits at the carrier; what a stalled network brings is late


class Asked(StrEnum):
    """What becomes of a supervisor's wish to speak."""

    TAKEN = "taken"
    RESUMED = "resumed"  # they had it, and have come back in time
    REFUSED = "refused"  # somebody else has it
    TOO_LATE = "too_late"  # they wanted to come back, and it was handed back already


class Floor:
    """``holder`` names the page that has the floor, ``by`` the person in front of it; "" while it is the assistant's.

    A microphone sends a frame every 20 ms, also of silence. None for ``grace_ms``: its supervisor is gone, whatever
    went down in between.
    """

    def __init__(self, grace_ms: float) -> None:
        self.holder = ""
        self.by = ""
        self._grace_ms = grace_ms
        self._last_ms = 0.0
        self._played_ms = 0.0  # until then the carrier plays what it was given

    def take(self, holder: str, by: str, now_ms: float, *, again: bool = False) -> Asked:
        """A supervisor wants to speak. ``again``: only if they have the floor already, and were cut off."""
        if self.holder == holder:
            self._last_ms = now_ms
            return Asked.RESUMED
        if again or self.holder:
            return Asked.TOO_LATE if again else Asked.REFUSED
        self.holder, self.by, self._last_ms = holder, by, now_ms
        return Asked.TAKEN

    def speak(self, holder: str, audio: bytes, now_ms: float) -> bool:
        """Whether the caller is to hear this: the floor is theirs, and not too much waits at the carrier already."""
        if not holder or holder != self.holder:
            return False
        self._last_ms = now_ms
        begins_ms = max(self._played_ms, now_ms)
        if begins_ms - now_ms > MOST_AHEAD_MS:
            return False
        self._played_ms = begins_ms + len(audio) / SAMPLES_PER_MS
        return True

    def give_back(self, holder: str) -> bool:
        """The floor is the assistant's again; False if it was not theirs to give."""
        if not holder or holder != self.holder:
            return False
        self.holder = self.by = ""
        return True

    def gone_in_ms(self, now_ms: float) -> float:
        """How long the supervisor may still be silent; 0: they are gone."""
        return max(0.0, self._last_ms + self._grace_ms - now_ms)
