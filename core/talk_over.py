"""How long caller and assistant were heard together: shared out among the replies of a stream."""

from core.contracts.call import ReplyKey


class TalkOver:
    """One stream's. A part's later report takes the place of the one before, so it holds that one's share too."""

    def __init__(self) -> None:
        self.played_ms = 0  # of all replies: what ``talk_over_ms`` is a share of
        self._part: tuple[int, int] | None = None
        self._part_played_ms = 0
        self._from_ms = 0.0
        self._until_ms = 0.0

    def of(self, key: ReplyKey, played_ms: int, talk_over_ms: float) -> int:
        """How much of what was counted on the stream so far (``talk_over_ms``) is this part's, which is over."""
        if (key.turn, key.part) != self._part:
            self._part, self._part_played_ms, self._from_ms = (key.turn, key.part), 0, self._until_ms
        self.played_ms += played_ms - self._part_played_ms
        self._part_played_ms, self._until_ms = played_ms, talk_over_ms
        return round(talk_over_ms - self._from_ms)
