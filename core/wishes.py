"""How callers ask to be talked with: slower, louder, or not at all for a moment. By their words, without a model."""

import re
from dataclasses import replace
from functools import cache
from typing import Final

from core.manner import Manner
from core.wish_phrases import OPENERS, PATTERNS, PHRASES, WITHIN_WORDS, Wish
from core.words import words_of

SLOWEST: Final = 0.75
FASTEST: Final = 1.2
SPEED_STEP: Final = 0.12
PAUSE_STEP_MS: Final = 400
LONGEST_PAUSE_MS: Final = 1_200
_OPENER: Final = "|".join(" ".join(words_of(word)) for word in OPENERS.split())
_OPENERS: Final = re.compile(f"^(?:(?:{_OPENER}) )*")


def wishes_in(text: str, language: str) -> frozenset[Wish]:
    """What the caller asks for in these words."""
    spoken = " ".join(words_of(text))
    stripped = _OPENERS.sub("", spoken)
    return frozenset(wish for wish, phrase in _phrases(language) if phrase.search(spoken) or phrase.search(stripped))


def asks_only_for_time(text: str, language: str) -> bool:
    """Whether nothing else was said: no answer is wanted now."""
    if wishes_in(text, language) != {Wish.TIME}:
        return False
    return len(words_of(text)) <= MOST_WORDS and "?" not in text


MOST_WORDS: Final = 14
"""More than these hold more than the wish."""


def heed(manner: Manner, wishes: frozenset[Wish]) -> Manner:
    """How to talk with this caller from now on."""
    if Wish.SLOWER in wishes or Wish.CLEARER in wishes:
        manner = replace(
            manner,
            speed=max(SLOWEST, round(manner.speed - SPEED_STEP, 2)),
            pause_ms=min(LONGEST_PAUSE_MS, manner.pause_ms + PAUSE_STEP_MS),
        )
    elif Wish.FASTER in wishes:
        manner = replace(
            manner,
            speed=min(FASTEST, round(manner.speed + SPEED_STEP, 2)),
            pause_ms=max(0, manner.pause_ms - PAUSE_STEP_MS),
        )
    return replace(manner, clear=True) if Wish.CLEARER in wishes else manner


@cache
def _phrases(language: str) -> tuple[tuple[Wish, re.Pattern[str]], ...]:
    short = language.partition("-")[0]
    found = [(wish, re.compile("|".join(patterns))) for wish, patterns in PATTERNS.get(short, {}).items()]
    ends = "" if short in WITHIN_WORDS else r"\b"
    for wish, phrases in PHRASES.get(short, {}).items():
        found.append((wish, re.compile("|".join(_pattern(phrase, ends) for phrase in phrases.split("|")))))
    return tuple(found)


def _pattern(phrase: str, ends: str) -> str:
    first = "^" if phrase.startswith("^") else ends
    return first + re.escape(" ".join(words_of(phrase))) + ends
