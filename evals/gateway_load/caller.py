"""One caller of the load, without a clock or socket: asks when it is quiet, counts what is played, returns marks."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from evals.gateway_load.frames import FRAME, SILENCE

QUIET_MS = 800.0  # after what was played, before the next question
PATIENCE_MS = 8_000.0  # for an answer


@dataclass(slots=True)
class Asked:
    """A question and when its answer came, ms of the monotonic clock."""

    call: int
    ended_ms: float
    answered_ms: float | None = None


class Caller:
    """Ask it for a frame every 20 ms."""

    def __init__(self, call: int, questions: Sequence[bytes], first: int) -> None:
        """``questions``: the sound of each, in whole frames of ``without_bits`` audio."""
        self.asked: list[Asked] = []
        self.speaking = False
        self.question = first % len(questions)
        self._call = call
        self._questions = questions
        self._place = 0
        self._play_end_ms = 0.0
        self._marks: deque[tuple[float, str]] = deque()
        self._heard = False  # something since the last question
        self._answer_by_ms = 0.0

    def frame(self, now_ms: float) -> bytes:
        """The next 20 ms of its sound; ``speaking`` and ``question`` tell what that is."""
        if not self.speaking and self._may_ask(now_ms):
            self.speaking, self._place = True, 0
            self.question = (self.question + 1) % len(self._questions)
        if not self.speaking:
            return SILENCE
        sound = self._questions[self.question]
        frame = sound[self._place : self._place + FRAME]
        self._place += FRAME
        if self._place > len(sound):
            return self._end_question(now_ms)
        return frame

    def play(self, size: int, now_ms: float) -> None:
        """So many bytes of audio have come."""
        self._play_end_ms = max(now_ms, self._play_end_ms) + size / 8
        self._heard = True
        if self.asked and self.asked[-1].answered_ms is None and not self.speaking:
            self.asked[-1].answered_ms = now_ms

    def mark(self, name: str) -> None:
        """A mark after all audio so far."""
        self._marks.append((self._play_end_ms, name))

    def clear(self, now_ms: float) -> None:
        """Drop what was not played; all marks are due."""
        self._play_end_ms = min(self._play_end_ms, now_ms)
        self._marks = deque((now_ms, name) for _, name in self._marks)

    def marks_due(self, now_ms: float) -> list[str]:
        """Marks before which everything was played."""
        due = []
        while self._marks and self._marks[0][0] <= now_ms:
            due.append(self._marks.popleft()[1])
        return due

    def _may_ask(self, now_ms: float) -> bool:
        if self._heard:
            return now_ms >= self._play_end_ms + QUIET_MS
        return bool(self.asked) and now_ms >= self._answer_by_ms

    def _end_question(self, now_ms: float) -> bytes:
        self.speaking, self._heard = False, False
        self._answer_by_ms = now_ms + PATIENCE_MS
        self.asked.append(Asked(self._call, now_ms))
        return SILENCE
