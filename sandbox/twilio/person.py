"""A person on the line who follows a script: what to say or press, and when. Without a clock: it lives in line time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sandbox.audio_code import BLOCK, Utterance, beside, music, noise, speak, speak_aloud
from sandbox.twilio.ear import Ear, HeardLine

_FRAME_MS = 20
_KEY_MS = 240  # one key: its tone and the pause after it


class ScriptLine(BaseModel):
    """One line of a script: exactly one thing to do, and at most one time for it. See docs/sandbox.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    say: str | None = None
    dtmf: str | None = Field(None, pattern=r"^[0-9*#A-Dw]+$")
    noise: float | None = Field(None, gt=0, le=60)
    music: float | None = Field(None, gt=0, le=60)
    beside: float | None = Field(None, ge=0, le=60)
    late: float | None = Field(None, gt=0, le=10)
    wait: float | None = Field(None, ge=0, le=600)
    hang_up: Literal[True] | None = None
    after: Literal["reply"] | float | None = None
    interrupt_after: float | None = Field(None, ge=0, le=60)
    wait_for: str | None = None

    @field_validator("wait_for")
    @classmethod
    def _is_a_pattern(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"is no regular expression: {error}") from error
        return pattern

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        actions = [self.say, self.dtmf, self.noise, self.music, self.wait, self.hang_up]
        if sum(action is not None for action in actions) != 1:
            raise ValueError("a line does exactly one of say, dtmf, noise, music, wait, hang_up")
        if self.say is None and (self.beside is not None or self.late is not None):
            raise ValueError("beside and late go with say")
        if sum(time is not None for time in (self.after, self.interrupt_after, self.wait_for)) > 1:
            raise ValueError("a line has at most one of after, interrupt_after, wait_for")
        return self


@dataclass(slots=True)
class SaidLine:
    """Something the person said. Wall clock times are ms since the epoch."""

    text: str
    at_ms: int  # place on the line
    started_ms: float
    end_ms: int = 0  # place on the line of the last speech
    speech_end_ms: float | None = None  # wall clock: the frame with the last of it was sent
    reply_arrived_ms: float | None = None  # wall clock: the first sound that reached the carrier after that
    reply_played_ms: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As the control routes show it."""
        return {
            "text": self.text,
            "at_ms": self.at_ms,
            "end_ms": self.end_ms,
            "started_ms": self.started_ms,
            "speech_end_ms": self.speech_end_ms,
            "reply_arrived_ms": self.reply_arrived_ms,
            "reply_played_ms": self.reply_played_ms,
        }


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """One DTMF digit."""

    digit: str


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The frame that holds the last of a line's speech has just been spoken."""

    line: SaidLine


@dataclass(frozen=True, slots=True)
class NoiseMade:
    """A noise is over. Wall clock, ms since the epoch."""

    started_ms: float
    ended_ms: float


@dataclass(frozen=True, slots=True)
class HungUp:
    """The person has put the phone down."""


PersonEvent = KeyPressed | SpeechEnded | NoiseMade | HungUp


@dataclass(slots=True)
class _Sound:
    """Audio on its way out of the person's mouth."""

    audio: bytes
    speech_bytes: int  # up to the end of the last word
    line: SaidLine | None
    started_ms: float
    place: int = 0
    late_bytes: int = 0  # so much of it the network holds back


