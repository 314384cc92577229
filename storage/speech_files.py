"""Recordings on disk, one file each. Everything here blocks: call it in a thread."""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Container
from pathlib import Path

import msgspec
import structlog

from core.ports.speech import SpeechChunk, SpokenWord
from core.ports.speech_cache import Recording

log = structlog.get_logger()

ENDING = ".speech"
UNFINISHED = ".part"  # of a process that died while it wrote
UNFINISHED_S = 3_600.0
_MARK = b"HFS1"
_SUM_BYTES = 32

_Chunk = tuple[int, bytes, tuple[tuple[str, int, int], ...], bool]
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[tuple[tuple[str, ...], tuple[_Chunk, ...]]] = msgspec.msgpack.Decoder(
    tuple[tuple[str, ...], tuple[_Chunk, ...]]
)


class SpeechFiles:
    """A folder that several workers may share. A file's mtime is when it was made, its atime when it was last used.

    Args:
        most_bytes: of all files together; beyond it the least recently used go.
        days: how long a recording is good: a vendor may change what a voice sounds like.
        clock: seconds since the epoch.
    """

    def __init__(
        self, folder: Path, most_bytes: int, days: float = 30.0, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._good_for = days * 86_400
        self._clock = clock

    def read(self, key: str) -> Recording | None:
        """None: there is none, or it is too old, cut or damaged."""
        path = self._path(key)
        try:
            made_s = path.stat().st_mtime
            if self._clock() - made_s > self._good_for:
                path.unlink(missing_ok=True)
                return None
            data = path.read_bytes()
            os.utime(path, (self._clock(), made_s))
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("speech_unreadable", reason=str(error))
            return None
        recording = _decoded(data)
        if recording is None:
            log.warning("speech_damaged", file=path.name)
            self._drop(path)
        return recording

    def write(self, key: str, recording: Recording) -> None:
        """Keep it: whole or not at all."""
        data = _encoded(recording)
        if len(data) > self._most_bytes:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._write(self._path(key), data)
            self._make_room()
        except OSError as error:
            log.warning("speech_not_kept", reason=str(error))

    def drop_all_but(self, wanted: Container[str], unused_s: float) -> None:
        """Drop the recordings that are not wanted and were not used for so long."""
        try:
            for used_s, _, path in self._files():
                if path.stem not in wanted and self._clock() - used_s > unused_s:
                    self._drop(path)
        except OSError as error:
            log.warning("speech_unreadable", reason=str(error))

    def _write(self, path: Path, data: bytes) -> None:
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=UNFINISHED, delete=False) as file:
            beside = Path(file.name)
            try:
                file.write(data)
                file.close()
                os.utime(beside, (self._clock(), self._clock()))
                beside.replace(path)
            except OSError:
                beside.unlink(missing_ok=True)
                raise

    def _make_room(self) -> None:
        files = sorted(self._files())
        kept = sum(size for _, size, _ in files)
        for _, size, path in files:
            if kept <= self._most_bytes:
                return
            self._drop(path)
            kept -= size

    def _files(self) -> list[tuple[float, int, Path]]:
        """(last used, bytes, path) of each recording; another process may drop any of them meanwhile."""
        found = []
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            if path.suffix == ENDING:
                found.append((stat.st_atime, stat.st_size, path))
            elif path.suffix == UNFINISHED and self._clock() - stat.st_mtime > UNFINISHED_S:
                self._drop(path)
        return found

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{ENDING}"

    @staticmethod
    def _drop(path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("speech_not_dropped", reason=str(error))


def _encoded(recording: Recording) -> bytes:
    chunks = [
        (chunk.sentence, chunk.audio, [(word.text, word.start_ms, word.end_ms) for word in chunk.words], chunk.last)
        for chunk in recording.chunks
    ]
    body = _encoder.encode((recording.sentences, chunks))
    return _MARK + hashlib.sha256(body).digest() + body


def _decoded(data: bytes) -> Recording | None:
    start = len(_MARK) + _SUM_BYTES
    body = data[start:]
    if data[: len(_MARK)] != _MARK or hashlib.sha256(body).digest() != data[len(_MARK) : start]:
        return None
    try:
        sentences, chunks = _decoder.decode(body)
    except msgspec.DecodeError:
        return None
    return Recording(
        sentences,
        tuple(
            SpeechChunk(sentence, audio, tuple(SpokenWord(*word) for word in words), last)
            for sentence, audio, words, last in chunks
        ),
    )
