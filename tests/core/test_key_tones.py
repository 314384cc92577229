"""The tones of a telephone's keys."""

import numpy as np
import pytest

from core import g711
from core.key_tones import MOST_KEYS, keys_asked, told, tones
from core.sentences import sentences_of
from sandbox.audio_code import music, noise, speak
from sandbox.twilio.key_reader import KeyReader


def keys_in(audio: bytes) -> str:
    reader, keys = KeyReader(), ""
    for start in range(0, len(audio), g711.FRAME_BYTES):
        keys += reader.feed(audio[start : start + g711.FRAME_BYTES])
    return keys


@pytest.mark.parametrize("cut", [0, 77])
def test_every_key_is_heard_once_wherever_the_frames_are_cut(cut: int) -> None:
    assert keys_in(tones("1234567890*#11")[cut:]) == "1234567890*#11"


def test_a_wait_is_silence_of_half_a_second() -> None:
    assert tones("w") == g711.SILENT_FRAME * 25
    assert keys_in(tones("1w2")) == "12"


def whistle(hertz: float) -> bytes:
    """A second of one tone."""
    times = np.arange(1_000 * g711.SAMPLES_PER_MS) / (1_000 * g711.SAMPLES_PER_MS)
    return g711.encode((8_000 * np.sin(2 * np.pi * hertz * times)).astype(np.int16))


@pytest.mark.parametrize(
    "sound", [speak("press one for sales").audio, noise(2), music(2), whistle(700), whistle(1_336)]
)
def test_other_sounds_are_no_keys(sound: bytes) -> None:
    assert keys_in(sound) == ""


def test_only_keys_are_pressed() -> None:
    assert keys_asked({"keys": "12w#"}) == "12w#"
    assert [keys_asked({"keys": keys}) for keys in ("", "one", "1 2", "A", "1" * (MOST_KEYS + 1))] == [""] * 5
    assert keys_asked({}) == ""


def test_what_was_pressed_is_told_and_never_spoken() -> None:
    assert sentences_of(f"One moment. {told('2#')}") == ["One moment."]
    assert sentences_of(told("2#")) == []
