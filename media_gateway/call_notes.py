"""What the gateway writes into a call's live feed."""

from collections.abc import Callable
from typing import Any

from core.playback import Played
from core.ports.call_log import CallEvent, CallFeed
from core.turns import TurnEnded


class CallNotes:
    """The feed lines of one stream; the kinds are those of core.ports.call_log.CallEvent."""

    def __init__(self, feed: CallFeed, call_id: str, clock: Callable[[], float]) -> None:
        self._feed = feed
        self._call_id = call_id
        self._clock = clock

    def caller_turn(self, turn: int, ended: TurnEnded) -> None:
        """The caller has said something."""
        self._note("caller_turn", turn=turn, text=ended.text, confidence=ended.confidence)

    def turn_withdrawn(self, turn: int) -> None:
        """The caller goes on after what had probably been a turn."""
        self._note("turn_withdrawn", turn=turn)

    def reply_started(self, turn: int, layers: dict[str, float], latency_ms: float) -> None:
        """The caller hears the first of the answer."""
        self._note("reply_started", turn=turn, layers=layers, latency_ms=latency_ms)

    def assistant_said(self, played: Played, talk_over_ms: int) -> None:
        """What the caller has heard of a reply."""
        self._note(
            "assistant_said",
            turn=played.key.turn,
            part=played.key.part,
            heard=played.heard,
            complete=played.complete,
            interrupted=played.interrupted,
            played_ms=played.played_ms,
            talk_over_ms=talk_over_ms,
        )

    def supervisor_said(self, turn: int, text: str) -> None:
        """A supervisor has spoken to the caller, after their turn of that number."""
        self._note("supervisor_said", turn=turn, text=text)

    def problem(self, what: str) -> None:
        """Something an operator should know; no personal data."""
        self._note("problem", what=what)

    def _note(self, kind: str, **data: Any) -> None:
        self._feed.note(CallEvent(self._call_id, kind, self._clock(), data))
