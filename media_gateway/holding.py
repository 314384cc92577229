"""Lines the gateway may say by itself while everything else is dead."""

from typing import Final

import numpy as np

from core.g711 import encode


def _tone() -> bytes:
    """Two soft beeps, 150 ms each: somebody is still there."""
    at = np.arange(1_200) / 8_000
    beep = np.sin(2 * np.pi * 440 * at) * np.minimum(1, np.minimum(at, at[::-1]) / 0.02) * 3_000
    return encode(np.concatenate([beep, np.zeros(800), beep]).astype(np.int16))


TONE: Final = _tone()


class HoldingLines:
    """One call's holding lines as audio, said in rotation. Empty until a worker has brought them."""

    def __init__(self) -> None:
        self._lines: dict[str, list[bytes]] = {}
        self._next = 0

    def keep(self, lines: list[bytes], language: str) -> None:
        """Have these in this language from now on."""
        self._lines[language] = [line for line in lines if line]

    def next(self, language: str) -> bytes | None:
        """The next one in this language, else in any; None if there is none."""
        lines = self._lines.get(language) or next(filter(None, self._lines.values()), None)
        if not lines:
            return None
        line = lines[self._next % len(lines)]
        self._next += 1
        return line
