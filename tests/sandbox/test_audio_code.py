import numpy as np
import pytest
import webrtcvad
from hypothesis import given, settings
from hypothesis import strategies as st

from core import g711
from sandbox import audio_code, espeak
from sandbox.audio_code import SILENCE, HeardWord, Reader, noise, speak

VOICES = ("caller", "assistant", "representative")
texts = st.lists(
    st.text(st.characters(exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc"), exclude_characters="[]"), min_size=1),
    min_size=1,
    max_size=8,
).map(" ".join)


def heard_in(audio: bytes, chunk: int = 160) -> list[HeardWord]:
    reader = Reader()
    return [word for at in range(0, len(audio), chunk) for word in reader.feed(audio[at : at + chunk])]


def voiced_share(audio: bytes) -> float:
    vad = webrtcvad.Vad(2)
    blocks = [audio[at : at + 160] for at in range(0, len(audio), 160)]
    voiced = [bool(vad.is_speech(g711.decode(block).tobytes(), 8_000)) for block in blocks]
    return sum(voiced) / len(voiced)


@settings(deadline=None)
@given(text=texts, chunk=st.integers(1, 1_000), before=st.integers(0, 400), rate=st.floats(0.5, 20))
def test_words_are_read_back_whatever_the_chunks(text: str, chunk: int, before: int, rate: float) -> None:
    utterance = speak(text, rate=rate)
    heard = heard_in(b"\xff" * before + utterance.audio, chunk)
    assert [word.text for word in heard] == text.split() == [word.text for word in utterance.words]
    assert [word.start_ms for word in heard] == [word.start_ms + before // 8 for word in utterance.words]
    assert [word.last for word in heard] == [False] * (len(heard) - 1) + [True]
    assert [word.index for word in heard] == list(range(len(heard)))


@settings(deadline=None)
@given(cut=st.integers(0, 20_000), begin=st.integers(0, 20_000))
def test_after_a_cut_the_reader_finds_its_place_again(cut: int, begin: int) -> None:
    first = speak("I would like to know where my parcel has gone.")
    second = speak("It was sent on the second of May.", voice="assistant")
    heard = [word.text for word in heard_in(first.audio[:cut] + second.audio[begin:])]
    whole = [word.text for word in second.words if word.start_ms * 8 >= begin]
    kept = [word.text for word in first.words if word.start_ms * 8 + 160 <= cut]
    assert heard[: len(kept)] == kept
    assert heard[len(heard) - len(whole) :] == whole
    assert len(heard) - len(kept + whole) in (0, 1)  # the word that was cut may have lost nothing that matters


def test_a_word_whose_middle_was_cut_out_is_not_heard() -> None:
    audio = speak("Donaudampfschifffahrtsgesellschaft sinks").audio
    assert [word.text for word in heard_in(audio[:160] + audio[320:])] == ["sinks"]


def test_the_reader_knows_where_speech_ended() -> None:
    reader = Reader()
    first, second = speak("Hello. [700]"), speak("Bye.")
    reader.feed(first.audio)
    assert reader.position_ms == first.duration_ms
    assert reader.spoken_until_ms == first.duration_ms - 700
    assert reader.utterance_ended
    reader.feed(second.audio[:160])
    assert reader.spoken_until_ms == first.duration_ms + 20
    assert not reader.utterance_ended


def test_a_pause_is_silence_of_its_length() -> None:
    plain, paused = speak("one two"), speak("one [700] two")
    assert paused.audio.count(SILENCE) == 35
    assert abs(paused.duration_ms - plain.duration_ms - 700) <= 20


def test_speech_lasts_as_long_as_its_text() -> None:
    text = "This sentence has exactly sixty characters if you count them"
    assert abs(speak(text).duration_ms - 4_000) <= 100
    assert abs(speak(text, rate=2.0).duration_ms - 2_000) <= 100


def test_nothing_to_say_is_no_audio() -> None:
    assert speak("  ").audio == b""
    assert speak("[100]").audio == SILENCE * 5


def test_a_voice_without_a_clip_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no voice 'nobody'; there are assistant, caller"):
        speak("Hello", voice="nobody")


@pytest.mark.parametrize("voice", VOICES)
def test_coded_speech_passes_a_voice_detector(voice: str) -> None:
    assert voiced_share(speak("Could you please tell me when it will arrive? " * 10, voice).audio) > 0.9


def test_noise_passes_a_voice_detector_and_holds_no_word() -> None:
    audio = noise(8)
    assert len(audio) == 64_000
    assert voiced_share(audio) > 0.9
    assert heard_in(audio) == []


def test_speech_after_noise_is_understood_at_any_offset() -> None:
    for cut in (0, 1, 79, 159):
        assert [word.text for word in heard_in(noise(0.2)[cut:] + speak("Hello there.").audio)] == ["Hello", "there."]


def test_the_code_is_too_low_to_be_heard() -> None:
    words = np.frombuffer(speak("Can you hear the code?").audio, dtype=np.uint8)
    other = np.frombuffer(speak("You can hear no code!").audio, dtype=np.uint8)
    length = min(len(words), len(other))
    assert np.all(words[:length] & 0xFE == other[:length] & 0xFE)


@pytest.mark.skipif(not espeak.available(), reason="espeak-ng is not installed")
async def test_an_audible_sentence_carries_its_words_too() -> None:
    utterance = await audio_code.speak_aloud("Your order is on its way. [300] Anything else?", "assistant")
    assert " ".join(word.text for word in heard_in(utterance.audio)) == "Your order is on its way. Anything else?"
    assert not np.array_equal(
        np.frombuffer(utterance.audio[:8_000], np.uint8) & 0xFE,
        np.frombuffer(speak("Your order is on its way.", "assistant").audio[:8_000], np.uint8) & 0xFE,
    )
