"""Bytes as text: in the encoding they say they are in, or not at all."""

import codecs
import re
from typing import Final

from core.knowledge.passages import BadDocument

_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CHARSET: Final = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.I)


def text_of(content: bytes, *, html: bool = False) -> str:
    """Decode a text file. Raises BadDocument for one that is no text in its encoding."""
    encoding = next((name for bom, name in _BOMS if content.startswith(bom)), "")
    if not encoding and html and (said := _CHARSET.search(content[:4_096])):
        encoding = said[1].decode("ascii", "replace").lower()
    try:
        text = content.decode(encoding or "utf-8")
    except LookupError as error:
        raise BadDocument(f"says that its encoding is {encoding!r}, which is none: save it as UTF-8") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        name = (encoding or "utf-8").upper().removesuffix("-SIG")
        raise BadDocument(f"is no {name} text (line {line}): save it as UTF-8") from error
    if "\x00" in text:
        raise BadDocument("is no text file")
    return text
