"""What a tool may do to the world, and what follows from it. Pure: no I/O, no clock."""

from enum import StrEnum
from typing import Final


class Effect(StrEnum):
    """What a tool call changes, the mildest first."""

    READ = "read"
    WRITE = "write"  # can be changed back
    IRREVERSIBLE = "irreversible"  # cannot: never tried again unless the system itself does nothing twice

    def at_least(self, other: "Effect") -> "Effect":
        """The graver of the two."""
        return max(self, other, key=_GRAVITY.index)


_GRAVITY: Final = (Effect.READ, Effect.WRITE, Effect.IRREVERSIBLE)
