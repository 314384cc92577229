"""Makes the voices' clips anew: ``python -m sandbox.make_clips`` (needs espeak-ng). See clips/README.md."""

import asyncio
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import g711
from sandbox import espeak

TEXTS = {
    "caller": "Well I would really like to know where my order is now because nobody is answering any of my letters",
    "assistant": "Naturally I am more than willing to review everything along with you while we wait a little longer",
    "representative": "Our main warehouse over in Denver normally loads all vans well before nine on any given morning",
    "passer-by": "You may remember your uncle always ran early in the morning along a river lane with no umbrella",
}
LEVEL = 6_000.0  # root mean square of the loud parts
_FADE = 20  # samples over which two pieces are joined


def without_gaps(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """Only what is voiced: 20 ms frames that are loud enough, faded into each other, all about as loud."""
    frames = samples[: len(samples) // g711.FRAME_BYTES * g711.FRAME_BYTES].reshape(-1, g711.FRAME_BYTES)
    loudness = np.sqrt(np.mean(frames.astype(np.float64) ** 2, axis=1))
    keep = np.flatnonzero(loudness > 0.35 * np.median(loudness))
    joined = np.zeros(0)
    for run in np.split(keep, np.flatnonzero(np.diff(keep) > 1) + 1):
        piece = frames[run].reshape(-1).astype(np.float64)
        piece *= LEVEL / max(1.0, float(np.sqrt(np.mean(piece**2))))
        fade = np.linspace(0, 1, _FADE)
        piece[:_FADE] *= fade
        piece[-_FADE:] *= fade[::-1]
        joined[-_FADE:] += piece[:_FADE] if len(joined) else 0
        joined = np.concatenate([joined, piece[_FADE if len(joined) else 0 :]])
    whole = joined[: len(joined) // g711.FRAME_BYTES * g711.FRAME_BYTES]
    return np.clip(whole, -32_000, 32_000).astype(np.int16)


async def main() -> None:
    """Write all clips."""
    for voice, text in TEXTS.items():
        spoken = g711.decode(await espeak.synthesize(text, voice, rate=0.95))
        path = Path(__file__).parent / "clips" / f"{voice}.ulaw"
        path.write_bytes(g711.encode(without_gaps(spoken)))


if __name__ == "__main__":
    asyncio.run(main())
