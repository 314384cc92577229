"""A list of contacts as it comes, in pieces of any size, cut into its records: CSV, JSON lines or a JSON array.

What is held of a list is one record at most, so that a list of any length needs the same memory. A record that cannot
be read is a fault with its line; the next one is read as if nothing had been.
"""

import codecs
import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

MOST_CHARS: Final = 100_000  # of one record
MOST_LINES: Final = 50  # of one record, whose quotes hold line ends
DELIMITERS: Final = (",", ";", "\t", "|")
UNDECODABLE: Final = "\ufffd"  # what a decoder puts where it could not read
_STRUCTURE: Final = re.compile(r'\\.|["{}\[\],]', re.DOTALL)


class FaultKind(StrEnum):
    """What is wrong with one record of a list."""

    TOO_LONG = "too_long"
    ENCODING = "encoding"
    BAD_QUOTES = "bad_quotes"
    COLUMNS = "columns"  # more or fewer than the header
    BAD_JSON = "bad_json"
    CUT = "cut"  # the list ends within it
    NO_NUMBER = "no_number"
    BAD_NUMBER = "bad_number"
    UNKNOWN_ZONE = "unknown_zone"
    BAD_CONSENT = "bad_consent"
    BAD_VALUE = "bad_value"
    DUPLICATE = "duplicate"  # the number is in the campaign already, perhaps spelt otherwise


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record is no contact."""

    line: int  # where it begins, from 1; in a JSON array: which entry
    kind: FaultKind
    detail: str


@dataclass(frozen=True, slots=True)
class Record:
    """One record, not looked at yet."""

    line: int  # as a fault's
    fields: dict[str, str]  # by column, blanks around them taken off


class BadList(ValueError):
    """Nothing of the list can be used: its header or its whole is wrong."""


class ListReader:
    """Reads one list. Feed what has come; ``close`` at its end, unless it was cut on the way.

    Args:
        encoding: a list that begins with a mark of UTF-8 or UTF-16 is read as that.

    Raises:
        BadList: also of ``feed`` and ``close``.
    """

    def __init__(self, encoding: str = "utf-8") -> None:
        self._decoder: codecs.IncrementalDecoder | None = None
        self._encoding = encoding
        self._head = b""
        self._cutter: _Cutter | None = None
        self._start = ""

    def feed(self, data: bytes) -> Iterator[Record | Fault]:
        """The records that are whole now."""
        yield from self._cut(self._decode(data, final=False))

    def close(self) -> Iterator[Record | Fault]:
        """The last one."""
        yield from self._cut(self._decode(b"", final=True))
        if self._cutter is None:
            if not self._start.strip():
                raise BadList("holds nothing")
            self._cutter = _cutter_for(self._start)
            yield from self._cutter.feed(self._start)
        yield from self._cutter.close()

    def _decode(self, data: bytes, *, final: bool) -> str:
        if self._decoder is None:
            self._head += data
            if len(self._head) < 3 and not final:
                return ""
            try:
                self._decoder = codecs.getincrementaldecoder(_encoding_of(self._head, self._encoding))("replace")
            except LookupError as error:
                raise BadList(f"no encoding is called {self._encoding!r}") from error
            data, self._head = self._head, b""
        return self._decoder.decode(data, final)

    def _cut(self, text: str) -> Iterator[Record | Fault]:
        if self._cutter is None:
            self._start += text
            if not self._start.strip():
                self._start = self._start[-MOST_CHARS:]
                return
            self._cutter, text = _cutter_for(self._start), self._start
            self._start = ""
        yield from self._cutter.feed(text)


class _Cutter(Protocol):
    def feed(self, text: str) -> Iterator[Record | Fault]: ...

    def close(self) -> Iterator[Record | Fault]: ...


class _Lines:
    """Cuts text into lines; one that is too long is skipped and is a fault."""

    def __init__(self) -> None:
        self._begun = ""
        self._skips = False
        self._line = 0

    def feed(self, text: str) -> Iterator[tuple[int, str] | Fault]:
        first, *others = text.split("\n")
        self._begun = "" if self._skips else self._begun + first
        for following in others:
            self._line += 1
            if len(self._begun) > MOST_CHARS:
                yield self._too_long(self._line)
            elif not self._skips:
                yield self._line, self._begun.removesuffix("\r")
            self._skips, self._begun = False, following
        if len(self._begun) > MOST_CHARS:
            self._skips, self._begun = True, ""
            yield self._too_long(self._line + 1)

    def close(self) -> Iterator[tuple[int, str] | Fault]:
        if self._begun:
            yield self._line + 1, self._begun.removesuffix("\r")

    def _too_long(self, line: int) -> Fault:
        return Fault(line, FaultKind.TOO_LONG, f"has more than {MOST_CHARS} characters")


class _JsonLines:
    def __init__(self) -> None:
        self._lines = _Lines()

    def feed(self, text: str) -> Iterator[Record | Fault]:
        yield from self._records(self._lines.feed(text))

    def close(self) -> Iterator[Record | Fault]:
        yield from self._records(self._lines.close())

    def _records(self, lines: Iterator[tuple[int, str] | Fault]) -> Iterator[Record | Fault]:
        for found in lines:
            if isinstance(found, Fault):
                yield found
            elif found[1].strip():
                yield _json_record(*found)


class _JsonArray:
    """Cuts an array into its entries by counting brackets outside of strings."""

    def __init__(self) -> None:
        self._entry = 0
        self._begun = ""
        self._tail = ""  # a backslash whose second half has not come
        self._depth = 0
        self._quoted = False
        self._too_long = False
        self._ended = False

    def feed(self, text: str) -> Iterator[Record | Fault]:
        text, self._tail = self._tail + text, ""
        if text.endswith("\\") and (len(text) - len(text.rstrip("\\"))) % 2:
            text, self._tail = text[:-1], "\\"
        start = 0
        for token in _STRUCTURE.finditer(text):
            mark = token.group()
            if mark == '"':
                self._quoted = not self._quoted
            elif self._quoted or mark[0] == "\\":
                continue
            elif mark in "[{":
                self._depth += 1
                if self._depth == 1:
                    start = token.end()  # the array itself begins
            elif mark == "," and self._depth == 1:
                self._keep(text[start : token.start()])
                start = token.end()
                yield from self._finish()
            elif mark in "]}":
                self._depth -= 1
                if self._depth == 0:
                    self._keep(text[start : token.start()])
                    start = len(text)
                    yield from self._finish()
                    self._ended = True
                    return
        if not self._ended:
            self._keep(text[start:])

    def close(self) -> Iterator[Record | Fault]:
        if not self._ended:
            yield Fault(self._entry + 1, FaultKind.CUT, "the list ends before its closing bracket")

    def _keep(self, text: str) -> None:
        if self._ended or self._too_long:
            return
        self._begun += text
        if len(self._begun) > MOST_CHARS:
            self._too_long, self._begun = True, ""

    def _finish(self) -> Iterator[Record | Fault]:
        if self._ended:
            return
        self._entry += 1
        if self._too_long:
            yield Fault(self._entry, FaultKind.TOO_LONG, f"has more than {MOST_CHARS} characters")
        elif self._begun.strip():
            yield _json_record(self._entry, self._begun)
        self._begun, self._too_long = "", False


class _Csv:
    def __init__(self) -> None:
        self._lines = _Lines()
        self._delimiter = ""
        self._header: list[str] | None = None
        self._open: list[tuple[int, str]] = []  # lines of a record whose quotes are not closed yet

    def feed(self, text: str) -> Iterator[Record | Fault]:
        for found in self._lines.feed(text):
            yield from self._take(found)

    def close(self) -> Iterator[Record | Fault]:
        for found in self._lines.close():
            yield from self._take(found)
        while self._open:
            yield from self._give_up(FaultKind.CUT, "the list ends within quotes that begin here")
        if self._header is None:
            raise BadList("has no header")

    def _take(self, found: tuple[int, str] | Fault) -> Iterator[Record | Fault]:
        if isinstance(found, Fault):
            while self._open:
                yield from self._give_up(FaultKind.BAD_QUOTES, "its quotes are not closed")
            if self._header is None:
                raise BadList(f"the header {found.detail}")
            yield found
            return
        if self._open and '"' not in found[1]:
            self._open.append(found)
        else:
            fields = self._fields([*self._open, found])
            if fields is not None:
                line = self._open[0][0] if self._open else found[0]
                self._open = []
                yield from self._record(line, fields)
                return
            self._open.append(found)
            if self._fields([*self._open, (0, '"')]) is None:  # no further line makes it right
                yield from self._give_up(FaultKind.BAD_QUOTES, "its quotes are not as CSV has them")
                return
        if len(self._open) > MOST_LINES or sum(len(line) for _, line in self._open) > MOST_CHARS:
            yield from self._give_up(FaultKind.BAD_QUOTES, "its quotes are not closed")

    def _give_up(self, kind: FaultKind, detail: str) -> Iterator[Record | Fault]:
        """The quotes were a slip: the lines after the first are records of their own."""
        (line, _), *others = self._open
        self._open = []
        if self._header is None:
            raise BadList("the header's quotes are not closed")
        yield Fault(line, kind, detail)
        for other in others:
            yield from self._take(other)

    def _fields(self, lines: Sequence[tuple[int, str]]) -> list[str] | None:
        """None: its quotes are not closed, or not as CSV has them."""
        text = "\n".join(line for _, line in lines)
        if not self._delimiter:
            if text.startswith("sep=") and len(text) == 5:  # how spreadsheets tell each other
                self._delimiter = text[-1]
                return []
            self._delimiter = _delimiter_of(text)
        try:
            return next(csv.reader([text], delimiter=self._delimiter, strict=True), [])
        except csv.Error:
            return None

    def _record(self, line: int, fields: list[str]) -> Iterator[Record | Fault]:
        fields = [field.strip() for field in fields]
        if not any(fields):
            return
        if self._header is None:
            self._header = _checked_header(fields)
            return
        more = len(fields) - len(self._header)
        if more < 0 or any(fields[len(self._header) :]):
            yield Fault(line, FaultKind.COLUMNS, f"has {len(fields)} columns, the header {len(self._header)}")
        elif _undecodable(fields):
            yield Fault(line, FaultKind.ENCODING, "holds characters of another encoding")
        else:
            yield Record(line, {name: field for name, field in zip(self._header, fields, strict=False) if name})


def _cutter_for(start: str) -> _Cutter:
    match start.lstrip()[0]:
        case "[":
            return _JsonArray()
        case "{":
            return _JsonLines()
    return _Csv()


def _encoding_of(head: bytes, otherwise: str) -> str:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    return "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else otherwise


def _delimiter_of(header: str) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    return max(DELIMITERS, key=bare.count)  # none of them: one column


def _checked_header(fields: list[str]) -> list[str]:
    if _undecodable(fields):
        raise BadList("the header holds characters of another encoding")
    named = [field for field in fields if field]
    twice = {field for field in named if named.count(field) > 1}
    if twice:
        raise BadList(f"the header has columns of the same name: {', '.join(sorted(twice))}")
    return fields


def _undecodable(fields: Sequence[str]) -> bool:
    return any(UNDECODABLE in field for field in fields)


def _json_record(line: int, text: str) -> Record | Fault:
    try:
        told = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except RecursionError:
        return Fault(line, FaultKind.BAD_JSON, "is nested too deeply")
    except json.JSONDecodeError as error:
        return Fault(line, FaultKind.BAD_JSON, f"is no JSON: {error.msg}, at character {error.pos}")
    if not isinstance(told, dict):
        return Fault(line, FaultKind.BAD_JSON, "is no object")
    fields = {name.strip(): _text_of(value).strip() for name, value in told.items()}
    if _undecodable([*fields, *fields.values()]):
        return Fault(line, FaultKind.ENCODING, "holds characters of another encoding")
    return Record(line, fields)


def _text_of(value: Any) -> str:
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)
