"""HTML as blocks: what a reader of the page sees, without its scripts, menus and hidden parts."""

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Final

from core.knowledge.passages import Block

_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_UNSEEN: Final = frozenset(
    """
    script style template noscript svg math iframe object canvas audio video nav footer form button select head
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
_VOID: Final = frozenset("area base br col embed hr img input link meta source track wbr".split())  # noqa: SIM905 - as above
_BLOCKS: Final = frozenset(
    """
    address article aside blockquote body br caption dd details div dl dt fieldset figcaption figure header hr
    li main ol p pre section summary table tbody tfoot thead tr ul
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
_HIDING: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])|opacity\s*:\s*0(?![.\d]*[1-9])"
)


def html_blocks(text: str) -> list[Block]:
    """Headings, paragraphs, list items and table rows. Broken markup is read as far as it goes."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    reader.end_block()
    return reader.blocks


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self._text: list[str] = []
        self._level = 0
        self._hidden: list[str] = []  # open elements, from the outermost that is not shown on
        self._head: list[str] = []  # cells of the table's first row of headings
        self._cells: list[str] | None = None  # of the row we are in
        self._headed = False  # all its cells are headings

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        if self._hidden or (tag not in _VOID and (tag in _UNSEEN or _is_hidden(attrs))):
            if tag == "body" and self._hidden == ["head"]:  # a head that was never closed
                self._hidden = []
            elif tag not in _VOID:
                self._hidden.append(tag)
            return
        if tag in ("td", "th"):
            self._end_cell()
            self._headed = self._headed and tag == "th"
        elif tag in _BLOCKS or tag in _HEADINGS:
            self.end_block()
            self._level = _HEADINGS.get(tag, 0)
        if tag == "table":
            self._head = []
        if tag == "tr":
            self._cells, self._headed = [], True

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element without content: <br/>."""
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        if self._hidden:
            if tag in self._hidden:
                while self._hidden.pop() != tag:
                    pass
            return
        if tag in ("td", "th"):
            self._end_cell()
        elif tag == "tr":
            self._end_row()
        elif tag in _BLOCKS or tag in _HEADINGS:
            self.end_block()

    def handle_data(self, data: str) -> None:
        """Text."""
        if not self._hidden:
            self._text.append(data)

    def end_block(self) -> None:
        """What was read so far is a block; within a row it stays part of its cell."""
        if self._cells is not None:
            self._text.append(" ")
            return
        if text := " ".join("".join(self._text).split()):
            self.blocks.append(Block(text, self._level))
        self._text, self._level = [], 0

    def _end_cell(self) -> None:
        text = " ".join("".join(self._text).split())
        self._text = []
        if self._cells is not None and text:
            self._cells.append(text)

    def _end_row(self) -> None:
        self._end_cell()
        cells, self._cells = self._cells or [], None
        if self._headed and cells and not self._head:
            self._head = cells
        elif cells:
            self.blocks.append(Block(_told_row(self._head, cells)))


def _told_row(head: list[str], cells: list[str]) -> str:
    named = len(head) == len(cells)
    return "; ".join(f"{head[place]}: {cell}" if named else cell for place, cell in enumerate(cells)) + "."


def _is_hidden(attrs: Iterable[tuple[str, str | None]]) -> bool:
    known = dict(attrs)
    style = (known.get("style") or "").lower()
    return "hidden" in known or known.get("aria-hidden") == "true" or _HIDING.search(style) is not None
