"""Whoever answers a phone for somebody else, a service or a person, and asks who is calling."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from core.words import words_of

BEEP: Final = "machine_end_beep"  # what the carrier says of a machine that takes a message now
METHOD: Final = "screening"  # of such turns' step (core.conversation.Step)


class Screener(StrEnum):
    """What was said for the person we want to reach."""

    WHO = "who"  # "who is calling?", which that person may ask, too
    SERVICE = "service"  # "record your name and reason for calling": not that person
    WAIT = "wait"  # "stay on the line": that person is asked now


@dataclass(frozen=True)
class Screening:
    """How far a call has come past it. ``turn``: the last one that was not the person's own."""

    turn: int = 0
    person_comes: bool = False  # and has not heard the greeting

    def after(self, turn: int, found: Screener) -> "Screening":
        """With one more such turn."""
        return Screening(turn, self.person_comes or found is not Screener.WHO)


def screener_in(text: str, language: str) -> Screener | None:
    """What these words say if they screen a call; None: they do not. Without a model, which does not see their like."""
    spoken = " ".join(words_of(text))
    return next((kind for kind, phrase in _phrases(language.partition("-")[0]) if phrase.search(spoken)), None)


@cache
def _phrases(language: str) -> tuple[tuple[Screener, re.Pattern[str]], ...]:
    return tuple((kind, re.compile("|".join(patterns))) for kind, patterns in _PATTERNS.get(language, {}).items())


_PATTERNS: Final = {  # by language, the surest sign first
    "en": {
        Screener.SERVICE: (
            r"\b(?:record|state|say|leave|give|tell me) (?:me )?your (?:full )?name\b.*\b(?:reason|why|calling|tone)\b",
            r"\breason for (?:your call|calling)\b",
            r"\bscreening (?:service|assistant)\b",
            r"\bscreens? (?:my|their|this|your) calls?\b",
            r"\bsee if (?:this person|the person|they|he|she) (?:is|are|can)\b",
        ),
        Screener.WAIT: (
            r"\b(?:stay|remain|hold) on the line\b",
            r"\bplease (?:hold|wait)\b",
            r"\b(?:connecting|putting) you (?:now|through)\b",
            r"\bi(?:'ll| will) (?:put you through|connect you|get (?:him|her|them))\b",
        ),
        Screener.WHO: (
            r"\bwho(?:'s| is| am i)? (?:calling|speaking|talking|this|there)\b",
            r"\bmay i ask who\b",
            r"\bwho may i say\b",
            r"\bwhat(?:'s| is) (?:this|it|your call) (?:about|regarding|concerning)\b",
            r"\bwhat are you calling about\b",
        ),
    },
    "de": {
        Screener.SERVICE: (
            r"\b(?:nennen|sagen|hinterlassen|sprechen) sie (?:bitte )?(?:mir )?(?:ihren namen|ihr anliegen)\b",
            r"\bgrund (?:ihres anrufs|für ihren anruf|des anrufs)\b",
        ),
        Screener.WAIT: (
            r"\bbleiben sie (?:bitte )?(?:in der leitung|dran|am apparat)\b",
            r"\bich (?:stelle|verbinde) sie\b",
            r"\bwarten sie\b",
        ),
        Screener.WHO: (
            r"\bwer (?:ist da|spricht|ruft an|sind sie)\b",
            r"\bworum geht(?: es|'s|s)\b",
            r"\bmit wem spreche\b",
        ),
    },
    "es": {
        Screener.SERVICE: (r"\b(?:diga|indique|grabe|deje) su nombre\b", r"\bmotivo de (?:su|la) llamada\b"),
        Screener.WAIT: (r"\bno cuelgue\b", r"\b(?:permanezca|manténgase) en la línea\b", r"\ble paso\b", r"\bespere\b"),
        Screener.WHO: (r"\bquién (?:llama|habla|es)\b", r"\bde parte de quién\b", r"\bde qué se trata\b"),
    },
    "fr": {
        Screener.SERVICE: (
            r"\b(?:dites|indiquez|enregistrez|laissez) votre nom\b",
            r"\b(?:motif|raison) de votre appel\b",
        ),
        Screener.WAIT: (r"\bne quittez pas\b", r"\brestez en ligne\b", r"\bje vous (?:le |la )?passe\b"),
        Screener.WHO: (
            r"\bqui (?:appelle|est à l'appareil|est ce|parle|êtes vous)\b",
            r"\bc'est (?:de la part de qui|pourquoi)\b",
        ),
    },
}
