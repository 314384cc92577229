"""How the assistant talks with this caller from now on, where that differs from what the playbook says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Manner:
    """What the caller's wishes and mood have changed. Its frozen form is part of what activities are asked for."""

    speed: float = 1.0  # times the voice's own
    stability: float | None = None  # instead of the voice's own
    mood_speed: float = 1.0  # times that
    clear: bool = False  # an even voice, which is easier to understand
    pause_ms: int = 0  # how much longer than usual the caller's pauses may be
    language: str = ""  # "": the playbook's first
