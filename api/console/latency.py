"""A turn's latency as a picture: one bar, cut by layer. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from api.console.words import LAYER_NAMES, milliseconds
from core.timings import LAYERS

FULL_MS: Final = 2_500.0  # what a whole bar's width stands for, so that turns can be compared by eye


@dataclass(frozen=True)
class Piece:
    """One layer's share of a bar; ``x`` and ``width`` in percent of the whole bar."""

    layer: str
    ms: float
    x: float
    width: float


@dataclass(frozen=True)
class Bar:
    """A turn's latency. A longer one than FULL_MS fills the bar."""

    total_ms: float
    pieces: tuple[Piece, ...]

    @property
    def words(self) -> str:
        """The same for those who cannot see it."""
        parts = ", ".join(f"{LAYER_NAMES[piece.layer]} {milliseconds(piece.ms)}" for piece in self.pieces)
        return f"{milliseconds(self.total_ms)}: {parts}"


def bar(layers: Mapping[str, float]) -> Bar | None:
    """The bar of a turn, None for one without timings. A clock's small step back counts as nothing."""
    if not layers:
        return None
    shares = [(layer, max(0.0, float(layers.get(layer) or 0.0))) for layer in LAYERS]
    scale = 100 / max(FULL_MS, sum(ms for _, ms in shares))
    pieces, x = [], 0.0
    for layer, ms in shares:
        if ms > 0:
            pieces.append(Piece(layer, ms, round(x, 2), round(ms * scale, 2)))
            x += ms * scale
    return Bar(sum(float(ms or 0.0) for ms in layers.values()), tuple(pieces))
