"""Recordings in memory and on disk: bounded, and never worth a call."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from core.ports.speech import SpeechChunk, SpokenWord, VoiceSettings
from core.ports.speech_cache import Recording
from storage.speech_cache import UNUSED_S, KeptSpeech
from storage.speech_files import SpeechFiles

VOICE = VoiceSettings("ada")
DAY_S = 86_400.0


class Clock:
    """Told what time it is."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def recording(text: str = "Hello.", size: int = 800) -> Recording:
    words = (SpokenWord(text, 0, 100),)
    return Recording((text,), (SpeechChunk(0, b"\xff" * size, words), SpeechChunk(0, b"", last=True)))


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def cache(folder: Path, clock: Clock, *, memory: int = 10_000, disk: int = 100_000) -> KeptSpeech:
    return KeptSpeech("vendor", memory, SpeechFiles(folder, disk, 30, clock), clock)


async def test_recording_outlives_the_process(tmp_path: Path) -> None:
    clock = Clock()
    await cache(tmp_path, clock).keep(VOICE, "Hello.", recording())
    later = cache(tmp_path, clock)
    assert later.at_hand(VOICE, "Hello.") is None
    assert await later.find(VOICE, "Hello.") == recording()
    assert later.at_hand(VOICE, "Hello.") == recording()


@pytest.mark.parametrize(
    "other",
    [
        replace(VOICE, voice_id="bob"),
        replace(VOICE, model="other"),
        replace(VOICE, stability=0.4),
        replace(VOICE, similarity_boost=0.4),
        replace(VOICE, speed=0.9),
    ],
)
async def test_another_voice_or_setting_is_another_recording(tmp_path: Path, other: VoiceSettings) -> None:
    kept = cache(tmp_path, Clock())
    await kept.keep(VOICE, "Hello.", recording())
    assert await kept.find(other, "Hello.") is None


async def test_emulated_voice_is_never_taken_for_the_real_one(tmp_path: Path) -> None:
    files = SpeechFiles(tmp_path, 100_000)
    await KeptSpeech("sandbox", 10_000, files).keep(VOICE, "Hello.", recording())
    assert await KeptSpeech("vendor", 10_000, files).find(VOICE, "Hello.") is None


async def test_memory_forgets_what_was_used_longest_ago() -> None:
    kept = KeptSpeech("vendor", 2_000)
    for text in ("One.", "Two."):
        await kept.keep(VOICE, text, recording(text))
    assert kept.at_hand(VOICE, "One.")
    await kept.keep(VOICE, "Three.", recording("Three."))
    assert [bool(kept.at_hand(VOICE, text)) for text in ("One.", "Two.", "Three.")] == [True, False, True]


async def test_recording_larger_than_all_memory_is_not_kept() -> None:
    kept = KeptSpeech("vendor", 2_000)
    await kept.keep(VOICE, "Long.", recording("Long.", 3_000))
    assert kept.at_hand(VOICE, "Long.") is None


async def test_disk_forgets_what_was_used_longest_ago(tmp_path: Path) -> None:
    clock = Clock()
    for text in ("One.", "Two."):
        clock.now += 1
        await cache(tmp_path, clock, disk=2_200).keep(VOICE, text, recording(text))
    clock.now += 1
    assert await cache(tmp_path, clock).find(VOICE, "One.")
    await cache(tmp_path, clock, disk=2_200).keep(VOICE, "Three.", recording("Three."))
    found = [bool(await cache(tmp_path, clock).find(VOICE, text)) for text in ("One.", "Two.", "Three.")]
    assert found == [True, False, True]


async def test_recording_grows_old_however_often_it_is_used(tmp_path: Path) -> None:
    clock = Clock()
    await cache(tmp_path, clock).keep(VOICE, "Hello.", recording())
    clock.now += 29 * DAY_S
    assert await cache(tmp_path, clock).find(VOICE, "Hello.")
    clock.now += 2 * DAY_S
    assert await cache(tmp_path, clock).find(VOICE, "Hello.") is None
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("damage", [b"", b"HFS1", b"HFS1" + b"x" * 500, b"garbage"])
async def test_file_nobody_can_read_is_a_miss(tmp_path: Path, damage: bytes) -> None:
    clock = Clock()
    await cache(tmp_path, clock).keep(VOICE, "Hello.", recording())
    (file,) = files_in(tmp_path)
    file.write_bytes(damage)
    os.utime(file, (clock.now, clock.now))
    assert await cache(tmp_path, clock).find(VOICE, "Hello.") is None


async def test_file_cut_in_the_middle_is_a_miss(tmp_path: Path) -> None:
    clock = Clock()
    await cache(tmp_path, clock).keep(VOICE, "Hello.", recording())
    (file,) = files_in(tmp_path)
    file.write_bytes(file.read_bytes()[:-1])
    os.utime(file, (clock.now, clock.now))
    assert await cache(tmp_path, clock).find(VOICE, "Hello.") is None


async def test_disk_that_takes_nothing_is_no_error(tmp_path: Path) -> None:
    folder = tmp_path / "speech"
    folder.write_text("a file where the folder should be")
    kept = cache(folder, Clock())
    await kept.keep(VOICE, "Hello.", recording())
    assert kept.at_hand(VOICE, "Hello.")
    assert await kept.find(VOICE, "Bye.") is None


async def test_what_no_playbook_needs_goes_once_no_call_uses_it(tmp_path: Path) -> None:
    clock = Clock()
    kept = cache(tmp_path, clock)
    old = replace(VOICE, voice_id="bob")
    await kept.keep(old, "Hello.", recording())
    await kept.keep(VOICE, "Hello.", recording())
    await kept.drop_all_but([(VOICE, "Hello.")])
    assert kept.at_hand(old, "Hello."), "a live call may still need it"
    clock.now += UNUSED_S + 1
    await kept.drop_all_but([(VOICE, "Hello.")])
    assert await kept.find(old, "Hello.") is None
    assert await kept.find(VOICE, "Hello.")


async def test_leftovers_of_a_process_that_died_are_cleared_away(tmp_path: Path) -> None:
    clock = Clock()
    leftover = tmp_path / "x.part"
    leftover.write_bytes(b"half")
    os.utime(leftover, (clock.now - DAY_S, clock.now - DAY_S))
    await cache(tmp_path, clock).keep(VOICE, "Hello.", recording())
    assert not leftover.exists()
