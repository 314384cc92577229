"""What finding a step by its meaning needs: texts as vectors."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Puts texts of like meaning near each other."""

    @property
    def name(self) -> str:
        """Which one, and which version of it: what was fitted with another cannot be used. Becomes a step's method."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text, of length 1. No I/O; one short text takes at most a few ms."""
        ...
