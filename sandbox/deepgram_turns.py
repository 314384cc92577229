"""Flux, Deepgram's conversational recogniser: when a turn starts, when it may be over and when it is.

Sans-I/O. The clock is the audio that was received: silence is what came after the last word, so a stream whose
frames stop coming never ends a turn, and one that is fed faster than real time is decided just as fast. A latency that
ends between two frames is told that much after the earlier one (``after_ms``), as by a recogniser that has to compute.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from sandbox.audio_code import HeardWord, Reader
from sandbox.state import Latency

UPDATE_EVERY_MS = 250
_FRAME_MS = 20
_SLICE = 640  # bytes, 80 ms: what a longer piece of audio is cut into, so that pauses in it are noticed
_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")
_CLOSING = "\"')]»”’"


@dataclass
class FluxOptions:
    """What a client asked for, and may change while it streams."""

    eot_threshold: float = 0.7
    eager_eot_threshold: float | None = None
    eot_timeout_ms: float = 5_000
    keyterms: list[str] = field(default_factory=list)
    language_hints: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TurnInfo:
    """One event of a turn, as it goes over the wire, and when the turn's speech had ended by then."""

    event: str
    turn_index: int
    window_start_ms: int
    window_end_ms: int
    words: list[dict[str, Any]]
    confidence: float
    speech_end_ms: float  # when the turn's last coded audio arrived, by the clock of ``hear``
    trigger: str | None = None
    after_ms: float = 0.0  # it is told so long after the audio that decided it

    @property
    def transcript(self) -> str:
        """The whole turn's text so far."""
        return " ".join(word["word"] for word in self.words)


class Confidences:
    """How sure a recogniser is of its words: near one, unless ``unsure`` says otherwise when a turn begins."""

    def __init__(self, random: Random, unsure: Callable[[], bool] = lambda: False) -> None:
        self._random = random
        self._ask = unsure
        self._unsure = False

    def begin_turn(self) -> None:
        """Somebody begins to speak."""
        self._unsure = self._ask()

    def of_word(self) -> float:
        """The confidence of the next word."""
        low, high = (0.2, 0.4) if self._unsure else (0.93, 0.998)
        return round(self._random.uniform(low, high), 4)


