"""Fillers: short lines that say that we are still there. They are heard, but they are no part of an answer."""

from collections.abc import Iterable, Sequence


def next_filler(fillers: Sequence[str], said: int) -> str:
    """The one whose turn it is after so many; "" if there are none. In rotation, so none comes twice in a row."""
    return fillers[said % len(fillers)] if fillers else ""


def without_fillers(text: str, fillers: Iterable[str]) -> str:
    """What was said, as far as it answered something."""
    for filler in fillers:
        text = text.replace(filler, "")
    return " ".join(text.split())
