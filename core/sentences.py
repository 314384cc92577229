"""Cuts streamed text into sentences to speak, each as early as it is certain.

A reply's first sentence decides when the caller hears something, so a sentence ends with the piece that brings its
end, not with the next one: always at '?' and '!', at '.' after a plain word that is no abbreviation. Elsewhere
(numbers, capitals, abbreviations) the next character decides.

The same text gives the same sentences however it is cut into pieces, with one exception: a piece that ends right
after the dot within "example.com", or within "done.Next", ends a sentence there.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

LONG_CLAUSE: Final = 200  # characters after which a comma or semicolon ends a sentence too
TOO_LONG: Final = 400  # characters after which any gap does

_MARKS = re.compile(r"[.?!。？！\n,;]")
_CLOSERS = ".?!…\"'”’)]*_"
_OPENERS = "\"'“‘([*_"
_NEVER_END_WORDS = """
    mr mrs ms dr prof st sr jr vs e.g i.e approx dept ext gen hon rev sgt capt col lt
    """
_NEVER_END = frozenset(_NEVER_END_WORDS.split())
_MAY_END_WORDS = """
    no nos fig vol a.m p.m etc inc ltd co corp u.s u.k d.c ph.d jan feb mar apr jun jul aug sep sept oct
    nov dec mon tue tues wed thu thur thurs fri sat sun ave blvd rd apt min max est
    """
_MAY_END = frozenset(_MAY_END_WORDS.split())
_LIST_MARK = re.compile(r"\s*(?:[-*•>]+\s+|#+\s+|\d{1,2}[.)]\s+)")
_KEYS = re.compile(r"\(pressed [0-9*#w]+\)")  # core.key_tones.told: no words
_LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
_UNSPOKEN = re.compile(r"[*`~|\[\](){}<>\"“”]|(?<!\w)_+|_+(?!\w)")
_EMOJI_STYLE = "\ufe0f"
_NUMBER_SIGN = re.compile(r"#\s*(?=\d)")


class SentenceCutter:
    """Feed pieces of text as they come; get whole sentences, cleaned for speech."""

    def __init__(self) -> None:
        self._pending = ""
        self._scanned = 0  # no sentence ends before this position of _pending
        self._after_end = False  # trailing closers of the sentence before may still come

    def feed(self, piece: str) -> list[str]:
        """The sentences that this piece has ended."""
        self._pending += piece
        return self._cut(final=False)

    def finish(self) -> list[str]:
        """The text is whole: what is left, if it holds anything to speak."""
        sentences = self._cut(final=True)
        rest = spoken(self._pending)
        self._pending, self._scanned, self._after_end = "", 0, False
        return [*sentences, rest] if rest else sentences

    def _cut(self, *, final: bool) -> list[str]:
        sentences: list[str] = []
        while True:
            self._skip_closers()
            end = self._end(final)
            if end is None:
                return sentences
            if sentence := spoken(self._pending[:end]):
                sentences.append(sentence)
            self._pending, self._scanned, self._after_end = self._pending[end:], 0, True

    def _skip_closers(self) -> None:
        if self._after_end and self._pending:
            self._pending = self._pending.lstrip(_CLOSERS)
            self._after_end = not self._pending

    def _end(self, final: bool) -> int | None:
        """Where the first sentence in the pending text ends, if that is certain."""
        gap = _gap(self._pending)
        for mark in _MARKS.finditer(self._pending, self._scanned):
            at = mark.start()
            if gap is not None and at > gap:
                return gap
            ends = _ends(self._pending, at, final)
            if ends:
                return at + 1
            if ends is None:
                self._scanned = at
                return None
        self._scanned = len(self._pending)
        return gap


def sentences_of(text: str) -> list[str]:
    """A whole text as it is spoken."""
    cutter = SentenceCutter()
    return [*cutter.feed(text), *cutter.finish()]


def parted(sentences: Sequence[str], words: str) -> tuple[list[str], list[str], str]:
    """The sentences that these words, which are their beginning, end with; those left; and what the words
    tell of the first of these."""
    left = " ".join(words.split())
    for place, sentence in enumerate(sentences):
        if not left.startswith(sentence):
            return list(sentences[:place]), list(sentences[place:]), left if sentence.startswith(left) else ""
        left = left[len(sentence) :].lstrip()
    return list(sentences), [], ""


def spoken(text: str) -> str:
    """The text without what is not spoken: markdown, brackets, emoji. "" if nothing is left."""
    text = _LIST_MARK.sub("", text, count=1) if text[:1] in "-*•>#0123456789 \n" else text
    text = _KEYS.sub("", _LINK.sub(r"\1", text))
    text = _NUMBER_SIGN.sub("number ", text)
    text = _UNSPOKEN.sub("", text).replace("_", " ")
    if not text.isascii():
        text = "".join(filter(_is_spoken, text.replace(_EMOJI_STYLE, "")))
    text = " ".join(text.split())
    return text if any(char.isalnum() for char in text) else ""


_UNSPOKEN_KINDS = frozenset({"So", "Sk", "Cs", "Cn", "Co", "Cf", "Me"})


def _is_spoken(char: str) -> bool:
    return char == "°" or unicodedata.category(char) not in _UNSPOKEN_KINDS


def _gap(text: str) -> int | None:
    """Where to cut text that goes on for too long without any mark."""
    if len(text) <= TOO_LONG:
        return None
    gap = re.compile(r"\s").search(text, TOO_LONG)
    return gap.start() if gap else None


def _ends(text: str, at: int, final: bool) -> bool | None:
    """Whether the mark at this place ends a sentence; None if what follows must be seen first."""
    mark = text[at]
    following = text[at + 1 : at + 2]
    if mark == "\n":
        return any(char.isalnum() for char in text[:at])
    if mark in ",;":
        if at < LONG_CLAUSE:
            return False
        return following.isspace() if following or final else None
    if mark in "。？！":
        return True
    word = _word_before(text, at)
    if mark in "?!":
        return not _is_address(word)
    return _dot_ends(text, at, word, final)


def _dot_ends(text: str, at: int, word: str, final: bool) -> bool | None:
    following = text[at + 1 : at + 2]
    known = word.lower()
    if not following:
        return _is_plain(word) or (False if final else None)
    if not (following.isspace() or following in _CLOSERS):
        return False
    if known in _NEVER_END or (len(word) == 1 and word.isalpha() and word not in "Ia"):
        return False
    if word.isdecimal() and len(word) <= 2 and not any(char.isalnum() for char in text[: at - len(word)]):
        return False  # "1. First": a list
    if known in _MAY_END:
        return _goes_on_with_capital(text, at + 1, final)
    return True


def _goes_on_with_capital(text: str, start: int, final: bool) -> bool | None:
    rest = text[start:].lstrip(_CLOSERS + " \t")
    if not rest:
        return False if final else None
    return not rest[0].islower() and not rest[0].isdecimal() and rest[0] not in ",;:"


def _word_before(text: str, at: int) -> str:
    start = max(text.rfind(" ", 0, at), text.rfind("\n", 0, at), text.rfind("\t", 0, at)) + 1
    return text[start:at].lstrip(_OPENERS)


def _is_plain(word: str) -> bool:
    """A word whose dot ends a sentence whatever follows: "package", not "Mr", "48213", "USA" or "p.m"."""
    known = word.lower()
    return (
        len(word) >= 2
        and word[-2:].islower()
        and word.replace("'", "").replace("’", "").replace("-", "").isalpha()
        and known not in _NEVER_END
        and known not in _MAY_END
    )


def _is_address(word: str) -> bool:
    return "://" in word or word.startswith("www.") or "@" in word
