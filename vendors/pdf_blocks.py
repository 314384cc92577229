"""PDF as blocks, by pypdf, in a process of its own: a file made to do harm costs that process, and no caller.

The sizes of letters tell headings; what stands at the edge of every page (titles, page numbers) is left out.
"""

import json
import re
import resource
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from core.knowledge.passages import BadDocument, Block

MOST_PAGES: Final = 1_000
LONGEST_S: Final = 60
_MEMORY: Final = 1_500_000_000  # bytes
_LARGER: Final = 1.12  # times the size of most letters: a heading
_HEADING_WORDS: Final = 14
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])[-\u00ad]$")
_PAGE_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    size: float


def pdf_blocks(content: bytes) -> list[Block]:
    """Headings and paragraphs with their pages. Waits for the process: not on an event loop.

    Raises:
        BadDocument: it is encrypted, holds pictures only, is broken, or takes too long.
    """
    if not content[:1_024].lstrip().startswith(b"%PDF-"):
        raise BadDocument("is no PDF file, whatever its name says")
    command = [sys.executable, "-m", "vendors.pdf_blocks"]
    try:
        ran = subprocess.run(command, input=content, capture_output=True, timeout=LONGEST_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise BadDocument(f"takes longer than {LONGEST_S} s to read: save it anew, or as HTML") from error
    if ran.returncode:
        raise BadDocument("cannot be read: it is broken, or takes too much memory. Save it anew")
    answer = json.loads(ran.stdout)
    if "fault" in answer:
        raise BadDocument(answer["fault"])
    return [Block(text, level, page) for text, level, page in answer["blocks"]]


def main() -> None:
    """The process: a PDF on standard input, JSON on standard output."""
    for what, most in ((resource.RLIMIT_AS, _MEMORY), (resource.RLIMIT_CPU, LONGEST_S)):
        with suppress(ValueError, OSError):  # a system that knows no such limit, or has a lower one already
            resource.setrlimit(what, (most, most))
    try:
        answer: dict[str, Any] = {"blocks": [(each.text, each.level, each.page) for each in _read(sys.stdin.buffer)]}
    except BadDocument as error:
        answer = {"fault": str(error)}
    sys.stdout.write(json.dumps(answer))


def _read(stream: Any) -> list[Block]:
    import logging

    import pypdf
    from pypdf.errors import DependencyError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it thinks of odd files is no concern of ours
    try:
        reader = pypdf.PdfReader(BytesIO(stream.read()))
        if reader.is_encrypted and not reader.decrypt(""):
            raise BadDocument("is encrypted: save it without a password")
        count = len(reader.pages)
        if count > MOST_PAGES:
            raise BadDocument(f"has {count} pages, at most {MOST_PAGES} are read: split it")
        pages = [_lines(page) for page in reader.pages]
    except DependencyError as error:  # the cipher needs a package that we do without
        raise BadDocument("is encrypted: save it without a password") from error
    except (PyPdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, OSError) as error:
        if isinstance(error, BadDocument):
            raise
        raise BadDocument("is broken: open it and save it anew") from error
    if not any(line.text for lines in pages for line in lines):
        raise BadDocument(f"holds pictures only, no text ({count} pages): run it through text recognition (OCR) first")
    return list(_blocks(_without_edges(pages)))


def _lines(page: Any) -> list[_Line]:
    """In their order on the page, with the size of their largest letters."""
    found: list[_Line] = []
    text, size = "", 0.0

    def take(piece: str, _: Any, matrix: Sequence[float], __: Any, font_size: float) -> None:
        nonlocal text, size
        for place, part in enumerate(piece.split("\n")):
            if place:
                found.append(_line(text, size))
                text, size = "", 0.0
            if part.strip():
                size = max(size, font_size * abs(matrix[3] or matrix[1]))
            text += part

    page.extract_text(visitor_text=take)
    found.append(_line(text, size))
    return [line for line in found if line.text]


def _line(text: str, size: float) -> _Line:
    return _Line(" ".join(unicodedata.normalize("NFKC", text).split()), round(size, 1))


def _without_edges(pages: Sequence[list[_Line]]) -> list[list[_Line]]:
    """Without the lines that begin or end most pages."""
    if len(pages) < 3:
        return list(pages)
    edges = Counter(edge for lines in pages for edge in {_PAGE_NUMBER.sub("#", line.text) for line in _ends(lines)})
    common = {edge for edge, count in edges.items() if count > len(pages) / 2}
    return [[line for line in lines if _PAGE_NUMBER.sub("#", line.text) not in common] for lines in pages]


def _ends(lines: Sequence[_Line]) -> list[_Line]:
    return [*lines[:1], *lines[-1:]]


def _blocks(pages: Sequence[Sequence[_Line]]) -> Iterator[Block]:
    sizes: Counter[float] = Counter()
    for line in (line for lines in pages for line in lines):
        sizes[line.size] += len(line.text)
    usual = sizes.most_common(1)[0][0] if sizes else 0.0
    larger = sorted((size for size in sizes if size > _LARGER * usual), reverse=True)
    levels = {size: min(level, 6) for level, size in enumerate(larger, 1)}
    for number, lines in enumerate(pages, 1):
        text = ""
        for line in lines:
            level = levels.get(line.size, 0)
            if level and len(line.text.split()) <= _HEADING_WORDS:
                yield Block(text, 0, number)
                yield Block(line.text, level, number)
                text = ""
            else:
                text = _BROKEN_WORD.sub("", text) + line.text if _BROKEN_WORD.search(text) else f"{text} {line.text}"
        yield Block(text, 0, number)


if __name__ == "__main__":
    main()
