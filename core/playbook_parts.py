"""What the parts of a playbook have in common, and the smaller parts."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.keypad import DigitField
from core.mood import MoodRules, MoodVoice

AnswerKindName = Literal["open", "yes_no", "number", "spelling", "address"]  # core.endpointing.ANSWERS
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)]
Line = Annotated[str, Field(min_length=1, max_length=600)]
PhoneNumber = Annotated[str, Field(pattern=r"^\+[1-9]\d{6,14}$")]
KeyName = Annotated[str, Field(pattern=r"^[0-9*#]$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
KeyChoice = Literal["transfer", "consent", "refuse", "repeat", "end"]


class Part(BaseModel):
    """Knows every field it may have."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Misplaced(ValueError):
    """A fault that belongs to one field, with names that may have been meant."""

    def __init__(
        self, at: tuple[str | int, ...], message: str, wrote: str = "", known: list[str] | None = None
    ) -> None:
        super().__init__(message)
        self.at = at
        self.wrote = wrote
        self.known = known or []


class SeveralMisplaced(ValueError):
    """Several faults that were found together."""

    def __init__(self, faults: list[Misplaced]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


class Lines(Part):
    """What the assistant says to the letter, in one language."""

    disclosure: Line
    greeting: Line
    welcome_back: Line
    holding_lines: tuple[Line, ...] = Field(min_length=1)
    silence_prompts: tuple[Line, ...]
    farewell: Line
    apology: Line
    fillers: tuple[Line, ...] = ()
    take_your_time: str = Field("", max_length=600)
    protected_lines: tuple[Line, ...] = ()
    picking_up: str = Field(
        "", max_length=600, description="said instead of welcome_back where an answer was cut off, which follows"
    )
    screening_line: str = Field(
        "", max_length=600, description="on calls we place: who is calling and why, for whoever screens the call"
    )
    handed_back: str = Field("", max_length=600, description="default: welcome_back")

    @property
    def opening(self) -> str:
        """Spoken first."""
        return f"{self.disclosure} {self.greeting}".strip()


class DigitsChoice(Part):
    """Digits that a step has the caller key in. Field meanings: core.keypad.DigitField."""

    name: Name
    min: int = Field(1, ge=1, le=64)
    max: int = Field(32, ge=1, le=64)
    terminator: Literal["#", "*", ""] = "#"
    timeout_ms: int = Field(3_000, ge=500, le=30_000)
    sensitive: bool = False

    @property
    def field(self) -> DigitField:
        """As the gateway collects them."""
        return DigitField(self.name, self.min, self.max, self.terminator, self.timeout_ms, sensitive=self.sensitive)


class Canned(Part):
    """A question with one fixed answer, which is spoken without asking the model."""

    examples: tuple[Line, ...] = Field(min_length=1)
    answer: Line


class MoodVoiceChoice(Part):
    """How the assistant sounds to a caller of one mood."""

    stability: float | None = Field(None, ge=0, le=1)
    speed: float = Field(1.0, ge=0.8, le=1.2, description="times the usual one")


class MoodChoice(Part):
    """Whether the caller's mood is read, and what follows from it. Field meanings: core.mood.MoodRules."""

    read: bool = True
    every: int = Field(0, ge=0, le=50)
    voices: dict[Literal["calm", "pleased", "confused", "upset", "angry"], MoodVoiceChoice] = Field(
        default_factory=dict
    )
    escalate_after: int = Field(0, ge=0, le=20)
    escalation_line: Line = "I am sorry about the trouble. I am connecting you with a colleague now."

    @property
    def rules(self) -> MoodRules:
        """As calls keep them."""
        if not self.read:
            return MoodRules()
        voices = {str(mood): MoodVoice(voice.stability, voice.speed) for mood, voice in self.voices.items()}
        return MoodRules(True, self.every, voices, self.escalate_after, self.escalation_line)
