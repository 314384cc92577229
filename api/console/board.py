"""What changes on the board when the feed tells something."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from api.console.render import fragment
from core.ports.call_log import CallEvent, CallReader, StoredEvent

PIECE: Final = "piece"  # the name of messages that bring a piece of the page

_OF_ROWS: Final = frozenset({"call_started", "phase", "call_ended", "call_summarized"})


@dataclass(frozen=True)
class BoardChanges:
    """Draws a row where a call as a whole has changed, else only the cell that has."""

    reader: CallReader

    async def draw(self, lines: Sequence[StoredEvent]) -> AsyncIterator[tuple[str, str]]:
        """Messages, each with its event's name, that bring the board up to these lines. Raises StorageUnavailable."""
        changed = dict.fromkeys(line.event.call_id for line in lines if line.event.kind in _OF_ROWS)
        for call_id in changed:
            for row in await self._rows(call_id):
                yield PIECE, row
        cells = {}
        for line in lines:
            draw_cell = _CELLS.get(line.event.kind)
            if draw_cell is not None and line.event.call_id not in changed:
                cells[line.event.call_id, draw_cell] = draw_cell(line.event)
        for cell in cells.values():
            if cell:
                yield PIECE, cell

    async def _rows(self, call_id: str) -> list[str]:
        found = await self.reader.call(call_id)
        if found is None:
            return []
        call, _ = found
        if call.ended_ms is None:
            return [fragment("rows.html", "live_row", call)]
        return [fragment("rows.html", "gone", f"live-{call_id}"), fragment("rows.html", "finished_row", call)]


_SPEAKERS: Final = {
    "caller_turn": ("caller", "text"),
    "assistant_said": ("assistant", "heard"),
    "supervisor_said": ("supervisor", "text"),
}


def _line(event: CallEvent) -> str:
    speaker, field = _SPEAKERS[event.kind]
    text = event.data.get(field)
    return fragment("rows.html", "last_line", event.call_id, speaker, str(text)) if text else ""


def _step(event: CallEvent) -> str:
    step = event.data.get("step")
    return fragment("rows.html", "step", event.call_id, str(step)) if step else ""


def _latency(event: CallEvent) -> str:
    return fragment("rows.html", "latency", event.call_id, event.data.get("latency_ms"))


_CELLS: Final[dict[str, Callable[[CallEvent], str]]] = {
    "caller_turn": _line,
    "assistant_said": _line,
    "supervisor_said": _line,
    "step_found": _step,
    "reply_started": _latency,
}
