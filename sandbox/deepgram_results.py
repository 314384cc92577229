"""Nova-3, Deepgram's streaming recogniser: results piece by piece, ended by silence alone.

Sans-I/O, and the clock is the audio that was received, as in deepgram_turns.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from sandbox.audio_code import HeardWord, Reader
from sandbox.deepgram_turns import Confidences

INTERIM_EVERY_MS = 400
LONGEST_SEGMENT_MS = 3_200  # unbroken speech comes in final pieces of this length
_SLICE = 640
_PUNCTUATION = ".,;:!?…\"'()[]«»“”"


@dataclass(frozen=True)
class NovaOptions:
    """What a client asked for in its query."""

    model: str = "nova-3"
    interim_results: bool = False
    endpointing_ms: float | None = 10  # None: switched off
    utterance_end_ms: float | None = None
    vad_events: bool = False
    punctuate: bool = False  # or smart_format


class NovaResults:
    """The results of one stream."""

    def __init__(self, options: NovaOptions, confidences: Confidences, request_id: str = "") -> None:
        self.options = options
        self._confidences = confidences
        self._request_id = request_id
        self._reader = Reader()
        self._words: list[dict[str, Any]] = []  # since the last final result
        self._segment_ms = 0  # where that ended
        self._next_interim_ms = 0
        self._sounding = False
        self._unended = False  # words have come since the last UtteranceEnd
        self.speech_end_ms = 0.0  # when the last coded audio arrived

    @property
    def received_ms(self) -> int:
        """How much audio has come."""
        return self._reader.position_ms

    def hear(self, audio: bytes, at_ms: float) -> list[dict[str, Any]]:
        """Take audio in that arrived at ``at_ms``; returns the messages that follow from it."""
        if len(audio) <= _SLICE:
            return self._hear(audio, at_ms)
        slices = [audio[at : at + _SLICE] for at in range(0, len(audio), _SLICE)]
        return [message for piece in slices for message in self._hear(piece, at_ms)]

    def finalize(self) -> list[dict[str, Any]]:
        """Flush what has been heard so far."""
        return [self._final(speech_final=True, from_finalize=True)]

    def close(self) -> list[dict[str, Any]]:
        """Flush, if there is something to flush."""
        return [self._final(speech_final=True)] if self._words else []

    def _hear(self, audio: bytes, at_ms: float) -> list[dict[str, Any]]:
        reader = self._reader
        sound_until_ms, spoken_until_ms = reader.sound_until_ms, reader.spoken_until_ms
        words = reader.feed(audio)
        messages: list[dict[str, Any]] = []
        if reader.sound_until_ms != sound_until_ms and not self._sounding:
            self._sounding = True
            self._confidences.begin_turn()
            self._next_interim_ms = reader.position_ms + INTERIM_EVERY_MS
            if self.options.vad_events:
                messages.append({"type": "SpeechStarted", "channel": [0], "timestamp": sound_until_ms / 1_000})
        if words:
            self._add(words)
        if reader.spoken_until_ms != spoken_until_ms:
            self.speech_end_ms = at_ms
        if self._sounding:
            messages += self._progress()
        if self._utterance_has_ended():
            self._unended = False
            last_word_end = reader.spoken_until_ms / 1_000
            messages.append({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": last_word_end})
        return messages

    def _progress(self) -> list[dict[str, Any]]:
        now_ms = self._reader.position_ms
        endpointing_ms = self.options.endpointing_ms
        if endpointing_ms is not None and now_ms - self._reader.sound_until_ms >= max(endpointing_ms, 10):
            self._sounding = False
            return [self._final(speech_final=True)]
        if not self._words:
            return []
        if now_ms - self._segment_ms >= LONGEST_SEGMENT_MS and now_ms >= self._next_interim_ms:
            return [self._final(speech_final=False)]
        if self.options.interim_results and now_ms >= self._next_interim_ms:
            self._next_interim_ms = now_ms + INTERIM_EVERY_MS
            return [self._results(is_final=False, speech_final=False, from_finalize=False)]
        return []

    def _utterance_has_ended(self) -> bool:
        wait_ms = self.options.utterance_end_ms
        if not self._unended or wait_ms is None or not self.options.interim_results:
            return False
        return self._reader.position_ms - self._reader.spoken_until_ms >= wait_ms

    def _add(self, words: list[HeardWord]) -> None:
        self._unended = True
        if not self._words:
            self._segment_ms = max(self._segment_ms, words[0].start_ms)
        for word in words:
            start = word.start_ms / 1_000
            if self._words:
                self._words[-1]["end"] = start
            said = {
                "word": word.text.lower().strip(_PUNCTUATION),
                "start": start,
                "end": start,
                "confidence": self._confidences.of_word(),
            }
            if self.options.punctuate:
                said["punctuated_word"] = word.text
            self._words.append(said)

    def _final(self, *, speech_final: bool, from_finalize: bool = False) -> dict[str, Any]:
        results = self._results(is_final=True, speech_final=speech_final, from_finalize=from_finalize)
        self._words = []
        self._segment_ms = self._reader.position_ms
        self._next_interim_ms = self._reader.position_ms + INTERIM_EVERY_MS
        return results

    def _results(self, *, is_final: bool, speech_final: bool, from_finalize: bool) -> dict[str, Any]:
        if self._words:
            self._words[-1]["end"] = self._reader.spoken_until_ms / 1_000
        return {
            "type": "Results",
            "channel_index": [0, 1],
            "start": self._segment_ms / 1_000,
            "duration": (self._reader.position_ms - self._segment_ms) / 1_000,
            "is_final": is_final,
            "speech_final": speech_final,
            "from_finalize": from_finalize,
            "channel": {"alternatives": [alternative(self._words)]},
            "metadata": {
                "request_id": self._request_id,
                "model_info": {"name": self.options.model, "version": "sandbox", "arch": "nova-3"},
                "model_uuid": "00000000-0000-0000-0000-000000000000",
            },
        }


def alternative(words: list[dict[str, Any]]) -> dict[str, Any]:
    """One reading of some words: text, words and how sure it is of them."""
    sure = sum(word["confidence"] for word in words) / len(words) if words else 0.0
    return {
        "transcript": " ".join(word.get("punctuated_word", word["word"]) for word in words),
        "confidence": round(sure, 4),
        "words": [dict(word) for word in words],
    }


def transcript_of(audio: bytes, options: NovaOptions, random: Random) -> dict[str, Any]:
    """The one reading of audio that is all there."""
    results = NovaResults(replace(options, endpointing_ms=None, interim_results=False), Confidences(random))
    pieces = [message for message in results.hear(audio, 0.0) + results.close() if message["type"] == "Results"]
    return alternative([word for piece in pieces for word in piece["channel"]["alternatives"][0]["words"]])
