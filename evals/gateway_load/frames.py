"""What a frame of the load tells its recogniser: in the lowest bits of its first 64 bytes, which nobody hears.

mark 8 | sent, us of the monotonic clock 32 | call 12 | question 10 | speaking 1 | measured 1
"""

import time
from dataclasses import dataclass

FRAME = 160
HEAD = 64  # bytes with a bit each
_MARK = 0xA5
_MICROS = (1 << 32) - 1
_BITS = bytes(code & 1 for code in range(256))
_DIGITS = bytes(0x30 | code & 1 for code in range(256))


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame as its recogniser reads it."""

    micros: int
    call: int
    question: int
    speaking: bool
    measured: bool


def without_bits(audio: bytes) -> bytes:
    """mu-law with all lowest bits cleared: what ``write`` takes."""
    return bytes(code & 0xFE for code in audio)


SILENCE = without_bits(b"\xff" * FRAME)


def micros_now() -> int:
    """The clock of all processes of this machine; it wraps after 71 minutes."""
    return time.monotonic_ns() // 1_000 & _MICROS


def write(frame: bytes, sent: Sent) -> bytes:
    """A frame of ``without_bits`` audio with what it tells."""
    word = (((_MARK << 32 | sent.micros) << 12 | sent.call) << 10 | sent.question) << 2
    word |= sent.speaking << 1 | sent.measured
    bits = int.from_bytes(f"{word:064b}".encode().translate(_BITS))
    return (int.from_bytes(frame[:HEAD]) | bits).to_bytes(HEAD) + frame[HEAD:]


def read(frame: bytes) -> Sent | None:
    """What it tells; None for a frame that is none of the load's."""
    word = int(frame[:HEAD].translate(_DIGITS), 2) if len(frame) == FRAME else 0
    if word >> 56 != _MARK:
        return None
    return Sent(
        micros=word >> 24 & _MICROS,
        call=word >> 12 & 0xFFF,
        question=word >> 2 & 0x3FF,
        speaking=bool(word & 2),
        measured=bool(word & 1),
    )


def took_ms(sent: Sent, now_micros: int) -> float:
    """How long it was on its way."""
    return ((now_micros - sent.micros) & _MICROS) / 1_000
