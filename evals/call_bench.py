"""Concurrent calls in real time against the sandbox: what the caller waits for, and what of it is ours.

Every caller line of the bench holds a number of its own, so that the sandbox's stamps of one turn can be found by
their text: the vendors' share is what the sandbox says each vendor took, overhead is the rest of what was heard.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from core.contracts import names
from evals.callers import Callers, Script, minutes_of
from evals.figures import CpuMeter, LoadFailed, Row, percentile, spread
from evals.gateway_figures import GatewayFigures
from evals.heard_turns import HeardTurn, heard_turns
from evals.histories import Growth
from evals.sandbox_control import SandboxControl
from evals.stamps import Stamp, count

FOLLOWED_UP = timedelta(seconds=60)  # a call's end and all that comes after it
LINES = (  # answered by the model, without a tool, in a step that is found by words: no other vendor takes its time
    "How do I return something from order {number}?",
    "And how long do I have to return order {number}?",
    "Where do I find the return label of order {number}?",
    "When do I get my money back for order {number}?",
)


@dataclass(frozen=True, slots=True)
class CallBench:
    """One measurement. ``latency`` fixes the sandbox's vendors (sandbox.state.Latency)."""

    sandbox: SandboxControl
    temporal: Client
    number: str
    pids: Mapping[str, Sequence[int]]
    gateway_ports: Sequence[int]
    calls: int
    turns: int
    latency: Mapping[str, float]

    async def run(self) -> Row:
        """Hold the calls and measure."""
        await self.sandbox.set_latency(**self.latency)
        _, mark = await self.sandbox.timeline()
        before = await GatewayFigures.read(self.gateway_ports)
        meter = CpuMeter.start(self.pids)
        calls = await Callers(self.sandbox, self.number).hold(
            list(itertools.islice(scripts_of(self.turns), self.calls))
        )
        await self._followed_up(calls)
        used = meter.used()
        after = await GatewayFigures.read(self.gateway_ports)
        stamps, _ = await self.sandbox.timeline(mark)
        turns, unanswered = heard_turns(calls, stamps)
        return {
            "calls": self.calls,
            "turns": len(turns),
            "unanswered": unanswered,
            "filled": sum(turn.filled for turn in turns),
            **times_of(turns),
            "withdrawn": after.counted("holdfast_gateway_withdrawn_turns_total", before),
            "model_answers_per_turn": _answers_per_line(calls, stamps),
            **cost_of(used, calls),
            **await self._history_of(calls),
        }

    async def _followed_up(self, calls: Sequence[Mapping[str, Any]]) -> None:
        """What comes after the calls is done: it costs CPU, too. Raises LoadFailed if it takes too long."""
        for call in calls:
            for id in (names.call_workflow_id(call["sid"]), names.after_call_workflow_id(call["sid"])):
                try:
                    await self.temporal.get_workflow_handle(id).result(rpc_timeout=FOLLOWED_UP)
                except WorkflowFailureError:
                    pass  # it has ended, too, and the row tells what was not answered
                except RPCError as error:
                    if error.status is not RPCStatusCode.NOT_FOUND:  # nothing follows a call that failed
                        raise LoadFailed(f"{id} has not ended; the machine is too busy: ask for fewer") from error

    async def _history_of(self, calls: Sequence[Mapping[str, Any]]) -> Row:
        """What whole calls write into their histories, beginning and end included."""
        ids = [names.call_workflow_id(call["sid"]) for call in calls]
        grown = [await Growth.of(self.temporal, each) for each in ids]
        turns, minutes = self.turns * len(calls), minutes_of(calls)
        return {
            "gateway_events_per_turn": round(sum(each.messages for each in grown) / turns, 1),
            "history_events_per_turn": round(sum(each.events for each in grown) / turns, 1),
            "history_bytes_per_turn": round(sum(each.size for each in grown) / turns),
            "history_events_in_30_min": round(sum(each.events for each in grown) / minutes * 30),
        }


def _answers_per_line(calls: Sequence[Mapping[str, Any]], stamps: Sequence[Stamp]) -> float:
    """How often the model was asked to answer a line: withdrawn and hedged answers count."""
    lines = [line["text"] for call in calls for line in call["said"]]
    asked = sum(count(stamps, "anthropic", "request", stream=True, text=line) for line in lines)
    return round(asked / (len(lines) or 1), 2)


def times_of(turns: Sequence[HeardTurn]) -> Row:
    """What callers waited for, what of it is ours, and who took the rest."""
    shares = {
        "vendors": [turn.vendors for turn in turns],
        "end_of_turn": [turn.recogniser for turn in turns],
        "answer_begun": [turn.begun for turn in turns],
        "model": [turn.model for turn in turns],
        "voice": [turn.voice for turn in turns],
    }
    return {
        **{f"heard_{name}": figure for name, figure in spread([turn.latency for turn in turns]).items()},
        **{f"overhead_{name}": figure for name, figure in spread([turn.overhead for turn in turns]).items()},
        **{f"{name}_p50_ms": round(percentile(values, 0.5), 1) for name, values in shares.items()},
    }


def cost_of(used: Mapping[str, float], calls: Sequence[Mapping[str, Any]]) -> Row:
    """CPU by role and in all, the callers and vendors apart, and whether the carrier kept its cadence."""
    minutes = minutes_of(calls)
    return {
        **{f"{role}_cpu_s_per_call_min": round(cpu / minutes, 3) for role, cpu in used.items()},
        "cpu_s_per_call_min": round(sum(cpu for role, cpu in used.items() if role != "sandbox") / minutes, 3),
        "late_frames": sum(call["late_frames"] for call in calls),
        "gaps": sum(call["gaps"] for call in calls),
    }


def scripts_of(turns: int) -> Iterator[Script]:
    """Scripts without end: ``turns`` lines, each with an order number that no other line has, then hang up."""
    numbers = itertools.count(20_001)
    while True:
        lines: Script = [{"say": LINES[index % len(LINES)].format(number=next(numbers))} for index in range(turns)]
        yield [*lines, {"wait": 0, "after": "reply"}, {"hang_up": True, "after": 2.5}]
