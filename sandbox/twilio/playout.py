"""The carrier's playout buffer of one stream, without its clock: audio and marks in, what is played out.

Source: Twilio Media Streams, messages "media", "mark" and "clear" to Twilio.
"""

from collections import deque
from dataclasses import dataclass

_NO_MARKS: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Played:
    """One step of playing: ``audio`` may be shorter than asked for; ``marks`` are those that came due with it."""

    audio: bytes
    marks: tuple[str, ...] = _NO_MARKS


@dataclass(frozen=True, slots=True)
class Cleared:
    """What a clear did: how many bytes nobody will hear, and the marks that come back all the same."""

    dropped: int
    marks: tuple[str, ...]


class Playout:
    """Audio is played in order, in real time, however fast it came; a mark returns once all before it was played."""

    def __init__(self) -> None:
        self._audio = bytearray()
        self._played = 0
        self._marks: deque[tuple[int, str]] = deque()  # (position in all audio ever played, name)

    @property
    def empty(self) -> bool:
        """Nothing waits to be played."""
        return not self._audio

    @property
    def queued_ms(self) -> int:
        """How long what waits will take to play."""
        return len(self._audio) // 8

    def queue(self, audio: bytes) -> None:
        """Add mu-law of any length at the end."""
        self._audio += audio

    def mark(self, name: str) -> bool:
        """Set a mark after all that is queued; True if it returns at once, because nothing is."""
        if not self._audio:
            return True
        self._marks.append((self._played + len(self._audio), name))
        return False

    def clear(self) -> Cleared:
        """Drop all that waits; every outstanding mark returns at once."""
        cleared = Cleared(len(self._audio), tuple(name for _, name in self._marks))
        self._audio.clear()
        self._marks.clear()
        return cleared

    def play(self, size: int) -> Played:
        """Play the next ``size`` bytes, or what there is."""
        audio = bytes(self._audio[:size])
        del self._audio[:size]
        self._played += len(audio)
        if not self._marks or self._marks[0][0] > self._played:
            return Played(audio)
        marks = []
        while self._marks and self._marks[0][0] <= self._played:
            marks.append(self._marks.popleft()[1])
        return Played(audio, tuple(marks))
