"""Turn-taking: what the recogniser and the voice detector heard, and what follows from it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TurnTaking:
    """When the gateway takes a turn for ended and speech for an interruption. From the playbook."""

    recogniser: str = "flux"  # "flux" | "nova-3"
    language: str = "en"
    end_of_turn_threshold: float = 0.7  # Flux: eot_threshold
    end_of_turn_timeout_ms: int = 5_000  # Flux: eot_timeout_ms
    endpointing_ms: int = 300  # nova-3: silence that makes speech_final
    interruptible: bool = True
    barge_in_min_words: int = 1  # words of the recogniser before playback stops
    silence_after_ms: int = 10_000  # nobody speaks for so long: the gateway says so
    keyterms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The recogniser hears the caller begin to speak."""


@dataclass(frozen=True, slots=True)
class Interim:
    """The turn's text so far; replaces what came before, may change."""

    text: str


@dataclass(frozen=True, slots=True)
class EagerEndOfTurn:
    """The turn is probably over (Flux with eager_eot_threshold only)."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class TurnResumed:
    """The eager end was wrong: the caller goes on."""


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """The turn is over."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class RecogniserLost:
    """The stream broke; no further event comes."""

    reason: str


RecogniserEvent = SpeechStarted | Interim | EagerEndOfTurn | TurnResumed | EndOfTurn | RecogniserLost
