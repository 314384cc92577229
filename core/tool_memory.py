"""What a call remembers of its tools: what waits for the caller's yes, answers to tell again, writes to undo."""

import json
from dataclasses import dataclass, field

from core.contracts.tools import RunTool, ToolOutcome
from core.conversation import ToolCall, ToolResult


@dataclass(frozen=True)
class Pending:
    """A tool call that waits for the caller's yes."""

    call: ToolCall
    step: str
    turn: int  # in which the model asked for it
    ask: str  # the line that reads it back
    again: bool = False  # it was read back twice: the caller had not heard it


@dataclass(frozen=True)
class KeptAnswer:
    """A read's answer."""

    asked: str  # step, tool and arguments
    content: str
    until_ms: float


@dataclass(frozen=True)
class Done:
    """A write that can be undone. ``request``: the turn in which the caller asked for it."""

    request: int
    turn: int
    run: RunTool
    answer: str


@dataclass
class ToolMemory:
    """Part of the workflow's state: a worker that takes the call over knows all of it."""

    pending: Pending | None = None
    kept: list[KeptAnswer] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    wrong: tuple[int, str] = (0, "")  # turn and tool of the last arguments that failed the schema
    failed: int | None = None  # the request a write of which has just failed
    numbered: tuple[int, int] = (0, 0)  # turn, and the ordinal of its last tool call

    def number(self, turn: int, results: int) -> int:
        """The ordinal of a turn's next tool call, which has had so many results."""
        last = self.numbered[1] if self.numbered[0] == turn else 0
        self.numbered = (turn, max(last, results) + 1)
        return self.numbered[1]

    def take_pending(self) -> Pending | None:
        """What waits for the caller's yes; it waits for one turn only."""
        pending, self.pending = self.pending, None
        return pending

    def recall(self, step: str, call: ToolCall, now_ms: float) -> ToolResult | None:
        """The answer this call had before, if it may still be told."""
        asked = _asked(step, call)
        found = next((kept for kept in self.kept if kept.asked == asked and kept.until_ms > now_ms), None)
        return ToolResult(call, True, found.content) if found else None

    def remember(self, run: RunTool, outcome: ToolOutcome, request: int, now_ms: float) -> None:
        """What came of a tool call. Whatever may have changed something makes all earlier reads old."""
        self.wrong = (run.turn, run.call.name) if outcome.wrong else (0, "")
        if outcome.writes and outcome.tried:
            self.kept.clear()
            self.failed = self.failed if outcome.ok else request
        elif outcome.ok and outcome.keep_s:
            asked = _asked(run.step, run.call)
            self.kept = [kept for kept in self.kept if kept.asked != asked and kept.until_ms > now_ms]
            self.kept.append(KeptAnswer(asked, outcome.content, now_ms + outcome.keep_s * 1_000))
        if outcome.ok and outcome.undoable:
            self.done.append(Done(request, run.turn, run, outcome.content))

    def take_undoable(self, request: int) -> list[Done]:
        """What a request has changed and can be undone, the last first. It is undone once."""
        taken = [done for done in self.done if done.request == request]
        self.done = [done for done in self.done if done.request != request]
        return taken[::-1]

    def last_request(self, turn: int) -> int | None:
        """The request whose writes the caller can take back in this turn: it ran in this one or in the one before."""
        recent = [done.request for done in self.done if done.turn in (turn, turn - 1)]
        return recent[-1] if recent else None


def _asked(step: str, call: ToolCall) -> str:
    return json.dumps([step, call.name, call.arguments], sort_keys=True, ensure_ascii=False)
