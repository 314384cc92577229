"""Keys heard as sound: what a phone system at the other end of the line makes of tones. Source: ITU-T Q.23, Q.24."""

import numpy as np

from core import g711

_ROWS = (697, 770, 852, 941)  # Hz
_COLUMNS = (1209, 1336, 1477)
_PAD = ("123", "456", "789", "*0#")
_SHARE = 0.7  # of the sound's energy that a key's two tones have between them
_TWIST = 0.16  # of the louder one's power that the other has at least, 8 dB less: a whistle is no key
_TIMES = np.arange(g711.FRAME_BYTES) / (1_000 * g711.SAMPLES_PER_MS)
_WAVES = np.exp(-2j * np.pi * np.outer((*_ROWS, *_COLUMNS), _TIMES))


class KeyReader:
    """Feed it every 20 ms of sound; a key counts once, when it begins."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, audio: bytes) -> str:
        """The key that begins in it; "" if none does."""
        before, self._held = self._held, _key_in(audio)
        return self._held if self._held != before else ""

    def rest(self) -> None:
        """It is silent."""
        self._held = ""


def _key_in(audio: bytes) -> str:
    if len(audio) != g711.FRAME_BYTES:
        return ""
    samples = g711.decode(audio).astype(np.float64)
    powers = np.abs(_WAVES @ samples) ** 2 * 2 / len(samples)  # of a pure tone: its energy
    row, column = int(powers[: len(_ROWS)].argmax()), int(powers[len(_ROWS) :].argmax())
    pair = powers[[row, len(_ROWS) + column]]
    share = pair.sum() / max(float(samples @ samples), 1.0)
    return _PAD[row][column] if share >= _SHARE and pair.min() >= _TWIST * pair.max() else ""
