"""Documents of any kind as passages."""

from pathlib import PurePosixPath
from typing import Final

from core.knowledge.html import html_blocks
from core.knowledge.markdown import markdown_blocks
from core.knowledge.passages import BadDocument, Block, Passage, passages_of
from core.knowledge.texts import text_of
from vendors.pdf_blocks import pdf_blocks

LARGEST: Final = 10_000_000  # bytes
KINDS: Final = {".md": "markdown", ".markdown": "markdown", ".txt": "markdown"} | {
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
}


def read_document(path: str, content: bytes) -> list[Passage]:
    """The passages of a document; its kind is told by the end of its name.

    Reading a PDF waits for another process: not on an event loop.

    Raises:
        BadDocument: it cannot be used; the message says why and what to do.
    """
    kind = KINDS.get(PurePosixPath(path).suffix.lower())
    if kind is None:
        raise BadDocument(f"is of no kind that can be read: {', '.join(sorted(KINDS))}")
    if len(content) > LARGEST:
        raise BadDocument(f"has {len(content) / 1e6:.0f} MB, at most {LARGEST / 1e6:.0f} are read: split it")
    if not content.strip():
        raise BadDocument("is empty")
    return passages_of(path, _blocks(kind, content))


def _blocks(kind: str, content: bytes) -> list[Block]:
    if kind == "pdf":
        return pdf_blocks(content)
    if kind == "html":
        return html_blocks(text_of(content, html=True))
    return markdown_blocks(text_of(content))
