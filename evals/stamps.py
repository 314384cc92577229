"""The sandbox's stamps (docs/sandbox.md), by what they are about."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Stamp = Mapping[str, Any]
Said = Mapping[str, Any]  # a line that a person said, as the sandbox shows it


class Stamps:
    """All stamps of a measurement."""

    def __init__(self, stamps: Sequence[Stamp]) -> None:
        self._by: dict[tuple[str, str, str], list[Stamp]] = {}
        for stamp in stamps:
            about = stamp["data"].get("request") or stamp["data"].get("text") or ""
            self._by.setdefault((stamp["vendor"], stamp["what"], about), []).append(stamp)

    def all(self, vendor: str, what: str, about: str, since_ms: float = 0.0) -> Iterator[Stamp]:
        """Those about a text, in order."""
        for stamp in self._by.get((vendor, what, about), ()):
            if stamp["at_ms"] >= since_ms - 1:  # two processes' clocks
                yield stamp

    def first(self, vendor: str, what: str, about: str, since_ms: float = 0.0) -> Stamp | None:
        """The first about a text."""
        return next(self.all(vendor, what, about, since_ms), None)

    def end_of_turn(self, line: Said) -> Stamp | None:
        """When the recogniser ended the turn of a line, though others may say the same words at the same time."""
        ended_ms: float | None = line["speech_end_ms"]
        if ended_ms is None:
            return None
        ends = self.all("deepgram", "end_of_turn", line["text"], ended_ms)
        return min(ends, key=lambda stamp: abs(stamp["data"]["speech_end_ms"] - ended_ms), default=None)


def count(stamps: Sequence[Stamp], vendor: str, what: str, **data: object) -> int:
    """How many there are whose fields have these values."""
    return sum(
        stamp["vendor"] == vendor
        and stamp["what"] == what
        and all(stamp["data"].get(name) == value for name, value in data.items())
        for stamp in stamps
    )
