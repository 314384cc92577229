"""Fillers: short lines that say that we are still there. They are heard, but they are no part of an answer."""

from collections.abc import Iterable, Sequence


def in_rotation(fillers: Sequence[str], said: int) -> tuple[str, ...]:
    """All of them, from the one whose turn it is after so many: none comes twice in a row."""
    first = said % len(fillers) if fillers else 0
    return (*fillers[first:], *fillers[:first])


def without_fillers(text: str, fillers: Iterable[str]) -> str:
    """What was said, as far as it answered something."""
    for filler in fillers:
        text = text.replace(filler, "")
    return " ".join(text.split())