class Person:
    """Ask ``tick`` every 20 ms what comes out of the person's mouth, then take what happened from ``events``."""

    def __init__(self, script: Sequence[ScriptLine], speech: Sequence[Utterance | None]) -> None:
        self.said: list[SaidLine] = []
        self.events: list[PersonEvent] = []
        self._script = script
        self._speech = speech  # beside the script: what each line sounds like
        self._next = 0
        self._free_at_ms = 0  # when the last line ended
        self._sound: _Sound | None = None
        self._keys = ""
        self._reply: HeardLine | None = None  # the first since the last line ended

    def tick(self, at_ms: int, now_ms: float, ear: Ear) -> bytes | None:
        """The next 20 ms of sound; None is silence."""
        if self._sound is not None:
            return self._speak_on(at_ms, now_ms)
        if self._next >= len(self._script) or at_ms < self._free_at_ms:
            return None
        if self._keys:
            self._press_key(at_ms)
            return None
        if not self._due(self._script[self._next], at_ms, ear):
            return None
        self._begin(self._script[self._next], at_ms, now_ms)
        return self._speak_on(at_ms, now_ms) if self._sound is not None else None

    @property
    def held_up(self) -> bool:
        """Whether the network holds back what is being said."""
        return self._sound is not None and self._sound.place < self._sound.late_bytes

    def _due(self, line: ScriptLine, at_ms: int, ear: Ear) -> bool:
        if isinstance(line.after, float):
            return at_ms - self._free_at_ms >= line.after * 1_000
        if line.interrupt_after is not None:
            if self._reply is None and ear.current is not None and ear.current.at_ms >= self._free_at_ms:
                self._reply = ear.current
            return self._reply is not None and at_ms - self._reply.at_ms >= line.interrupt_after * 1_000
        if line.wait is not None and line.after is None and line.wait_for is None:
            return True
        if not self._reply_is_over(ear):
            return False
        return line.wait_for is None or bool(re.search(line.wait_for, ear.text_since(self._free_at_ms), re.IGNORECASE))

    def _reply_is_over(self, ear: Ear) -> bool:
        """The line is quiet, and the last thing heard since our last line was no reply that we had cut."""
        if ear.current is not None or not ear.lines:
            return False
        return ear.lines[-1].end_ms > self._free_at_ms and not ear.lines[-1].interrupted

    def _begin(self, line: ScriptLine, at_ms: int, now_ms: float) -> None:
        self._reply = None
        if line.say is not None:
            spoken = self._speech[self._next] or speak(line.say)
            said = SaidLine(line.say, at_ms, now_ms)
            self.said.append(said)
            ends_ms = spoken.words[-1].end_ms if spoken.words else 0
            audio = spoken.audio if line.beside is None else beside(spoken.audio, goes_on=line.beside)
            late_bytes = round((line.late or 0) * 1_000 / _FRAME_MS) * BLOCK
            self._sound = _Sound(audio, ends_ms * BLOCK // _FRAME_MS, said, now_ms, late_bytes=late_bytes)
        elif line.noise is not None or line.music is not None:
            self._sound = _Sound(noise(line.noise) if line.noise else music(line.music or 0), 0, None, now_ms)
        elif line.dtmf is not None:
            self._keys = line.dtmf
            self._press_key(at_ms)
            return
        elif line.hang_up:
            self.events.append(HungUp())
            self._next = len(self._script)
            return
        else:
            self._line_is_over(at_ms + round((line.wait or 0) * 1_000))

    def _speak_on(self, at_ms: int, now_ms: float) -> bytes | None:
        sound = self._sound
        if sound is None:
            return None
        frame = sound.audio[sound.place : sound.place + BLOCK]
        sound.place += BLOCK
        if sound.line is not None and sound.place >= sound.speech_bytes and sound.line.speech_end_ms is None:
            sound.line.end_ms = at_ms + _FRAME_MS
            sound.line.speech_end_ms = now_ms
            self.events.append(SpeechEnded(sound.line))
        if sound.place >= len(sound.audio):
            self._sound = None
            if sound.line is None:
                self.events.append(NoiseMade(sound.started_ms, now_ms))
            self._line_is_over(at_ms + _FRAME_MS)
        return frame or None

    def _press_key(self, at_ms: int) -> None:
        key, self._keys = self._keys[0], self._keys[1:]
        if key != "w":
            self.events.append(KeyPressed(key))
        self._free_at_ms = at_ms + (_KEY_MS if key != "w" else 500)
        if not self._keys:
            self._line_is_over(self._free_at_ms)

    def _line_is_over(self, at_ms: int) -> None:
        self._free_at_ms = at_ms
        self._next += 1


async def rehearsed(script: Sequence[ScriptLine], voice: str = "caller", *, audible: bool = False) -> Person:
    """A person who has the script's speech ready; ``audible``: the real words, where espeak-ng is installed."""
    return Person(script, [await _spoken(line.say, voice, audible) if line.say else None for line in script])


async def _spoken(text: str, voice: str, audible: bool) -> Utterance:
    if audible:
        try:
            return await speak_aloud(text, voice)
        except OSError:
            pass  # not installed: sound like speech will do
    return speak(text, voice)
