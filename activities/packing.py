"""A voice's audio on its way to the gateway: at once while somebody may wait for it, in packets once it is ahead."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from core.playback import BYTES_PER_MS
from core.ports.errors import PlaybackLost
from core.ports.speech import SpeechChunk

AHEAD_MS: Final = 600.0  # of its playing: nobody waits for what comes now
PACKET_MS: Final = 300.0  # a voice makes a hundred pieces of an answer, and each is a message for both ends
LONGEST_S: Final = 0.1  # until what has come goes, however little it is


class Packer:
    """``push`` gets whole packets, each of one sentence. It raises PlaybackLost, and again whenever it is called."""

    def __init__(self, push: Callable[[SpeechChunk], None]) -> None:
        self._push = push
        self._loop = asyncio.get_running_loop()
        self._waiting: list[SpeechChunk] = []
        self._bytes = 0  # that wait
        self._timer: asyncio.TimerHandle | None = None
        self._began: float | None = None  # on the loop's clock
        self._pushed = 0  # bytes

    def add(self, chunk: SpeechChunk) -> None:
        """The next piece. Raises PlaybackLost."""
        self._waiting.append(chunk)
        self._bytes += len(chunk.audio)
        if chunk.last or self._bytes >= PACKET_MS * BYTES_PER_MS or self._ahead_ms < AHEAD_MS:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(LONGEST_S, self._time_is_up)

    def flush(self) -> None:
        """Send what waits. Raises PlaybackLost."""
        self.close()
        if not self._waiting:
            return
        pieces, self._waiting, self._bytes = self._waiting, [], 0
        self._began = self._loop.time() if self._began is None else self._began
        packet = pieces[0] if len(pieces) == 1 else _together(pieces)
        self._pushed += len(packet.audio)
        self._push(packet)

    def close(self) -> None:
        """Send nothing by itself any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def _ahead_ms(self) -> float:
        if self._began is None:
            return 0.0
        return self._pushed / BYTES_PER_MS - (self._loop.time() - self._began) * 1_000

    def _time_is_up(self) -> None:
        with suppress(PlaybackLost):  # the next piece is told
            self.flush()


def _together(pieces: list[SpeechChunk]) -> SpeechChunk:
    last = pieces[-1]
    return SpeechChunk(
        last.sentence,
        b"".join(piece.audio for piece in pieces),
        tuple(word for piece in pieces for word in piece.words),
        last.last,
        last.voice,
    )
