"""How the caller feels, and what follows from it: another manner of speaking, or a person."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from core.manner import Manner


class Mood(StrEnum):
    """As a model reads it from the caller's words."""

    CALM = "calm"
    PLEASED = "pleased"
    CONFUSED = "confused"
    UPSET = "upset"
    ANGRY = "angry"


MOODS = tuple(mood.value for mood in Mood)
SENTIMENTS = ("neutral", "positive", "negative")  # how a caller leaves, told once the call is over
HEATED = frozenset({Mood.UPSET.value, Mood.ANGRY.value})


@dataclass(frozen=True)
class MoodVoice:
    """How the assistant sounds to a caller of one mood."""

    stability: float | None = None  # instead of the voice's own
    speed: float = 1.0  # times the caller's usual


@dataclass(frozen=True)
class MoodRules:
    """What a call's history keeps of its playbook's ``mood``. As it stands here: nothing is read."""

    read: bool = False  # where the model is asked for the step anyway
    every: int = 0  # turns after which it is read by a call of its own; 0: never
    voices: dict[str, MoodVoice] = field(default_factory=dict)  # by mood; others are spoken to as ever
    escalate_after: int = 0  # heated turns in a row; 0: never
    escalation_line: str = ""  # said before the caller is handed over


def known_mood(name: str) -> str:
    """The name if it is a mood's, else "": a model may say anything."""
    return name if name in MOODS else ""


def manner_for(manner: Manner, mood: str, rules: MoodRules) -> Manner:
    """The manner as it was, but for what the mood decides."""
    voice = rules.voices.get(mood, MoodVoice())
    return replace(manner, stability=voice.stability, mood_speed=voice.speed)


def heated_turns(moods: Sequence[str]) -> int:
    """For how many turns in a row the caller has been upset or angry; turns whose mood is not known ("") count not."""
    known = [mood for mood in moods if mood]
    return next((heated for heated, mood in enumerate(reversed(known)) if mood not in HEATED), len(known))


def is_due(moods: Sequence[str], rules: MoodRules) -> bool:
    """Whether the mood is to be read in the last turn: it is unknown for ``every`` turns, or heat is to be followed."""
    if not rules.every or not moods or moods[-1]:
        return False
    unread = next((turns for turns, mood in enumerate(reversed(moods)) if mood), len(moods))
    return unread >= rules.every or heated_turns(moods) > 0
