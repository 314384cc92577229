"""Words as callers say them, however a recogniser writes them."""

import re
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def words_of(text: str) -> list[str]:
    """The text's words in small letters, without punctuation."""
    return [word.replace("’", "'") for word in _WORD.findall(text.lower())]
