"""Audio that carries text: sound like speech, with the words in the lowest bit of its mu-law bytes.

Each 20 ms block of 160 bytes holds one self-contained packet of 160 bits:

    sync 16 | utterance 16 | block 16 | word 16 | flags 4, length 4 | text 72 | CRC 16

A word is carried in the blocks with which it begins (nine UTF-8 bytes each) and counts as heard with the last of
these. All blocks of an utterance carry a packet, most without text; pauses are silence and carry none. Whoever
receives the audio can read the words back, however it was cut and chunked on the way.
"""

import itertools
import random
import re
import struct
from binascii import crc_hqx
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from core import g711
from sandbox import espeak

BLOCK = g711.FRAME_BYTES
BLOCK_MS = 20
SILENCE = g711.SILENT_FRAME
CHARS_PER_SECOND = 15.0

_SYNC = 0x1ACF
_PACKET = struct.Struct(">HHHHB9s")
_PACKET_BYTES = BLOCK // 8
_TEXT_BYTES = 9
_NO_PACKET = b"\xff" * _PACKET_BYTES  # silence, 0xFF, has all its lowest bits set
_WORD_BEGINS, _WORD_ENDS, _LAST_WORD, _LAST_BLOCK = 0x80, 0x40, 0x20, 0x10

_AS_DIGITS = bytes(0x30 | code & 1 for code in range(256))  # each byte's lowest bit as "0" or "1"
_SYNC_DIGITS = f"{_SYNC:016b}".encode()
_SYNC_BITS = int.from_bytes(bytes(digit & 1 for digit in _SYNC_DIGITS))
_LOWEST_BITS = int.from_bytes(b"\x01" * 16)

_TUNE = (262, 330, 392, 523, 392, 330, 262, 196)  # Hz, a quarter of a second each
_PAUSE = re.compile(r"\[(\d+)\]")
_CLIPS = Path(__file__).parent / "clips"
_utterances = itertools.count(random.randrange(1 << 16))


@dataclass(frozen=True, slots=True)
class Word:
    """A word and when it is spoken, in ms since the utterance's first sample."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """Coded speech: mu-law in whole blocks."""

    audio: bytes
    words: tuple[Word, ...]

    @property
    def duration_ms(self) -> int:
        """How long it takes to play."""
        return g711.duration_ms(self.audio)


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word read back from audio."""

    text: str
    utterance: int  # which utterance; ids are not in order
    index: int  # the word's place in its utterance, from 0
    start_ms: int  # where its first block begins, since the first byte fed
    last: bool  # the utterance has no further word


def speak(text: str, voice: str = "caller", rate: float = 1.0) -> Utterance:
    """Speech of ``text`` by looping the voice's clip. ``[700]`` in the text is a pause of 700 ms.

    Raises ValueError for a voice that has no clip.
    """
    chars_per_block = CHARS_PER_SECOND * rate * BLOCK_MS / 1_000
    stretches: list[_Stretch] = []
    for words, pause in _parts(text):
        lengths = _lengths(words, chars_per_block)
        stretches.append(_Stretch(words, lengths, _looped(voice, sum(lengths)), pause))
    return _coded(stretches)


async def speak_aloud(text: str, voice: str = "caller", rate: float = 1.0) -> Utterance:
    """Like ``speak``, but the real sentence, said by espeak-ng. Where that is not installed, ``speak``."""
    if not espeak.available():
        return speak(text, voice, rate)
    stretches: list[_Stretch] = []
    for words, pause in _parts(text):
        sound = await espeak.synthesize(" ".join(words), voice, rate) if words else b""
        blocks = len(sound) // BLOCK
        lengths = _lengths(words, _chars(words) / max(1, blocks))
        sound += _looped(voice, sum(lengths) - blocks)  # if it is too short for its code
        stretches.append(_Stretch(words, lengths, sound, pause))
    return _coded(stretches)


def noise(seconds: float, voice: str = "passer-by") -> bytes:
    """Sound like speech that carries no words, in whole blocks."""
    looped = np.frombuffer(_looped(voice, round(seconds * 1_000 / BLOCK_MS)), dtype=np.uint8)
    return (looped & 0xFE).tobytes()


