"""What changes on a call's page when the feed tells something."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from api.calls import Looking
from api.console.board import PIECE
from api.console.render import fragment
from core.conversation import ToolCall
from core.ports.call_log import CallEvent, CallRow, StoredEvent

STATE: Final = "state"  # the name of the message that says: ask again what the assistant believes

_WHOLE: Final = frozenset({"call_ended", "call_summarized", "crm_synced"})


class CallChanges:
    """Draws the turns that lines are about, and what else looks different than before.

    Args:
        seen: the last line that the page was made with; older ones are read for what the record does not tell.
    """

    def __init__(self, looking: Looking, call_id: str, *, seen: int) -> None:
        self._looking = looking
        self._call_id = call_id
        self._seen = seen
        self._running: dict[int, list[ToolCall]] = defaultdict(list)  # by turn
        self._drawn: dict[str, str] = {}

    async def draw(self, lines: Sequence[StoredEvent]) -> AsyncIterator[tuple[str, str]]:
        """Messages, each with its event's name. Raises StorageUnavailable."""
        for line in lines:
            self._note_tools(line.event)
            if line.event.kind == "problem":
                yield PIECE, fragment("call_parts.html", "problem", line.id, line.event)
        new = [line.event for line in lines if line.id > self._seen]
        row, turns = await self._looking.on_record(self._call_id)
        changed = {event.data.get("turn") for event in new} | {turn for turn, tools in self._running.items() if tools}
        whole = any(event.kind in _WHOLE for event in new)
        for turn in turns:
            if whole or turn.turn in changed:
                running = self._running.get(turn.turn, ())
                yield PIECE, fragment("turn.html", "turn_item", turn, row.ended_ms is None, running, row.taken_over)
        for piece in self._others(row):
            yield PIECE, piece
        if any(event.kind == "call_ended" for event in new):
            yield PIECE, fragment("call_parts.html", "after", row)
        if row.ended_ms is None:
            yield STATE, "changed"  # without data a browser drops the message

    def _note_tools(self, event: CallEvent) -> None:
        data = event.data
        if event.kind == "tool_called":
            self._running[data["turn"]].append(ToolCall("", str(data.get("name")), _arguments(data)))
        elif event.kind == "tool_returned":
            of_turn = self._running[data["turn"]]
            of_turn[:] = [call for call in of_turn if call.name != data.get("name")]
        elif event.kind == "call_ended":
            self._running.clear()

    def _others(self, row: CallRow) -> list[str]:
        names = ["head", "summary", "transfers"] + ([] if row.ended_ms is None else ["no_state", "no_actions"])
        drawn = {name: fragment("call_parts.html", name, row) for name in names}
        changed = [html for name, html in drawn.items() if self._drawn.get(name) != html]
        self._drawn |= drawn
        return changed


def _arguments(data: Any) -> dict[str, Any]:
    arguments = data.get("arguments")
    return dict(arguments) if isinstance(arguments, dict) else {}
