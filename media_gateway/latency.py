"""Where each turn's time went, put together where both ends are seen."""

from core.contracts.call import ReplyKey, ReplyTimings, TurnTimings
from core.timings import turn_layers


class TurnLatency:
    """Remembers the stamps of the newest turn until the assistant's first audio answers it."""

    def __init__(self) -> None:
        self._turn = 0
        self._timings: TurnTimings | None = None
        self._spoken: tuple[int, int] | None = None
        self._layers: dict[str, float] = {}

    def turn_ended(self, turn: int, timings: TurnTimings) -> None:
        """The caller's turn has gone to the workflow."""
        self._turn, self._timings = turn, timings

    def first_audio(
        self, key: ReplyKey, reply: ReplyTimings | None, arrived_ms: float | None, now_ms: float
    ) -> tuple[dict[str, float], float]:
        """Audio goes to the carrier: the layers and the whole latency in ms if it is the turn's first; else empty."""
        if self._timings is None or key.turn != self._turn or reply is None or arrived_ms is None:
            return {}, 0.0
        turn, self._timings = self._timings, None
        self._spoken = (key.turn, key.part)
        self._layers = turn_layers(turn, reply, arrived_ms, now_ms)
        return self._layers, now_ms - turn.speech_ended_ms

    def layers_of(self, key: ReplyKey) -> dict[str, float]:
        """For the report of the part that spoke first in its turn."""
        return self._layers if self._spoken == (key.turn, key.part) else {}