def music(seconds: float) -> bytes:
    """A plain tune as telephones play it to those who wait, in whole blocks."""
    rate = g711.SAMPLES_PER_MS * 1_000
    at = np.arange(round(0.25 * rate)) / rate
    notes = [
        sum(np.sin(2 * np.pi * tone * overtone * at) / overtone for overtone in (1, 2, 3)) * np.exp(-3 * at)
        for tone in _TUNE
    ]
    size = round(seconds * 1_000 / BLOCK_MS) * BLOCK
    wave = np.concatenate(notes * (round(seconds / (0.25 * len(notes))) + 1))[:size]
    sound = np.frombuffer(g711.encode((wave * 5_000).astype(np.int16)), dtype=np.uint8)
    return (sound & 0xFE).tobytes()


def beside(audio: bytes, voice: str = "passer-by", goes_on: float = 1.0) -> bytes:
    """The same words with somebody else's voice under them, who goes on for so many seconds."""
    words = np.frombuffer(audio, dtype=np.uint8)
    other = np.frombuffer(_looped(voice, len(words) // BLOCK + round(goes_on * 1_000 / BLOCK_MS)), dtype=np.uint8)
    mixed = g711.decode(words.tobytes()) // 2 + g711.decode(other[: len(words)].tobytes()) // 2
    together = np.frombuffer(g711.encode(mixed), dtype=np.uint8)
    silent = (words.reshape(-1, BLOCK) == SILENCE[0]).all(axis=1).repeat(BLOCK)
    coded = together & 0xFE | words & 1
    return np.where(silent, together & 0xFE, coded).tobytes() + (other[len(words) :] & 0xFE).tobytes()


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Words spoken without a pause, how many blocks each takes, their sound, and the silent blocks after them."""

    words: list[str]
    lengths: list[int]
    sound: bytes
    pause: int


def _parts(text: str) -> Iterator[tuple[list[str], int]]:
    """Words and the pause after them, in blocks."""
    pieces = [*_PAUSE.split(text), "0"]
    for words, pause in zip(pieces[::2], pieces[1::2], strict=True):
        yield words.split(), round(int(pause) / BLOCK_MS)


def _chars(words: list[str]) -> int:
    return sum(len(word) + 1 for word in words)


def _lengths(words: list[str], chars_per_block: float) -> list[int]:
    """How many blocks each word takes: as its letters ask for, but never too few for its code."""
    lengths: list[int] = []
    at = chars = 0
    for word in words:
        chars += len(word) + 1
        end = max(at + len(_pieces(word)), round(chars / chars_per_block))
        lengths.append(end - at)
        at = end
    return lengths


def _pieces(word: str) -> list[bytes]:
    text = word.encode()
    return [text[at : at + _TEXT_BYTES] for at in range(0, len(text), _TEXT_BYTES)]


def _coded(stretches: list[_Stretch]) -> Utterance:
    """Mix the words' code into their sound."""
    utterance = next(_utterances) & 0xFFFF
    last_number = sum(len(stretch.words) for stretch in stretches) - 1
    words: list[Word] = []
    code: list[bytes] = []  # one packet a block
    for stretch in stretches:
        for text, length in zip(stretch.words, stretch.lengths, strict=True):
            start, number = len(code), len(words)
            code += _word_packets(utterance, start, number, text, length, last=number == last_number)
            words.append(Word(text, start * BLOCK_MS, len(code) * BLOCK_MS))
        code += [_NO_PACKET] * stretch.pause
    sound = b"".join(stretch.sound + SILENCE * stretch.pause for stretch in stretches)
    bits = np.unpackbits(np.frombuffer(b"".join(code), dtype=np.uint8))
    return Utterance((np.frombuffer(sound, dtype=np.uint8) & 0xFE | bits).tobytes(), tuple(words))


def _word_packets(
    utterance: int, first_block: int, number: int, text: str, length: int, *, last: bool
) -> Iterator[bytes]:
    pieces = _pieces(text)
    for place in range(length):
        flags = _LAST_WORD if last else 0
        if place == 0:
            flags |= _WORD_BEGINS
        if place == len(pieces) - 1:
            flags |= _WORD_ENDS
        if last and place == length - 1:
            flags |= _LAST_BLOCK
        piece = pieces[place] if place < len(pieces) else b""
        packet = _PACKET.pack(
            _SYNC, utterance, (first_block + place) & 0xFFFF, number & 0xFFFF, flags | len(piece), piece
        )
        yield packet + crc_hqx(packet, 0).to_bytes(2)


def _looped(voice: str, blocks: int) -> bytes:
    clip = _clip(voice)
    return (clip * (blocks * BLOCK // len(clip) + 1))[: max(0, blocks) * BLOCK]


@cache
def _clip(voice: str) -> bytes:
    path = _CLIPS / f"{voice}.ulaw"
    if not path.is_file():
        known = sorted(clip.stem for clip in _CLIPS.glob("*.ulaw"))
        raise ValueError(f"no voice {voice!r}; there are {', '.join(known)}")
    return path.read_bytes()


@dataclass(frozen=True, slots=True)
class Place:
    """A coded block: where it begins in its utterance and in the audio that was fed, in samples."""

    utterance: int
    within: int
    fed: int


class Reader:
    """Reads words back from audio as it comes, whatever the chunks, and finds its place again after a cut.

    Attributes:
        position_ms: how much audio was fed.
        spoken_until_ms: where the last coded block that was read ended, since the first byte fed; 0 before any.
        sound_until_ms: where the last block that was not silence ended, coded or not.
        utterance_ended: the last coded block was its utterance's last.
        place: the last coded block that was read, None before any.
    """

    def __init__(self) -> None:
        self.spoken_until_ms = 0
        self.sound_until_ms = 0
        self.utterance_ended = False
        self.place: Place | None = None
        self._fed = 0
        self._rest = b""
        self._word: _PartialWord | None = None

    @property
    def position_ms(self) -> int:
        """How much audio was fed."""
        return self._fed // g711.SAMPLES_PER_MS

    @property
    def position(self) -> int:
        """How many samples were fed."""
        return self._fed

    def feed(self, audio: bytes) -> list[HeardWord]:
        """Take audio in; returns the words that became whole in it."""
        pending = self._rest + audio if self._rest else audio
        self._fed += len(audio)
        begins = self._fed - len(pending)
        heard: list[HeardWord] = []
        at = 0
        while len(pending) - at >= BLOCK:
            block = pending[at : at + BLOCK]
            if block == SILENCE:
                at += BLOCK
                continue
            packet = _packet_in(block)
            if packet is None:
                at = _next_sync(pending, at + 1)
                self.sound_until_ms = (begins + at) // g711.SAMPLES_PER_MS
                continue
            word = self._take(packet, begins + at)
            if word is not None:
                heard.append(word)
            at += BLOCK
        self._rest = pending[at:]
        return heard

    def _take(self, packet: bytes, start: int) -> HeardWord | None:
        """Note one block; returns the word that ends in it, if one does."""
        _, utterance, block, number, head, text = _PACKET.unpack_from(packet)
        start_ms = start // g711.SAMPLES_PER_MS
        self.place = Place(utterance, block * BLOCK, start)
        self.spoken_until_ms = self.sound_until_ms = start_ms + BLOCK_MS
        self.utterance_ended = bool(head & _LAST_BLOCK)
        length = head & 0x0F
        if not length:
            return None
        if head & _WORD_BEGINS:
            self._word = _PartialWord(utterance, block, start_ms)
        word = self._word
        if word is None or (word.utterance, word.next_block) != (utterance, block):
            return None  # some of it was cut off
        word.text += text[:length]
        word.next_block = (block + 1) & 0xFFFF
        if not head & _WORD_ENDS:
            return None
        self._word = None
        return HeardWord(word.text.decode(errors="replace"), utterance, number, word.start_ms, bool(head & _LAST_WORD))


@dataclass(slots=True)
class _PartialWord:
    utterance: int
    next_block: int
    start_ms: int
    text: bytes = b""


def _packet_in(block: bytes) -> bytes | None:
    """The packet of an aligned block, if it holds one. Cheap: no numpy, and one comparison where there is none."""
    if int.from_bytes(block[:16]) & _LOWEST_BITS != _SYNC_BITS:
        return None
    packet = int(block.translate(_AS_DIGITS), 2).to_bytes(_PACKET_BYTES)
    return packet if crc_hqx(packet, 0) == 0 else None


def _next_sync(audio: bytes, start: int) -> int:
    """Where the next block may begin: at a sync, or where the audio is too short to tell."""
    found = audio[start:].translate(_AS_DIGITS).find(_SYNC_DIGITS)
    return start + found if found >= 0 else max(start, len(audio) - len(_SYNC_DIGITS) + 1)
