"""Text that a simple regular expression matches."""

import re
import re._constants as sre  # type: ignore[import-not-found]  # the parser's own names, as in ``re``
import re._parser as parser  # type: ignore[import-not-found]
from typing import Any

_LIKELY = "a1A _-.x0Zz!"


class BadPattern(Exception):
    """Not a regular expression, or one too clever for this."""


def text_for(pattern: str, size: int = 0) -> str:
    """Text that the pattern matches; ``size`` asks for that many repetitions where more than the least are allowed.

    Look-around is not obeyed: check the text. Raises BadPattern.
    """
    try:
        return _Writer(size).write(parser.parse(pattern))
    except (re.error, OverflowError, RecursionError) as error:
        raise BadPattern(str(error)) from error


class _Writer:
    def __init__(self, size: int) -> None:
        self._size = size
        self._groups: dict[int, str] = {}

    def write(self, parts: Any) -> str:
        return "".join(self._part(kind, detail) for kind, detail in parts)

    def _part(self, kind: Any, detail: Any) -> str:
        match kind:
            case sre.LITERAL:
                return chr(detail)
            case sre.NOT_LITERAL:
                return next(char for char in _LIKELY if ord(char) != detail)
            case sre.ANY:
                return "a"
            case sre.IN:
                return _from_set(detail)
            case sre.BRANCH:
                return self.write(detail[1][0])
            case sre.SUBPATTERN:
                text = self.write(detail[3])
                if detail[0] is not None:
                    self._groups[detail[0]] = text
                return text
            case sre.MAX_REPEAT | sre.MIN_REPEAT | sre.POSSESSIVE_REPEAT:
                least, most, what = detail
                return "".join(self.write(what) for _ in range(min(max(least, self._size), int(most), 2_000)))
            case sre.GROUPREF:
                return self._groups.get(detail, "")
            case sre.AT | sre.ASSERT | sre.ASSERT_NOT:
                return ""
            case sre.ATOMIC_GROUP:
                return self.write(detail)
        raise BadPattern(f"cannot write text for {kind}")


def _from_set(parts: Any) -> str:
    if parts[0][0] is sre.NEGATE:
        for char in _LIKELY:
            if not any(_in(char, kind, detail) for kind, detail in parts[1:]):
                return char
        raise BadPattern("no likely character is outside the set")
    for char in _LIKELY:
        if any(_in(char, kind, detail) for kind, detail in parts):
            return char
    kind, detail = parts[0]
    return chr(detail[0] if kind is sre.RANGE else detail)


def _in(char: str, kind: Any, detail: Any) -> bool:
    match kind:
        case sre.LITERAL:
            return bool(ord(char) == detail)
        case sre.RANGE:
            return bool(detail[0] <= ord(char) <= detail[1])
        case sre.CATEGORY:
            return re.fullmatch(_CATEGORIES[detail], char) is not None
    return False


_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}
