"""The few WAV files a phone system sends: mono, 8 kHz, mu-law or 16 bit."""

import struct

import numpy as np

from core import g711

_MULAW, _PCM = 7, 1


def mulaw_of(body: bytes) -> bytes:
    """The mu-law audio of a WAV file, or of bytes that are raw mu-law already.

    Raises ValueError for a WAV file of another kind, and for no audio at all.
    """
    if not body:
        raise ValueError("no audio")
    if body[:4] != b"RIFF":
        return body
    chunks = _chunks(body)
    if "fmt " not in chunks or "data" not in chunks:
        raise ValueError("a WAV file without format or data")
    kind, channels, rate = struct.unpack_from("<HHI", chunks["fmt "])
    if (channels, rate) != (1, 8_000) or kind not in (_MULAW, _PCM):
        raise ValueError("the sandbox hears WAV files of 8 kHz, mono, mu-law or 16 bit only")
    data = chunks["data"]
    return data if kind == _MULAW else g711.encode(np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2"))


def _chunks(body: bytes) -> dict[str, bytes]:
    chunks: dict[str, bytes] = {}
    at = 12
    while at + 8 <= len(body):
        name, size = struct.unpack_from("<4sI", body, at)
        chunks[name.decode("latin-1")] = body[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return chunks
