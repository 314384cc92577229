"""What ElevenLabs' voice does with text: when it begins to speak it, and the audio with each letter's time."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from random import Random

from core import g711
from sandbox import audio_code
from sandbox.answers import Dropped
from sandbox.audio_code import Utterance
from sandbox.state import SandboxState, pause

FAULTS = ("mute", "drop", "drip", "stall_after", "garbage")
_SHORTEST_MS, _LONGEST_MS = 100, 250  # of audio in one piece
_SCHEDULE = (120, 160, 250, 290)


@dataclass(frozen=True, slots=True)
class SpeechPiece:
    """Some audio, and the letters that begin in it with their times since its own first sample."""

    audio: bytes
    chars: list[str]
    starts_ms: list[int]
    durations_ms: list[int]


@dataclass(frozen=True)
class VoiceOptions:
    """How a text is to be spoken."""

    speed: float = 1.0
    audible: bool = False


class TextBuffer:
    """Holds text back until there is enough of it: by the schedule's lengths, at a flush, or at once in auto mode."""

    def __init__(self, *, auto_mode: bool = False, schedule: list[int] | None = None) -> None:
        self._auto_mode = auto_mode
        self._schedule = list(schedule or _SCHEDULE)
        self._text = ""

    def add(self, text: str, *, flush: bool = False) -> str | None:
        """Take text in; returns what is to be spoken now, if something is."""
        self._text = self._text + text if self._text else text.lstrip()
        if not self._text.strip() or not (flush or self._auto_mode or len(self._text) >= self._schedule[0]):
            return None
        if len(self._schedule) > 1 and not flush:
            self._schedule.pop(0)
        spoken, self._text = self._text, ""
        return spoken


async def spoken(text: str, options: VoiceOptions, state: SandboxState, asked_at: float) -> AsyncIterator[SpeechPiece]:
    """The speech of ``text``, no sooner and no faster than the vendor would make it.

    Args:
        asked_at: when its speaking was asked for, by the loop's clock.

    Raises:
        Dropped: a fault says that the vendor hangs up here, or answers with what is no answer.
    """
    loop = asyncio.get_running_loop()
    state.stamp("elevenlabs", "text", text=text.strip())
    fault = state.take_fault("elevenlabs", text, FAULTS)
    kind = fault.kind if fault else ""
    if kind == "mute":
        await asyncio.Event().wait()
    if kind == "garbage":
        raise Dropped("garbage")
    said = _sayable(text)
    speak = audio_code.speak_aloud(said, "assistant", options.speed) if options.audible else None
    utterance = await speak if speak else audio_code.speak(said, "assistant", options.speed)
    ready_at = asked_at + state.latency.voice_first_byte_ms / 1_000
    breaks_after = max(1, fault.after) if fault else 0
    for sent, piece in enumerate(pieces_of(text, utterance, state.random)):
        if sent >= breaks_after and kind == "drop":
            raise Dropped
        if sent >= breaks_after and kind == "stall_after":
            await asyncio.Event().wait()
        await pause(fault.delay_ms if fault and kind == "drip" else (ready_at - loop.time()) * 1_000)
        if sent == 0:
            state.stamp("elevenlabs", "first_byte", text=text.strip())
        yield piece
        ready_at = max(ready_at, loop.time() - 0.05) + g711.duration_ms(piece.audio) / 1_000 / state.latency.voice_speed


def pieces_of(text: str, utterance: Utterance, random: Random) -> Iterator[SpeechPiece]:
    """Cut speech into pieces of uneven length, each letter of the text in the piece in which it begins."""
    letters = _letters(text, utterance)
    at_ms = next_letter = 0
    while at_ms < utterance.duration_ms:
        end_ms = min(at_ms + random.randint(_SHORTEST_MS, _LONGEST_MS), utterance.duration_ms)
        if utterance.duration_ms - end_ms < _SHORTEST_MS:
            end_ms = utterance.duration_ms
        first = next_letter
        while next_letter < len(letters) and (letters[next_letter][1] < end_ms or end_ms == utterance.duration_ms):
            next_letter += 1
        here = letters[first:next_letter]
        yield SpeechPiece(
            audio=utterance.audio[at_ms * g711.SAMPLES_PER_MS : end_ms * g711.SAMPLES_PER_MS],
            chars=[char for char, _, _ in here],
            starts_ms=[start_ms - at_ms for _, start_ms, _ in here],
            durations_ms=[duration_ms for _, _, duration_ms in here],
        )
        at_ms = end_ms


def _letters(text: str, utterance: Utterance) -> list[tuple[str, int, int]]:
    """Each letter of the text with its start and duration, ms; the time of a space is that of the word's end."""
    letters: list[tuple[str, int, int]] = []
    words = iter(utterance.words)
    at_ms = 0
    for run in _runs(text):
        if run.isspace():
            letters += [(char, at_ms, 0) for char in run]
            continue
        word = next(words)
        for place, char in enumerate(run):
            start_ms = word.start_ms + (word.end_ms - word.start_ms) * place // len(run)
            at_ms = word.start_ms + (word.end_ms - word.start_ms) * (place + 1) // len(run)
            letters.append((char, start_ms, at_ms - start_ms))
    return letters


def _runs(text: str) -> Iterator[str]:
    """Words and the space between them, in turn."""
    begin = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or text[at].isspace() != text[begin].isspace():
            yield text[begin:at]
            begin = at


def _sayable(text: str) -> str:
    """The text without what would be a pause to ``speak``."""
    return text.replace("[", "(").replace("]", ")")
