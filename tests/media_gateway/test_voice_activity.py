"""The voice detector hears speech as speech, however it is cut into frames."""

import numpy as np
import pytest

from core.g711 import SILENT_FRAME, encode
from core.turns import VOICE_HANGOVER_MS
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


def test_voice_lasts_on_after_speech_for_as_long_as_the_turn_detector_takes_off() -> None:
    lasted = []
    for cut in range(4_800, len(SPOKEN), 1_600):
        voice = VoiceActivity()
        for start in range(0, cut, 160):
            speaking = voice.voiced(SPOKEN[start : start + 160])
        after = [voice.voiced(SILENT_FRAME) for _ in range(20)]
        assert after == sorted(after, reverse=True)
        lasted += [20 * sum(after)] * speaking
    assert lasted
    assert all(VOICE_HANGOVER_MS - 20 <= ms <= VOICE_HANGOVER_MS for ms in lasted)


@pytest.mark.parametrize("text", ["Yes.", "Where is my order?", "The order number is 48213."])
def test_speech_is_known_to_have_ended_to_the_frame(text: str) -> None:
    voice, spoken = VoiceActivity(), speak(text).audio + SILENT_FRAME * 20
    voiced = [voice.voiced(spoken[start : start + 160]) for start in range(0, len(spoken), 160)]
    last = max(frame for frame, speech in enumerate(voiced) if speech)
    assert (last + 1) * 20 - VOICE_HANGOVER_MS == pytest.approx(len(spoken) / 8 - 400, abs=20)
