"""An audible voice for rehearsals, where espeak-ng is installed."""

import asyncio
import shutil
import struct

import numpy as np
from numpy.typing import NDArray

from core import g711

VARIANTS = {"caller": "en-us+f2", "assistant": "en-gb+f4", "representative": "en-us+m3", "passer-by": "en-gb+m7"}
"""Which espeak-ng voice speaks for which of ours."""

_WORDS_PER_MINUTE = 165
_PHONE_BAND_HZ = 3_400
_FIR_TAPS = 65
_HEADER_BYTES = 44
_REMEMBERED = 200
_said: dict[tuple[str, str, float], bytes] = {}


def available() -> bool:
    """Whether espeak-ng can be run here."""
    return shutil.which("espeak-ng") is not None


async def synthesize(text: str, voice: str = "caller", rate: float = 1.0) -> bytes:
    """What espeak-ng says for ``text``: mu-law in whole 20 ms blocks, silence at both ends taken off.

    Said once, then remembered. Raises OSError if espeak-ng cannot be run.
    """
    key = (text, voice, rate)
    if key not in _said:
        if len(_said) >= _REMEMBERED:
            _said.clear()
        _said[key] = await _run(text, voice, rate)
    return _said[key]


async def _run(text: str, voice: str, rate: float) -> bytes:
    process = await asyncio.create_subprocess_exec(
        "espeak-ng",
        "--stdout",
        *("-v", VARIANTS.get(voice, VARIANTS["assistant"])),
        *("-s", str(round(_WORDS_PER_MINUTE * rate))),
        *("-g", "0"),
        "--stdin",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    output, _ = await process.communicate(text.encode())
    if process.returncode != 0 or not output:
        raise OSError(f"espeak-ng ended with {process.returncode}")
    audio = g711.encode(_trimmed(_to_phone_rate(output)))
    return audio + b"\xff" * (-len(audio) % g711.FRAME_BYTES)


def _to_phone_rate(output: bytes) -> NDArray[np.int16]:
    """Read the WAV that espeak-ng wrote and bring it to 8 kHz: a low pass, then linear interpolation."""
    (source_hz,) = struct.unpack_from("<I", output, 24)  # the sizes in a piped header are not the real ones
    samples = np.frombuffer(output[_HEADER_BYTES : len(output) // 2 * 2], dtype="<i2")
    taps = np.arange(_FIR_TAPS) - _FIR_TAPS // 2
    low_pass = np.sinc(2 * _PHONE_BAND_HZ / source_hz * taps) * np.hamming(_FIR_TAPS)
    smooth = np.convolve(samples.astype(np.float64), low_pass / low_pass.sum(), mode="same")
    times = np.arange(int(len(samples) * 8_000 / source_hz)) * source_hz / 8_000
    resampled = np.interp(times, np.arange(len(samples)), smooth)
    samples_8k: NDArray[np.int16] = np.clip(resampled, -32_768, 32_767).astype(np.int16)
    return samples_8k


def _trimmed(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 200)
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples[:0]
