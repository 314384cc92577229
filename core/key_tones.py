"""The tones of a telephone's keys, for the phone system at the other end: dual-tone multi-frequency signalling.

A carrier's media stream takes audio only, so the keys go as sound. Source: ITU-T Q.23 (frequencies), Q.24 (a receiver
knows tones of 40 ms and pauses of 40 ms; both are longer here, as voice codecs on the way wear them).
"""

import re
from functools import lru_cache
from typing import Any, Final

import numpy as np

from core import g711

KEYS: Final = "0-9*#w"  # "w": half a second's wait
MOST_KEYS: Final = 32
TONE_MS: Final = 200
PAUSE_MS: Final = 100
WAIT_MS: Final = 500
ROWS: Final = (697, 770, 852, 941)  # Hz
COLUMNS: Final = (1209, 1336, 1477)
PAD: Final = ("123", "456", "789", "*0#")
_AMPLITUDE: Final = 6_000  # of each of the two tones: about -12 dBm0 together
_WANTED: Final = re.compile(rf"[{KEYS}]{{1,{MOST_KEYS}}}")


def keys_asked(arguments: dict[str, Any]) -> str:
    """The keys that a model asks to press; "" if they are none."""
    keys = str(arguments.get("keys", ""))
    return keys if _WANTED.fullmatch(keys) else ""


def told(keys: str) -> str:
    """How the transcript tells that keys were pressed; ``core.sentences`` never speaks it."""
    return f"(pressed {keys})"


@lru_cache(maxsize=64)
def tones(keys: str) -> bytes:
    """Mu-law audio of keys, one after the other."""
    return b"".join(_silence(WAIT_MS) if key == "w" else _tone(key) + _silence(PAUSE_MS) for key in keys)


def _tone(key: str) -> bytes:
    row = next(place for place, keys in enumerate(PAD) if key in keys)
    times = np.arange(TONE_MS * g711.SAMPLES_PER_MS) / (1_000 * g711.SAMPLES_PER_MS)
    pair = (ROWS[row], COLUMNS[PAD[row].index(key)])
    sound = sum(_AMPLITUDE * np.sin(2 * np.pi * hertz * times) for hertz in pair)
    return g711.encode(np.asarray(sound, dtype=np.int16))


def _silence(ms: int) -> bytes:
    return bytes([g711.SILENCE_BYTE]) * (ms * g711.SAMPLES_PER_MS)
