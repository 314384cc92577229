"""Recordings of fixed lines: in memory, and on disk behind it."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.ports.speech import VoiceSettings
from core.ports.speech_cache import Recording, SpeechCache, speech_key
from storage.speech_files import SpeechFiles

UNUSED_S = 3_600.0  # longer than nearly any call that began with an older version of its playbook


@dataclass(slots=True)
class _Kept:
    recording: Recording
    used_s: float


class KeptSpeech(SpeechCache):
    """Least recently used goes first, in memory as on disk.

    Args:
        origin: who speaks and where: part of every key.
        files: None: memory only.
        most_bytes: of audio in memory.
        clock: seconds, rising.
    """

    def __init__(
        self,
        origin: str,
        most_bytes: int,
        files: SpeechFiles | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._origin = origin
        self._files = files
        self._most_bytes = most_bytes
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0

    def at_hand(self, voice: VoiceSettings, text: str) -> Recording | None:
        """From memory, at once."""
        key = self._key(voice, text)
        kept = self._kept.get(key)
        if kept is None:
            return None
        kept.used_s = self._clock()
        self._kept.move_to_end(key)
        return kept.recording

    async def find(self, voice: VoiceSettings, text: str) -> Recording | None:
        """From memory, else from disk."""
        recording = self.at_hand(voice, text)
        if recording is None and self._files is not None:
            key = self._key(voice, text)
            recording = await asyncio.to_thread(self._files.read, key)
            if recording is not None:
                self._remember(key, recording)
        return recording

    async def keep(self, voice: VoiceSettings, text: str, recording: Recording) -> None:
        """Have it at hand from now on."""
        key = self._key(voice, text)
        self._remember(key, recording)
        if self._files is not None:
            await asyncio.to_thread(self._files.write, key, recording)

    async def drop_all_but(self, wanted: Iterable[tuple[VoiceSettings, str]]) -> None:
        """Drop what is none of these and has not been used for an hour."""
        keys = {self._key(voice, text) for voice, text in wanted}
        now_s = self._clock()
        for key in [key for key, kept in self._kept.items() if key not in keys and now_s - kept.used_s > UNUSED_S]:
            self._forget(key)
        if self._files is not None:
            await asyncio.to_thread(self._files.drop_all_but, keys, UNUSED_S)

    def _remember(self, key: str, recording: Recording) -> None:
        self._forget(key)
        if recording.size > self._most_bytes:
            return
        self._kept[key] = _Kept(recording, self._clock())
        self._bytes += recording.size
        while self._bytes > self._most_bytes:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: str) -> None:
        if (kept := self._kept.pop(key, None)) is not None:
            self._bytes -= kept.recording.size

    def _key(self, voice: VoiceSettings, text: str) -> str:
        return speech_key(self._origin, voice, text)
