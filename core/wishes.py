"""How callers ask to be talked with: slower, louder, or not at all for a moment. By their words, without a model."""

import re
from dataclasses import replace
from enum import StrEnum
from functools import cache
from typing import Final

from core.manner import Manner
from core.words import words_of

SLOWEST: Final = 0.75
FASTEST: Final = 1.2
SPEED_STEP: Final = 0.12
PAUSE_STEP_MS: Final = 400
LONGEST_PAUSE_MS: Final = 1_200


class Wish(StrEnum):
    """What a caller asks for."""

    SLOWER = "slower"
    FASTER = "faster"
    CLEARER = "clearer"  # hard of hearing
    TIME = "time"  # to find something


_OPENERS: Final = re.compile(
    r"^(?:(?:oh|um|uh|okay|ok|yes|yeah|sure|well|so|please|sorry|ja|oui|sí|si|sì|sim|gut|bien) )*"
)
_PHRASES: Final = {
    "en": {
        Wish.SLOWER: (
            r"\bslow down\b",
            r"\b(?:speak|talk|go|say (?:it|that)) (?:a (?:bit|little) )?(?:more )?slow(?:er|ly)\b",
            r"\b(?:speak|talk|go)(?:ing)? (?:too|so|very) (?:fast|quickly)\b",
            r"^(?:a (?:bit|little) )?(?:slower|more slowly)\b",
        ),
        Wish.FASTER: (
            r"\b(?:speak|talk|go) (?:a (?:bit|little) )?(?:faster|more quickly)\b",
            r"\b(?:speak|talk|go)(?:ing)? (?:too|so|very) slow(?:ly)?\b",
            r"^(?:a (?:bit|little) )?faster\b",
        ),
        Wish.CLEARER: (
            r"\bhard of hearing\b",
            r"\b(?:speak|talk) (?:up|louder|more clearly)\b",
            r"\bi (?:can't|cannot|can not|don't) hear (?:you )?(?:very |so |that |too )?well\b",
        ),
        Wish.TIME: (
            r"\b(?:give me|wait|just) (?:a|one) (?:second|sec|moment|minute)\b",
            r"^(?:a|one) (?:second|sec|moment|minute)\b",
            r"\b(?:hold|hang) on\b|\bbear with me\b",
            r"\blet me (?:just )?(?:find|look|check|see|get|grab|think|fetch)\b",
        ),
    },
    "de": {
        Wish.SLOWER: (r"\blangsamer\b", r"\bzu schnell\b"),
        Wish.FASTER: (r"\b(?:sprechen|reden|sprich|rede) (?:\w+ ){0,2}schneller\b", r"^schneller\b"),
        Wish.CLEARER: (
            r"\bschwerhörig\b",
            r"\b(?:lauter|deutlicher) (?:sprechen|reden)\b",
            r"\bhöre? (?:sie )?(?:so )?schlecht\b",
        ),
        Wish.TIME: (
            r"\b(?:einen?|nen?) (?:kleinen? )?(?:moment|augenblick|sekunde)\b",
            r"^(?:moment|sekunde|augenblick)\b",
            r"\blassen sie mich (?:\w+ )*(?:nachsehen|schauen|suchen)\b",
            r"\bich (?:schaue?|sehe?|suche?) (?:\w+ )?(?:kurz|nach)\b",
        ),
    },
    "es": {
        Wish.SLOWER: (r"\bmás (?:despacio|lento)\b",),
        Wish.FASTER: (r"\bhable? más rápido\b", r"^más rápido\b"),
        Wish.CLEARER: (r"\bno (?:le |te )?oigo bien\b", r"\bhable? más (?:alto|fuerte|claro)\b"),
        Wish.TIME: (r"\bun (?:momento|segundo|minuto|momentito)\b", r"^espere?\b", r"\bdéjeme (?:buscar|ver|mirar)\b"),
    },
    "fr": {
        Wish.SLOWER: (r"\bplus (?:lentement|doucement)\b", r"\bmoins vite\b"),
        Wish.FASTER: (r"\b(?:parlez|parler|parle) plus vite\b", r"^plus vite\b"),
        Wish.CLEARER: (
            r"\bmalentendante?\b",
            r"\b(?:parlez|parler|parle) plus fort\b",
            r"\bvous entends? (?:pas bien|mal)\b",
        ),
        Wish.TIME: (
            r"\b(?:un|une|deux) (?:instant|moment|secondes?|minutes?)\b",
            r"\battendez\b",
            r"\blaissez moi (?:chercher|regarder|voir)\b",
        ),
    },
}
"""By language: what is looked for in the words, written small and without punctuation. A language not here has none."""


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
    known = _PHRASES.get(language.partition("-")[0], {})
    return tuple((wish, re.compile("|".join(phrases))) for wish, phrases in known.items())
