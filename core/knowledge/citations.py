"""The numbers in square brackets by which a model cites: taken out of what is spoken, kept for the record."""

import re
from collections.abc import Sequence
from typing import Final

_MARK: Final = re.compile(r"\s*[\[【]\s*(\d{1,2}(?:\s*[,;]\s*\d{1,2})*)\s*[\]】]")
_NUMBER: Final = re.compile(r"\d{1,2}")
_MAYBE: Final = re.compile(r"(?:\s*[\[【][\d\s,;]{0,24}|(?<![.!?\s])\s+)\Z")  # a mark that has only begun


class CitationFilter:
    """Feed pieces of text as they come; get them without marks. ``cited``: their numbers, in the order of the text.

    A gap is held back until what follows it is known, as a mark may stand before the sentence's dot; the gap after a
    sentence's end is not, so that nothing is spoken later for it.
    """

    def __init__(self) -> None:
        self.cited: list[int] = []
        self._held = ""

    def feed(self, piece: str) -> str:
        """What of the text is sure by now."""
        text = self._without_marks(self._held + piece)
        open_at = found.start() if (found := _MAYBE.search(text)) else len(text)
        self._held = text[open_at:]
        return text[:open_at]

    def finish(self) -> str:
        """The text is whole."""
        rest, self._held = self._held, ""
        return rest

    def _without_marks(self, text: str) -> str:
        def note(mark: re.Match[str]) -> str:
            self.cited += [int(number) for number in _NUMBER.findall(mark[1])]
            return ""

        return _MARK.sub(note, text)


def places_cited(cited: Sequence[int], places: Sequence[str]) -> tuple[str, ...]:
    """Where the cited passages stand, each place once; a number that was never given out is left out."""
    return tuple(dict.fromkeys(places[number - 1] for number in cited if 0 < number <= len(places)))
