"""Lines that were synthesised before: a hit costs no vendor request."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from functools import lru_cache
from typing import Protocol

from core.ports.speech import SpeechChunk, VoiceSettings

AUDIO_FORMAT = "ulaw_8000"


@dataclass(frozen=True, slots=True)
class Recording:
    """A line as audio, sentence by sentence."""

    sentences: tuple[str, ...]
    chunks: tuple[SpeechChunk, ...]

    @property
    def audio(self) -> bytes:
        """All of it."""
        return b"".join(chunk.audio for chunk in self.chunks)

    @property
    def size(self) -> int:
        """Bytes of audio."""
        return sum(len(chunk.audio) for chunk in self.chunks)

    @property
    def stand_in(self) -> bool:
        """Whether another voice than the one asked for had to speak: not to be kept."""
        return any(chunk.voice for chunk in self.chunks)

    def after(self, sentences: int) -> "Recording":
        """What follows the first sentences, counted from 0 again."""
        if not sentences:
            return self
        rest = (chunk for chunk in self.chunks if chunk.sentence >= sentences)
        chunks = tuple(replace(chunk, sentence=chunk.sentence - sentences) for chunk in rest)
        return Recording(self.sentences[sentences:], chunks)


@lru_cache(maxsize=4_096)
def speech_key(origin: str, voice: VoiceSettings, text: str) -> str:
    """What a recording is kept under: another voice, model, setting, format or text is another key.

    Args:
        origin: who speaks and where, so that an emulated voice is never taken for the real one.
    """
    told = json.dumps([origin, AUDIO_FORMAT, *astuple(voice), text])
    return hashlib.sha256(told.encode()).hexdigest()


class SpeechCache(Protocol):
    """Recordings of fixed lines, never of words that hold a caller's data. Bounded; what cannot be read is a miss."""

    def at_hand(self, voice: VoiceSettings, text: str) -> Recording | None:
        """From memory, at once."""
        ...

    async def find(self, voice: VoiceSettings, text: str) -> Recording | None:
        """From memory, else from disk, which does not hold up the event loop."""
        ...

    async def keep(self, voice: VoiceSettings, text: str, recording: Recording) -> None:
        """Have it at hand from now on. A disk that takes no more is a log line, never an error."""
        ...

    async def drop_all_but(self, wanted: Iterable[tuple[VoiceSettings, str]]) -> None:
        """Drop what is none of these and has not been used for a while: live calls may still need it."""
        ...
