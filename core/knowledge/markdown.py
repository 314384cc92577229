"""Markdown, and plain text, as blocks."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from core.knowledge.passages import Block

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_ITEM = re.compile(r"\A\s*(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?")
_ROW = re.compile(r"\s*\|.*\|\s*$")
_RULE = re.compile(r"\s*\|?[\s:|-]*-[\s:|-]*\|?\s*$")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)|\[([^\[\]]+)\]\[[^\[\]]*\]|<(https?://[^<>\s]+)>")
_DEFINITION = re.compile(r" {0,3}\[[^\[\]]+\]:[ \t]+\S+")
_MARKS = re.compile(r"(\*\*|__|~~|`+)(?=\S)(.+?)(?<=\S)\1")
_LONGEST_MARKED_UP = 20_000  # what is longer was written by no person
_STRESS = re.compile(r"(?<![\w*])([*_])(?=\S)([^*_]+?)(?<=\S)\1(?![\w*])")


def markdown_blocks(text: str) -> list[Block]:
    """Headings (# and underlined), paragraphs, list items and table rows; without front matter, comments, markup."""
    lines = _COMMENT.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    return list(_blocks(_without_front_matter(lines)))


def _without_front_matter(lines: Sequence[str]) -> Sequence[str]:
    if lines and lines[0].rstrip() == "---":
        for number, line in enumerate(lines[1:], 1):
            if line.rstrip() in ("---", "..."):
                return lines[number + 1 :]
    return lines


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    paragraph = list[str]()
    head: list[str] | None = None  # of the table we are in
    fence = ""
    for line in [*lines, ""]:
        bare = line.lstrip("> \t") if line.lstrip().startswith(">") else line
        opens = _FENCE.match(bare)
        row = not fence and _ROW.match(bare) is not None
        if fence or opens:
            fence = "" if opens and opens[1] == fence else fence or (opens[1] if opens else "")
            paragraph += [] if opens else [bare]
            continue
        if row and head is not None:
            yield from [] if _RULE.match(bare) else [Block(_told_row(head, _cells(bare)))]
            continue
        if paragraph and (level := _underlined(bare)) and not _RULE.match(paragraph[-1]):
            *before, title = paragraph
            yield from _paragraph(before)
            yield Block(_plain(title), level)
            paragraph = []
            continue
        heading = _HEADING.match(bare)
        if row or heading or not bare.strip() or _ITEM.match(bare) or _DEFINITION.match(bare):
            yield from _paragraph(paragraph)
            paragraph = []
        head = _cells(bare) if row else None
        if heading:
            yield Block(_plain(heading[2]), len(heading[1]))
        elif bare.strip() and not row and not _DEFINITION.match(bare):
            paragraph.append(_ITEM.sub("", bare, count=1))
    yield from _paragraph(paragraph)


def _underlined(line: str) -> int:
    found = _UNDERLINE.match(line)
    return 0 if found is None else 1 if found[1][0] == "=" else 2


def _paragraph(lines: Sequence[str]) -> Iterator[Block]:
    if text := _plain(" ".join(line.strip() for line in lines)):
        yield Block(text)


def _cells(row: str) -> list[str]:
    return [_plain(cell) for cell in row.strip().strip("|").split("|")]


def _told_row(head: Sequence[str], cells: Sequence[str]) -> str:
    """A row as it can be understood without its table."""
    told = (f"{name}: {cell}" if name else cell for name, cell in zip_longest(head, cells, fillvalue="") if cell)
    return "; ".join(told) + "."


def _plain(text: str) -> str:
    if len(text) > _LONGEST_MARKED_UP:
        return text.strip()
    text = _LINK.sub(lambda found: found[1] or found[2] or found[3] or "", text)
    text = _TAG.sub(" ", text)
    text = _MARKS.sub(r"\2", text)
    return _STRESS.sub(r"\2", text).strip()
