"""G.711 mu-law, the telephone's sound: one byte a sample, 8 000 samples a second."""

import numpy as np
from numpy.typing import NDArray

SAMPLES_PER_MS = 8
FRAME_BYTES = 160  # 20 ms, what carriers send
SILENCE_BYTE = 0xFF
SILENT_FRAME = bytes([SILENCE_BYTE]) * FRAME_BYTES

_BIAS = 0x84
_CLIP = 32_635


def _decode_table() -> NDArray[np.int16]:
    code = ~np.arange(256) & 0xFF
    magnitude = (((code & 0x0F) << 3) + _BIAS << ((code >> 4) & 0x07)) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _encode_table() -> NDArray[np.uint8]:
    """Indexed by the sample's bits read as uint16."""
    sample = np.arange(1 << 16).astype(np.uint16).view(np.int16).astype(np.int32)
    biased = np.minimum(np.abs(sample), _CLIP) + _BIAS
    segment = np.floor(np.log2(biased)).astype(np.int32) - 7
    mantissa = (biased >> (segment + 3)) & 0x0F
    sign = np.where(sample < 0, 0x80, 0)
    codes: NDArray[np.int32] = ~(sign | (segment << 4) | mantissa) & 0xFF
    return codes.astype(np.uint8)


_DECODED = _decode_table()
_ENCODED = _encode_table()


def decode(ulaw: bytes) -> NDArray[np.int16]:
    """Linear samples of mu-law audio; ``.tobytes()`` of it is what voice detectors take."""
    return _DECODED[np.frombuffer(ulaw, dtype=np.uint8)]


def encode(samples: NDArray[np.int16]) -> bytes:
    """Mu-law audio of linear samples."""
    return _ENCODED[samples.view(np.uint16)].tobytes()


def duration_ms(ulaw: bytes) -> int:
    """How long mu-law audio lasts, in whole ms."""
    return len(ulaw) // SAMPLES_PER_MS
