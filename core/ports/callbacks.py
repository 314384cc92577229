"""Callers who are to be called back by a person: a list that people work off."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Callback:
    """One caller to be called back. Times are ms since the epoch."""

    callback_id: str  # "<call>:<transfer>"
    call_id: str
    queue: str
    caller_number: str
    reason: str
    summary: str  # what the representative would have read
    created_ms: float
    completed_ms: float | None = None
    completed_by: str = ""
    note: str = ""


class Callbacks(Protocol):
    """The list. All raise StorageUnavailable."""

    async def callbacks(
        self, *, done: bool | None = False, before: str | None = None, limit: int = 50
    ) -> tuple[Sequence[Callback], str | None]:
        """Newest first, and the cursor of the next page. Raises ValueError for a cursor that is none of ours."""
        ...

    async def complete(self, callback_id: str, by: str, note: str, now_ms: float) -> Callback | None:
        """Somebody has called; the first who says so stays. None: there is no such callback."""
        ...
