"""Answers that are made while the caller may still go on: for which words, and when they are worth nothing."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from core.contracts.call import TurnTimings
from core.turns import (
    EagerEndOfTurn,
    EndOfTurn,
    Interim,
    RecogniserEvent,
    SpeechStarted,
    TurnEnded,
    TurnEvent,
    TurnGoesOn,
    TurnLikelyEnded,
)

_WORDS: Final = re.compile(r"\w+")


def words_key(text: str) -> str:
    """The same for the same words, whatever their case and punctuation: recognisers change those at a turn's end."""
    words = " ".join(_WORDS.findall(text.casefold()))
    return hashlib.sha256(words.encode()).hexdigest()[:12]


@dataclass(slots=True)
class Foreseen:
    """A turn that has probably ended, and for whose end an answer waits."""

    turn: int
    key: str  # words_key
    timings: TurnTimings
    accepted: bool = False  # by the workflow

    def accept(self) -> None:
        """The workflow has it."""
        self.accepted = True

    def was(self, turn: int, text: str) -> bool:
        """Whether the turn that has ended is this one."""
        return (self.turn, self.key) == (turn, words_key(text))


class Foresight:
    """Whether an answer may be made ahead of the end of the caller's turn, and for which words."""

    def __init__(self) -> None:
        self._key: str | None = None  # of the words that an answer is being made for

    def follow(
        self, event: RecogniserEvent, decided: list[TurnEvent], *, quiet: bool, speech_ended_ms: float
    ) -> list[TurnEvent]:
        """What has been decided after this event of the recogniser, with what it means for an answer made ahead.

        Args:
            quiet: the assistant is not speaking, and no earlier words of the caller wait to be answered with these.
        """
        match event:
            case EagerEndOfTurn(text) if quiet and text.strip():
                return [*decided, *self._foresee(event, speech_ended_ms)]
            case EndOfTurn():
                return self._settle(decided)
            case Interim(text) if self._key == words_key(text):
                return decided
            case SpeechStarted():
                return decided
        return [*self._forget(), *decided]

    def _foresee(self, event: EagerEndOfTurn, speech_ended_ms: float) -> list[TurnEvent]:
        text = event.text.strip()
        key = words_key(text)
        if key == self._key:
            return []
        before, self._key = self._forget(), key
        words = len(text.split())
        return [*before, TurnLikelyEnded(text, event.confidence, speech_ended_ms, words, event.languages)]

    def _settle(self, decided: list[TurnEvent]) -> list[TurnEvent]:
        ended = next((event for event in decided if isinstance(event, TurnEnded)), None)
        if ended is not None and words_key(ended.text) == self._key:
            self._key = None
            return decided
        return [*self._forget(), *decided]

    def _forget(self) -> list[TurnEvent]:
        forgotten, self._key = self._key, None
        return [] if forgotten is None else [TurnGoesOn()]
