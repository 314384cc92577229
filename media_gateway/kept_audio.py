"""The caller's audio of the last turns, kept for a second look."""

from collections import deque

from core.g711 import SAMPLES_PER_MS

KEPT_BYTES = 60_000 * SAMPLES_PER_MS  # of the turn under way, and of all finished ones together
LEAD_IN_BYTES = 1_000 * SAMPLES_PER_MS  # before the first voiced frame


class KeptAudio:
    """Inbound audio of one stream, cut into turns; bounded, oldest dropped."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()  # the utterance under way; without speech only the lead-in
        self._said: list[bytes] = []  # utterances that no turn has taken yet
        self._size = 0
        self._speech = False
        self._turns: dict[int, bytes] = {}

    def add(self, frame: bytes, voiced: bool) -> None:
        """The next frame. The hot path."""
        self._frames.append(frame)
        self._size += len(frame)
        self._speech = self._speech or voiced
        if self._size > (KEPT_BYTES if self._speech else LEAD_IN_BYTES):
            self._size -= len(self._frames.popleft())

    def under_way(self) -> list[bytes]:
        """The utterance under way with a little before it: what a new recogniser has to hear."""
        return list(self._frames)

    def end_utterance(self, *, words: bool) -> None:
        """The recogniser has made up its mind; sound without words is of no use."""
        if words:
            self._said.append(b"".join(self._frames))
        self._frames.clear()
        self._size = 0
        self._speech = False

    def end_turn(self) -> bytes:
        """The audio of the turn that has just ended; the next one begins."""
        audio = b"".join(self._said)
        self._said.clear()
        return audio[-KEPT_BYTES:]

    def keep(self, turn: int, audio: bytes) -> None:
        """Have a turn's audio at hand under its number."""
        self._turns[turn] = audio
        while len(self._turns) > 1 and sum(map(len, self._turns.values())) > KEPT_BYTES:
            del self._turns[next(iter(self._turns))]

    def turn(self, number: int) -> bytes | None:
        """The audio of a finished turn, while it is kept."""
        return self._turns.get(number)
