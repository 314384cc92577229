"""What a person on the line hears, read back from the audio that was really played, without a clock.

Places (``at_ms``) are ms of line time since the person's leg was answered; ``now_ms`` is the wall clock.
"""

from dataclasses import dataclass, field
from typing import Any

from sandbox.audio_code import Place, Reader
from sandbox.twilio.key_reader import KeyReader

_SILENT = (0xFF, 0x7F)  # mu-law's two zeros
SILENCE_MS = 100  # shorter ones go unnoticed


def audible(audio: bytes) -> bool:
    """Whether there is any sound in mu-law audio."""
    return sum(audio.count(zero) for zero in _SILENT) < len(audio)


@dataclass(frozen=True, slots=True)
class WordHeard:
    """A word, or a key as "[5]", and where on the line it began."""

    text: str
    at_ms: int


@dataclass(slots=True)
class HeardLine:
    """One reply: sound until the line was quiet for a while, or until it was cut."""

    at_ms: int  # its first sound
    arrived_ms: float  # wall clock: its first audio reached the carrier
    played_ms: float  # wall clock: its first sound was played
    end_ms: int = 0  # its last sound
    words: list[WordHeard] = field(default_factory=list)
    interrupted: bool = False  # a clear dropped the rest of it
    gaps: int = 0  # times the playout ran dry within an utterance
    gap_ms: int = 0
    silences: list[tuple[int, int]] = field(default_factory=list)  # from, until: nothing was played in its midst
    skipped_ms: float | None = None  # it went on where a clear had cut: so much was lost, or, below 0, heard twice
    finished: bool = False

    @property
    def text(self) -> str:
        """The words in order."""
        return " ".join(word.text for word in self.words)

    def to_json(self) -> dict[str, Any]:
        """As the control routes show it."""
        return {
            "text": self.text,
            "at_ms": self.at_ms,
            "end_ms": self.end_ms,
            "arrived_ms": self.arrived_ms,
            "played_ms": self.played_ms,
            "interrupted": self.interrupted,
            "finished": self.finished,
            "gaps": self.gaps,
            "gap_ms": self.gap_ms,
            "silences": [list(silence) for silence in self.silences],
            "skipped_ms": self.skipped_ms,
            "words": [{"text": word.text, "at_ms": word.at_ms} for word in self.words],
        }


class Ear:
    """Feed it every 20 ms, with what was played or with ``rest``."""

    def __init__(self, quiet_ms: int = 600) -> None:
        self.lines: list[HeardLine] = []
        self.current: HeardLine | None = None
        self._quiet_ms = quiet_ms
        self._reader = Reader()
        self._keys = KeyReader()
        self._arrived_ms: float | None = None
        self._utterance: int | None = None
        self._within_utterance = False
        self._dry_ms = 0
        self._cut_at: Place | None = None  # what would have been heard next, if the last line was cut in mid-utterance

    def arrives(self, now_ms: float) -> None:
        """Sound has reached the carrier; it may have to wait in the playout."""
        if self._arrived_ms is None:
            self._arrived_ms = now_ms

    def hear(self, audio: bytes, at_ms: int, now_ms: float) -> HeardLine | None:
        """Some audio is played; returns the line that ended with it, if one did."""
        sound = audible(audio)
        if not sound:
            self._keys.rest()
            if not self._within_utterance:
                return self.rest(at_ms)
        line = self.current
        if line is None:
            line = HeardLine(at_ms, self._arrived_ms or now_ms, now_ms)
            self.lines.append(line)
            self.current = line
        elif at_ms - line.end_ms >= SILENCE_MS:
            line.silences.append((line.end_ms, at_ms))
        line.end_ms = at_ms + len(audio) // 8
        began_ms = self._reader.position_ms
        words = self._reader.feed(audio)
        if self._cut_at is not None:
            self._look_for_skip(line, self._cut_at)
        self._count_gap(line, words[0].utterance if words else None)
        for word in words:
            line.words.append(WordHeard(word.text, max(0, at_ms + word.start_ms - began_ms)))
            self._utterance = word.utterance
        if self._reader.spoken_until_ms <= began_ms and (key := self._keys.feed(audio)):
            line.words.append(WordHeard(f"[{key}]", at_ms))
        if sound:
            self._within_utterance = self._reader.spoken_until_ms > 0 and not self._reader.utterance_ended
        return None

    def rest(self, at_ms: int) -> HeardLine | None:
        """Nothing is played; returns the line that this ended, if one did."""
        line = self.current
        if line is None:
            return None
        if self._within_utterance:
            self._dry_ms += 20
        if at_ms + 20 - line.end_ms < self._quiet_ms:
            return None
        return self._close(line)

    def cut(self, dropped: int) -> HeardLine | None:
        """A clear dropped so many bytes; returns the line that this ended, if one did."""
        if not dropped:
            return None
        self._arrived_ms = None
        heard = self._reader.place
        self._cut_at = (
            Place(heard.utterance, heard.within + self._reader.position - heard.fed, self._reader.position)
            if heard is not None and self._within_utterance
            else None
        )
        self._forget_utterance()
        line = self.current
        if line is None:
            return None
        line.interrupted = True
        return self._close(line)

    def text_since(self, at_ms: int) -> str:
        """All that was heard in lines that ended after this place."""
        return " ".join(line.text for line in self.lines if line.end_ms > at_ms)

    def _look_for_skip(self, line: HeardLine, cut_at: Place) -> None:
        """Compare where the utterance goes on, once that can be read, with where it was cut."""
        place = self._reader.place
        if place is None or place.fed < cut_at.fed:
            return
        self._cut_at = None
        if place.utterance == cut_at.utterance:
            went_on = place.within - (place.fed - cut_at.fed)
            line.skipped_ms = (went_on - cut_at.within) / 8

    def _close(self, line: HeardLine) -> HeardLine:
        line.finished = True
        self.current = None
        self._arrived_ms = None
        self._forget_utterance()
        return line

    def _forget_utterance(self) -> None:
        self._utterance = None
        self._within_utterance = False
        self._dry_ms = 0

    def _count_gap(self, line: HeardLine, utterance: int | None) -> None:
        """The playout had run dry within an utterance: a gap if that utterance goes on, else it was broken off."""
        if not self._dry_ms:
            return
        goes_on = utterance == self._utterance if utterance is not None else self._reader.utterance_ended
        if goes_on:
            line.gaps += 1
            line.gap_ms += self._dry_ms
        if goes_on or utterance is not None:
            self._dry_ms = 0
