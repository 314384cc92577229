"""Calls in which canned answers cover every question: how soon after the end of turn the caller hears them."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evals.call_bench import cost_of
from evals.callers import Callers, Script
from evals.figures import CpuMeter, Row, spread
from evals.sandbox_control import SandboxControl
from evals.stamps import Stamp, Stamps, count

LINES = (  # of order_support; evals.gateway_load says them too
    "How long do I have to return the jacket?",
    "Where do I find the return label?",
    "When do I get my money back?",
    "By when do I have to send it back?",
    "Where is the label for the return?",
    "How long does the refund take?",
)


@dataclass(frozen=True, slots=True)
class CannedBench:
    """One measurement. ``latency`` fixes the sandbox's vendors (sandbox.state.Latency)."""

    sandbox: SandboxControl
    number: str
    pids: Mapping[str, Sequence[int]]
    calls: int
    turns: int
    latency: Mapping[str, float]

    async def run(self) -> Row:
        """Hold the calls and measure."""
        await self.sandbox.set_latency(**self.latency)
        await self.sandbox.lines_are_made()
        _, mark = await self.sandbox.timeline()
        meter = CpuMeter.start(self.pids)
        calls = await Callers(self.sandbox, self.number).hold(
            list(itertools.islice(scripts_of(self.turns), self.calls))
        )
        used = meter.used()
        stamps, _ = await self.sandbox.timeline(mark)
        waits, unanswered = waits_of(calls, stamps)
        return {
            "calls": self.calls,
            "turns": len(waits),
            "unanswered": unanswered,
            **{f"end_of_turn_to_audio_{name}": figure for name, figure in spread(waits).items()},
            "model_answers": sum(count(stamps, "anthropic", "request", stream=True, text=line) for line in LINES),
            "voice_requests": count(stamps, "elevenlabs", "text"),
            **cost_of(used, calls),
        }


def scripts_of(turns: int) -> Iterator[Script]:
    """Scripts without end: ``turns`` questions, begun at another one each time, then hang up."""
    for first in itertools.count():
        lines: Script = [{"say": LINES[(first + turn) % len(LINES)]} for turn in range(turns)]
        yield [*lines, {"wait": 0, "after": "reply"}, {"hang_up": True, "after": 2.5}]


def waits_of(calls: Sequence[Mapping[str, Any]], stamps: Sequence[Stamp]) -> tuple[list[float], int]:
    """From each line's end of turn to the answer's first audio at the carrier, ms, and how many were not answered."""
    index = Stamps(stamps)
    waits, unanswered = [], 0
    for line in itertools.chain.from_iterable(call["said"] for call in calls):
        ended = index.end_of_turn(line)
        if ended is None or line["reply_arrived_ms"] is None:
            unanswered += 1
        else:
            waits.append(line["reply_arrived_ms"] - ended["at_ms"])
    return waits, unanswered
