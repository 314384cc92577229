"""Hearing and speaking: speech recognition and speech synthesis.

All audio is mu-law, 8 000 one-byte samples a second, no header.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from core.contracts.call import Transcript
from core.turns import RecogniserEvent, TurnTaking


class Recognition(Protocol):
    """One live stream of a caller's audio, in real time."""

    def hear(self, audio: bytes) -> None:
        """Hand over the next frame; never waits. Raises VendorError when the stream is gone."""
        ...

    def events(self) -> AsyncIterator[RecogniserEvent]:
        """What was recognised, until ``close`` or the end of the stream.

        A stream the vendor lost ends with a RecogniserLost event, never with an exception.
        """
        ...

    def retune(self, turn_taking: TurnTaking) -> None:
        """End turns by these rules from now on, as far as that can be changed in mid-stream. Never waits or raises."""
        ...

    async def close(self) -> None:
        """End the stream and release its socket. May be called twice."""
        ...


class Recogniser(Protocol):
    """Speech to text."""

    async def open(self, turn_taking: TurnTaking, instead_of: Recognition | None = None) -> Recognition:
        """Open a live stream. Raises VendorError.

        Args:
            instead_of: a stream of this recogniser's that went mute or did not last; where there are several vendors,
                another one is preferred.
        """
        ...

    async def transcribe(self, audio: bytes, language: str) -> Transcript:
        """Transcribe kept audio at once. Raises VendorError."""
        ...


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """Whose voice, and how. From the playbook."""

    voice_id: str
    model: str = "eleven_flash_v2_5"
    stability: float = 0.5
    similarity_boost: float = 0.75
    speed: float = 1.0
    language: str = "en"  # of the text; a voice that stands in is chosen by it


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word and where it begins, in ms since the first sample of its sentence."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """Some audio of one sentence. ``words`` are those that begin in this chunk; ``last`` ends the sentence."""

    sentence: int  # from 0, in the order of ``speak``
    audio: bytes
    words: tuple[SpokenWord, ...] = ()
    last: bool = False
    voice: str = ""  # who spoke, "<vendor> <model>", where it was not the voice asked for: not to be kept for later


class SpeechStream(Protocol):
    """The voice of one reply: sentences go in, audio comes out in the same order."""

    async def speak(self, sentence: str) -> None:
        """Hand over one whole sentence. Raises VendorError."""
        ...

    async def finish(self) -> None:
        """No further sentence will come; ``chunks`` ends after the last audio."""
        ...

    def chunks(self) -> AsyncIterator[SpeechChunk]:
        """The audio as it is made. Raises VendorError, also when the vendor goes mute."""
        ...


class Voice(Protocol):
    """Text to speech."""

    def open(self, settings: VoiceSettings) -> AbstractAsyncContextManager[SpeechStream]:
        """A stream for one reply; leaving the block stops synthesis at once.

        Entering may return before the vendor's socket is up, so that it can be opened beside the model's request.
        """
        ...
