"""The voice detector hears speech as speech, however it is cut into frames."""

import numpy as np
import pytest

from core.g711 import SILENT_FRAME, encode
from media_gateway.voice_activity import VoiceActivity
from sandbox.audio_code import speak

SPOKEN = speak("good morning how are you").audio


@pytest.mark.parametrize("size", [160, 100, 800])
def test_speech_is_voiced_and_silence_is_not(size: int) -> None:
    voice = VoiceActivity()
    voiced = [voice.voiced(SPOKEN[start : start + size]) for start in range(0, len(SPOKEN), size)]
    assert sum(voiced) > len(voiced) * 0.6
    quiet = [voice.voiced(SILENT_FRAME * 5) for _ in range(20)]
    assert not any(quiet[5:])


def test_a_steady_hum_is_no_voice() -> None:
    voice = VoiceActivity()
    hum = encode((300 * np.sin(np.arange(80_000) * 2 * np.pi * 50 / 8_000)).astype(np.int16))
    voiced = [voice.voiced(hum[start : start + 160]) for start in range(0, len(hum), 160)]
    assert not any(voiced[100:])
