"""How a live call looks, put together from its lines of the feed. Pure.

Only the few lines that change a call as a whole are written to its row; turns are put together when somebody looks,
so that a line costs a live call no more than its insert.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from core.contracts.call import Phase
from core.conversation import ToolCall, ToolResult, TurnRecord
from core.ports.call_log import CallEvent
from storage.models import Call

OF_CALLS: Final = frozenset({"call_started", "phase", "call_ended"})
OF_TURNS: Final = frozenset(
    {
        "caller_turn",
        "turn_withdrawn",
        "step_found",
        "mood",
        "told_from",
        "reply_started",
        "assistant_said",
        "supervisor_said",
        "tool_called",
        "tool_returned",
    }
)

_ANSWERED = {Phase.CONNECTING.value, Phase.LIVE.value, Phase.TRANSFERRING.value}


def apply_to_call(call: Call, event: CallEvent) -> None:
    """Change the row as the line says; lines of several processes may come late and out of order."""
    data = event.data
    call.started_ms = min(call.started_ms, event.at_ms)
    match event.kind:
        case "call_started":
            call.direction = str(data.get("direction", call.direction))
            call.playbook = str(data.get("playbook", call.playbook))
            call.caller_number = str(data.get("caller_number", call.caller_number))
            call.our_number = str(data.get("our_number", call.our_number))
            call.tenant = str(data.get("tenant", call.tenant))
        case "phase":
            _enter(call, str(data["phase"]), event.at_ms)
        case "call_ended":
            call.disposition = data.get("disposition")
            _enter(call, Phase.ENDED.value, event.at_ms)


@dataclass(frozen=True)
class Glimpse:
    """What the feed knows better than a live call's row."""

    step: str | None = None
    turns: int | None = None
    last_speaker: str = ""
    last_line: str = ""
    latency_ms: float | None = None


OF_GLIMPSES: Final = ("caller_turn", "step_found", "reply_started", "assistant_said", "supervisor_said")


def glimpse_of(newest: Iterable[tuple[str, Mapping[str, Any]]]) -> Glimpse:
    """From a call's newest line of each kind of OF_GLIMPSES, oldest first."""
    glimpse = Glimpse()
    for kind, data in newest:
        match kind:
            case "caller_turn":
                glimpse = replace(
                    glimpse, turns=data.get("turn"), last_speaker="caller", last_line=str(data.get("text", ""))
                )
            case "assistant_said" if data.get("heard"):
                glimpse = replace(glimpse, last_speaker="assistant", last_line=str(data["heard"]))
            case "supervisor_said":
                glimpse = replace(glimpse, last_speaker="supervisor", last_line=str(data.get("text", "")))
            case "step_found":
                glimpse = replace(glimpse, step=data.get("step"))
            case "reply_started":
                glimpse = replace(glimpse, latency_ms=data.get("latency_ms"))
    return glimpse


def turns_so_far(events: Iterable[CallEvent]) -> list[TurnRecord]:
    """The turns that a call's lines, oldest first, tell of.

    A tool call that has not returned is left out; what was said is only known as far as it was heard. A turn that the
    caller has not ended yet, whose step was found ahead, is none.
    """
    turns: dict[int, _LiveTurn] = {}
    for event in events:
        if event.kind in OF_TURNS:
            number = int(event.data["turn"])
            turns.setdefault(number, _LiveTurn(number, event.at_ms)).hear(event)
    return [turns[number].record() for number in sorted(turns) if number == 0 or turns[number].caller]


def _enter(call: Call, phase: str, at_ms: float) -> None:
    if phase in _ANSWERED and (call.answered_ms is None or at_ms < call.answered_ms):
        call.answered_ms = at_ms
    if phase == Phase.ENDED:
        call.ended_ms = call.ended_ms or at_ms
    if call.phase != Phase.ENDED and at_ms >= call.phase_ms:
        call.phase, call.phase_ms = phase, at_ms


@dataclass
class _LiveTurn:
    turn: int
    started_ms: float
    caller: str = ""
    confidence: float = 0.0
    step: str = ""
    step_method: str = ""
    step_confidence: float = 0.0
    answer_method: str = ""
    mood: str = ""
    told_from: tuple[str, ...] = ()
    matters: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    interrupted: bool = False
    supervisor: str = ""
    layers: dict[str, float] = field(default_factory=dict)
    heard: dict[int, str] = field(default_factory=dict)  # part -> text; a later attempt takes an earlier one's place
    played: dict[int, tuple[int, int]] = field(default_factory=dict)  # part -> how long in ms, and over the caller
    called: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # not returned yet
    tools: list[ToolResult] = field(default_factory=list)

    def hear(self, event: CallEvent) -> None:
        data = event.data
        match event.kind:
            case "caller_turn":
                self.caller, self.confidence = str(data["text"]), float(data.get("confidence", 0.0))
                self.started_ms = event.at_ms
            case "turn_withdrawn" if not self.caller:
                self.step = self.step_method = self.answer_method = self.mood = ""
                self.step_confidence = 0.0
                self.told_from = self.matters = self.choices = ()
            case "step_found":
                self.step = str(data.get("step") or self.step)
                self.step_method = str(data.get("method", ""))
                self.step_confidence = float(data.get("confidence", 0.0))
                self.answer_method = str(data.get("answer", ""))
                more = tuple(map(str, data.get("matters", ())))
                self.matters = (self.step, *more) if more else ()
                self.choices = tuple(map(str, data.get("choices", ())))
            case "mood":
                self.mood = str(data.get("mood", ""))
            case "told_from":
                places = map(str, data.get("places", ()))
                self.told_from = tuple(dict.fromkeys((*self.told_from, *places)))
            case "reply_started":
                self.layers = dict(data.get("layers", {}))
            case "assistant_said":
                part = int(data.get("part", len(self.heard)))
                self.heard[part] = str(data.get("heard", ""))
                self.played[part] = int(data.get("played_ms", 0)), int(data.get("talk_over_ms", 0))
                self.interrupted = bool(data.get("interrupted", False))
            case "supervisor_said":
                self.supervisor = f"{self.supervisor} {data.get('text', '')}".strip()
            case "tool_called":
                self.called.append((str(data["name"]), dict(data.get("arguments", {}))))
            case "tool_returned":
                self._tool_returned(str(data["name"]), event)

    def _tool_returned(self, name: str, event: CallEvent) -> None:
        arguments = next((arguments for called, arguments in self.called if called == name), {})
        self.called = [call for call in self.called if call != (name, arguments)]  # with all its attempts
        self.tools.append(
            ToolResult(
                ToolCall("", name, arguments),
                ok=bool(event.data.get("ok", False)),
                content=str(event.data.get("content", "")),
                took_ms=int(event.data.get("took_ms", 0)),
            )
        )

    def record(self) -> TurnRecord:
        heard = " ".join(text for _, text in sorted(self.heard.items()) if text)
        return TurnRecord(
            turn=self.turn,
            caller=self.caller,
            confidence=self.confidence,
            step=self.step,
            step_method=self.step_method,
            step_confidence=self.step_confidence,
            said=heard,
            heard=heard,
            interrupted=self.interrupted,
            tools=tuple(self.tools),
            layers=self.layers,
            started_ms=self.started_ms,
            answer_method=self.answer_method,
            mood=self.mood,
            played_ms=sum(played_ms for played_ms, _ in self.played.values()),
            talk_over_ms=sum(talk_over_ms for _, talk_over_ms in self.played.values()),
            supervisor=self.supervisor,
            told_from=self.told_from,
            matters=self.matters,
            choices=self.choices,
        )
