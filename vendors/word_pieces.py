"""Cuts text into BERT's word pieces (uncased), small letters, no accents, the longest piece first."""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

_LONGEST_WORD: Final = 100


class WordPieces:
    """Args: ``vocabulary``: piece -> id; a piece within a word begins with ##."""

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        self._ids = vocabulary
        self._unknown = vocabulary["[UNK]"]
        self._begin, self._end = vocabulary["[CLS]"], vocabulary["[SEP]"]

    def ids(self, text: str, most: int) -> list[int]:
        """The ids of a text, framed as the model expects them, ``most`` of them at most."""
        pieces = [piece for word in _words(text) for piece in self._pieces(word)]
        return [self._begin, *pieces[: most - 2], self._end]

    def _pieces(self, word: str) -> list[int]:
        if len(word) > _LONGEST_WORD:
            return [self._unknown]
        found: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = self._ids.get(("##" if start else "") + word[start:end])
                if piece is not None:
                    found.append(piece)
                    start = end
                    break
            else:
                return [self._unknown]
        return found


def _words(text: str) -> Iterator[str]:
    word = ""
    for char in unicodedata.normalize("NFD", text.lower()):
        kind = unicodedata.category(char)
        if kind == "Mn" or (kind in {"Cc", "Cf"} and not char.isspace()):
            continue
        alone = kind.startswith("P") or char in "$+<=>^`|~" or "\u4e00" <= char <= "\u9fff"
        if not (alone or char.isspace()):
            word += char
            continue
        if word:
            yield word
            word = ""
        if alone:
            yield char
    if word:
        yield word
