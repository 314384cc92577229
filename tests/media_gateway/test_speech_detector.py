"""What the better guess takes for speech."""

import subprocess
import sys

import numpy as np
import pytest

from core.g711 import encode
from media_gateway.speech_detector import SpeechDetector
from sandbox.audio_code import SILENCE, speak

RATE = 8_000
AT = np.arange(2 * RATE) / RATE


def spoken(sound: bytes, voiced: bool = True) -> list[bool]:
    detector = SpeechDetector()
    return [detector.hear(sound[start : start + 160], voiced) for start in range(0, len(sound), 160)]


def sampled(wave: "np.typing.NDArray[np.float64]") -> bytes:
    return encode((wave * 32_000).clip(-32_000, 32_000).astype(np.int16))


@pytest.mark.parametrize("voice", ["caller", "representative"])
def test_speech_is_known_within_a_tenth_of_a_second(voice: str) -> None:
    heard = spoken(speak("I would like to know where my order is", voice).audio)
    assert heard.index(True) < 5
    assert sum(heard) > 0.9 * len(heard)


CHORD = sum(0.12 * np.sin(2 * np.pi * tone * AT) for tone in (220, 277, 330, 440))
HISS = np.random.default_rng(1).normal(0, 0.1, len(AT))


@pytest.mark.parametrize("wave", [CHORD, HISS, HISS * np.exp(-AT / 0.1)], ids=["chord", "hiss", "cough"])
def test_other_sound_is_not_taken_for_it(wave: "np.typing.NDArray[np.float64]") -> None:
    assert not any(spoken(sampled(wave)))


def test_only_voiced_sound_is_looked_at() -> None:
    assert not any(spoken(speak("hello").audio, voiced=False))


def test_a_stretch_that_has_ended_leaves_nothing_for_the_next() -> None:
    detector = SpeechDetector()
    sound = speak("where is my order").audio
    for start in range(0, len(sound), 160):
        detector.hear(sound[start : start + 160], True)
    assert not detector.hear(SILENCE, False)
    assert not detector.hear(sound[:160], True)


ONE_WINDOW = """
import os
from media_gateway.speech_detector import SpeechDetector
before = len(os.listdir("/proc/self/task"))
SpeechDetector().hear(bytes(8_000), voiced=True)
print(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_it_is_computed_on_the_thread_that_asks() -> None:
    printed = subprocess.run([sys.executable, "-c", ONE_WINDOW], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "0"