class FluxTurns:
    """The turns of one stream."""

    def __init__(
        self, options: FluxOptions, latency: Latency, random: Random, confidences: Confidences | None = None
    ) -> None:
        self.options = options
        self._confidences = confidences or Confidences(random)
        self._latency = latency
        self._random = random
        self._reader = Reader()
        self._turn: _Turn | None = None
        self._turn_index = 0
        self._window_start_ms = 0

    @property
    def received_ms(self) -> int:
        """How much audio has come."""
        return self._reader.position_ms

    def hear(self, audio: bytes, at_ms: float) -> list[TurnInfo]:
        """Take audio in that arrived at ``at_ms``; returns what happened in it."""
        if len(audio) <= _SLICE:
            return self._hear(audio, at_ms)
        slices = [audio[at : at + _SLICE] for at in range(0, len(audio), _SLICE)]
        return [event for piece in slices for event in self._hear(piece, at_ms)]

    def force_end(self) -> list[TurnInfo]:
        """End the open turn, if there is one, now."""
        return [self._end(self._turn, "manual", 0.5)] if self._turn else []

    def _hear(self, audio: bytes, at_ms: float) -> list[TurnInfo]:
        reader = self._reader
        spoken_until_ms = reader.spoken_until_ms
        words = reader.feed(audio)
        if self._turn is None and not words:
            return []
        events: list[TurnInfo] = []
        turn = self._turn
        if turn is None:
            turn = self._turn = _Turn(self._confidence(0.01, 0.05), reader.position_ms + UPDATE_EVERY_MS)
            self._confidences.begin_turn()
            turn.add(words, self._confidences)
            turn.speech_end_ms = at_ms
            turn.told_from_ms = reader.position_ms + self._latency.start_of_turn_ms
        elif reader.spoken_until_ms != spoken_until_ms:
            turn.add(words, self._confidences)
            turn.speech_end_ms = at_ms
            if turn.eager:
                events.append(self._info(turn, "TurnResumed", turn.confidence))
            turn.eager = turn.doubted = False
        events += self._silence(turn, reader.position_ms - reader.spoken_until_ms)
        if not turn.told:
            if not events and reader.position_ms < turn.told_from_ms:
                return []
            turn.told = True
            events.insert(0, self._info(turn, "StartOfTurn", turn.confidence))
        if not events and reader.position_ms >= turn.next_update_ms:
            turn.next_update_ms = reader.position_ms + UPDATE_EVERY_MS
            events.append(self._info(turn, "Update", turn.confidence))
        return events

    def _silence(self, turn: "_Turn", silence_ms: int) -> list[TurnInfo]:
        """What follows from so much silence after the last word."""
        if not silence_ms:
            return []
        end_ms = self._latency.end_of_turn_ms if turn.sounds_finished else self._latency.unfinished_turn_ms
        next_ms = silence_ms + _FRAME_MS
        if next_ms > end_ms:
            ended = self._end(turn, "model", max(self.options.eot_threshold, self._confidence(0.86, 0.97)))
            return [_told_at(ended, end_ms - silence_ms)]
        if silence_ms >= self.options.eot_timeout_ms:
            return [self._end(turn, "timeout", self._confidence(0.2, 0.45))]
        if self.options.eager_eot_threshold is None:
            return []
        head_start_ms = max(0.0, self._latency.end_of_turn_ms - self._latency.eager_end_of_turn_ms)
        if not turn.eager and not turn.doubted and next_ms > end_ms - head_start_ms:
            turn.eager = True
            turn.doubt = self._random.random() < self._latency.resumed_share
            confidence = max(self.options.eager_eot_threshold, self._confidence(0.5, 0.69))
            return [_told_at(self._info(turn, "EagerEndOfTurn", confidence), end_ms - head_start_ms - silence_ms)]
        if turn.eager and turn.doubt and silence_ms >= end_ms - head_start_ms / 2:
            turn.eager, turn.doubted = False, True
            return [self._info(turn, "TurnResumed", turn.confidence)]
        return []

    def _end(self, turn: "_Turn", trigger: str, confidence: float) -> TurnInfo:
        info = self._info(turn, "EndOfTurn", confidence, trigger)
        self._turn = None
        self._turn_index += 1
        self._window_start_ms = self._reader.position_ms
        return info

    def _info(self, turn: "_Turn", event: str, confidence: float, trigger: str | None = None) -> TurnInfo:
        turn.words[-1]["end"] = self._reader.spoken_until_ms / 1_000
        return TurnInfo(
            event=event,
            turn_index=self._turn_index,
            window_start_ms=self._window_start_ms,
            window_end_ms=self._reader.position_ms,
            words=[dict(word) for word in turn.words],
            confidence=round(confidence, 4),
            speech_end_ms=turn.speech_end_ms,
            trigger=trigger,
        )

    def _confidence(self, low: float, high: float) -> float:
        return round(self._random.uniform(low, high), 4)


def _told_at(info: TurnInfo, after_ms: float) -> TurnInfo:
    return replace(info, after_ms=max(0.0, after_ms))


@dataclass(slots=True)
class _Turn:
    confidence: float  # that it is over, while it is not
    next_update_ms: int
    speech_end_ms: float = 0.0
    words: list[dict[str, Any]] = field(default_factory=list)
    told_from_ms: float = 0.0  # of the stream
    told: bool = False  # that it has begun
    eager: bool = False  # an EagerEndOfTurn stands
    doubt: bool = False  # ... and will be taken back though nobody speaks
    doubted: bool = False  # ... and was

    def add(self, words: list[HeardWord], confidences: Confidences) -> None:
        for word in words:
            start = word.start_ms / 1_000
            if self.words:
                self.words[-1]["end"] = start
            self.words.append({"word": word.text, "confidence": confidences.of_word(), "start": start, "end": start})

    @property
    def sounds_finished(self) -> bool:
        """Whether the text so far ends like a sentence."""
        text: str = self.words[-1]["word"]
        return text.rstrip(_CLOSING).endswith(_SENTENCE_ENDS)
