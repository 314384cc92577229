"""A call's live feed as lines on a terminal."""

from collections.abc import Callable, Mapping
from typing import Any

from rich.markup import escape

from core.conversation import CANNED
from core.timings import LAYERS

Data = Mapping[str, Any]

_FOUND = ("step_found", "mood")


class Transcript:
    """Lines of one call's feed, in the order in which people read a call.

    Step and mood are found before their turn is known to have ended, where an answer is made ahead: they wait for it.
    """

    def __init__(self) -> None:
        self._heard: set[int] = set()
        self._ahead: dict[int, dict[str, str]] = {}  # turn -> kind -> its line

    def add(self, kind: str, data: Data) -> list[str]:
        """What can be shown now that this line has come."""
        words, turn = in_words(kind, data), data.get("turn")
        lines = [] if words is None else [words]
        if not isinstance(turn, int):
            return lines
        if kind in _FOUND and turn not in self._heard:
            self._ahead.setdefault(turn, {})[kind] = lines[0]
            return []
        if kind == "turn_withdrawn":
            self._ahead.pop(turn, None)
        if kind == "caller_turn":
            self._heard.add(turn)
            lines += self._ahead.pop(turn, {}).values()
        return lines


def in_words(kind: str, data: Data) -> str | None:
    """One line of the feed (core.ports.call_log.CallEvent) with rich's markup; None for what need not be shown."""
    words = _WORDS.get(kind)
    return words(data) if words else None


def _line(style: str, label: str, words: str) -> str:
    return f"[{style}]{label:<10}[/{style}] {escape(words)}"


def _started(data: Data) -> str:
    way = "->" if data.get("direction") == "inbound" else "<-"
    words = f"{data.get('caller_number')} {way} {data.get('our_number')}, playbook {data.get('playbook')}"
    return _line("bold", "call", words)


def _phase(data: Data) -> str:
    return _line("dim", "phase", str(data.get("phase")))


def _caller(data: Data) -> str:
    return _line("cyan", "caller", str(data.get("text")))


def _step(data: Data) -> str:
    how = f"{data.get('method')}, {_share(data.get('confidence'))}, {_ms(data.get('took_ms'))}"
    canned = ", canned answer" if data.get("answer") == CANNED else ""
    later = "".join(f", then {step}" for step in data.get("matters", ()))
    choices = data.get("choices")
    asked = f", asked: {' or '.join(choices)}?" if choices else ""
    return _line("dim", "  step", f"{data.get('step')} ({how}){canned}{later}{asked}")


def _mood(data: Data) -> str:
    return _line("dim", "  mood", str(data.get("mood")))


def _tool_called(data: Data) -> str:
    arguments = data.get("arguments")
    said = ", ".join(f"{name}={value!r}" for name, value in arguments.items()) if isinstance(arguments, dict) else ""
    return _line("yellow", "  tool", f"{data.get('name')}({said})")


def _tool_returned(data: Data) -> str:
    how = "gave" if data.get("ok") else "failed:"
    return _line("yellow", "  tool", f"{how} {data.get('content')} ({_ms(data.get('took_ms'))})")


def _reply(data: Data) -> str:
    layers = data.get("layers")
    parts = [f"{name} {layers[name]:.0f}" for name in LAYERS if layers.get(name)] if isinstance(layers, dict) else []
    return _line("dim", "  latency", f"{_ms(data.get('latency_ms'))} = {' + '.join(parts)}")


def _assistant(data: Data) -> str | None:
    if not data.get("heard") and not data.get("interrupted"):
        return None  # only tools were called
    if not data.get("heard"):
        return _line("green", "assistant", "(interrupted before a word was heard)")
    return _line("green", "assistant", f"{data.get('heard')}{' -- (interrupted)' if data.get('interrupted') else ''}")


def _supervisor(data: Data) -> str:
    return _line("magenta", "supervisor", str(data.get("text")))


def _ended(data: Data) -> str:
    return _line("bold", "ended", str(data.get("disposition")))


def _summary(data: Data) -> str:
    solved = "resolved" if data.get("resolved") else "not resolved"
    return _line("bold", "summary", f"{data.get('summary')} ({data.get('topic')}, {solved})")


def _synced(data: Data) -> str:
    return _line("dim", "crm", f"note {data.get('note_id')}")


def _problem(data: Data) -> str:
    return _line("red", "problem", str(data.get("what")))


_WORDS: dict[str, Callable[[Data], str | None]] = {
    "call_started": _started,
    "phase": _phase,
    "caller_turn": _caller,
    "step_found": _step,
    "mood": _mood,
    "tool_called": _tool_called,
    "tool_returned": _tool_returned,
    "reply_started": _reply,
    "assistant_said": _assistant,
    "supervisor_said": _supervisor,
    "call_ended": _ended,
    "call_summarized": _summary,
    "crm_synced": _synced,
    "problem": _problem,
}


def _ms(value: object) -> str:
    return f"{value:.0f} ms" if isinstance(value, int | float) else "? ms"


def _share(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, int | float) else "?"
