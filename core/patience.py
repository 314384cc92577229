"""How long to go on with what fails after a call, and how long to wait between attempts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """Seconds. The pause doubles from ``first`` to ``longest``; after ``whole`` since the first attempt it is enough.

    An outage over a weekend loses nothing. Half an hour at most between attempts: three days of them are some 150,
    which a history takes, and an operator need not wait for the next one.
    """

    first: float = 2.0
    longest: float = 1_800.0
    whole: float = 259_200.0

    def pause(self, attempts: int, asked: float | None = None) -> float:
        """After so many failed attempts. ``asked``: how long the other side asked to be left alone."""
        doubled = self.first * 2.0 ** min(attempts - 1, 30)
        return max(min(doubled, self.longest), min(asked or 0.0, self.longest))

    def is_over(self, since_first: float) -> bool:
        """Whether no further attempt is to be made."""
        return since_first >= self.whole
