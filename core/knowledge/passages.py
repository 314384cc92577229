"""Documents as passages: short enough to be told on the phone, each with the place it stands in."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

MOST_WORDS: Final = 80  # of a passage: the embedder reads about a hundred, headings included
MOST_PASSAGES: Final = 3_000  # of a document
LONGEST_HEADING: Final = 120

_PATH: Final = re.compile(r"(?!.*(?:^|/)\.)[\w][\w .()+,&'-]*(?:/[\w][\w .()+,&'-]*)*")
_SENTENCE_END = re.compile(r"(?<=[.!?;:])\s+|\n+")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a list item, a row of a table; or a heading of ``level`` 1 to 6."""

    text: str
    level: int = 0
    page: int = 0  # from 1; 0: the document has no pages


@dataclass(frozen=True, slots=True)
class Passage:
    """A few sentences of a document."""

    document: str  # its path
    text: str
    headings: tuple[str, ...] = ()  # the outermost first
    page: int = 0

    @property
    def place(self) -> str:
        """Where it stands, as people are told: "returns.md, Refunds", "warranty.pdf, What is covered, page 2"."""
        parts = [PurePosixPath(self.document).name, *self.headings[-1:], *([f"page {self.page}"] if self.page else ())]
        return ", ".join(parts)

    @property
    def in_context(self) -> str:
        """The text under its headings: what is searched."""
        return ". ".join([*self.headings[-2:], self.text])


class BadDocument(ValueError):
    """A document cannot be used; the message says why and what to do."""


def is_path(path: str) -> bool:
    """Whether documents may be named so: parts with slashes between, none that begins with a dot."""
    return len(path) <= 200 and _PATH.fullmatch(path) is not None


def passages_of(document: str, blocks: Iterable[Block]) -> list[Passage]:
    """Cut a document at its headings, and what is long under a heading at the ends of sentences.

    Raises:
        BadDocument: there is no text in it, or too much.
    """
    found = [
        Passage(document, text, headings, page)
        for headings, page, sentences in _sections(blocks)
        for text in _packed(sentences)
    ]
    if not found:
        raise BadDocument("holds no text")
    if len(found) > MOST_PASSAGES:
        raise BadDocument(f"has {len(found)} passages, at most {MOST_PASSAGES} are searched: split it")
    return found


def _sections(blocks: Iterable[Block]) -> Iterator[tuple[tuple[str, ...], int, Sequence[str]]]:
    """(headings, page, sentences) for each stretch of text; a page's end ends one, too."""
    path: dict[int, str] = {}
    page, sentences = 0, list[str]()
    for block in blocks:
        text = _SPACE.sub(" ", block.text).strip()
        if not text:
            continue
        if sentences and (block.level or block.page != page):
            yield tuple(path[level] for level in sorted(path)), page, sentences
            sentences = []
        page = block.page
        if block.level:
            path = {level: heading for level, heading in path.items() if level < block.level}
            path[block.level] = text[:LONGEST_HEADING]
        else:
            sentences += _sentences(text)
    if sentences:
        yield tuple(path[level] for level in sorted(path)), page, sentences


def _sentences(text: str) -> Iterator[str]:
    """Pieces of no more words than a passage may have."""
    for sentence in _SENTENCE_END.split(text):
        words = sentence.split(" ")
        for at in range(0, len(words), MOST_WORDS):
            if piece := " ".join(words[at : at + MOST_WORDS]).strip():
                yield piece


def _packed(sentences: Sequence[str]) -> Iterator[str]:
    """As many sentences together as a passage holds, evenly: a last one of three words tells nothing by itself."""
    lengths = [len(sentence.split()) for sentence in sentences]
    total = sum(lengths)
    room = -(-total // -(-total // MOST_WORDS)) if total else MOST_WORDS
    passage, words = list[str](), 0
    for sentence, length in zip(sentences, lengths, strict=True):
        if passage and (words >= room or words + length > MOST_WORDS):
            yield " ".join(passage)
            passage, words = [], 0
        passage.append(sentence)
        words += length
    if passage:
        yield " ".join(passage)
