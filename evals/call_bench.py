"""Concurrent calls in real time against the sandbox: what the caller waits for, and what of it is ours.

Every caller line of the bench holds a number of its own, so that the sandbox's stamps of one turn can be found by
their text: the vendors' share is what the sandbox says each vendor took, overhead is the rest of what was heard.
"""

import asyncio
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evals.figures import CpuMeter, Row, spread
from evals.sandbox_control import SandboxControl

SPREAD_S = 10.0  # calls begin one after the other within this time
LOOK_EVERY_S = 5.0  # showing a call costs the sandbox CPU that the calls need
LINES = (  # answered without a tool: a tool's time is neither the recogniser's, the model's nor the voice's
    "How do I return order {number}?",
    "And how long do I have to return order {number}?",
    "Where do I find the return label of order {number}?",
    "When do I get my money back for order {number}?",
)


@dataclass(frozen=True, slots=True)
class HeardTurn:
    """One turn as the caller heard it, ms."""

    latency: float  # end of speech -> first reply audio at the carrier
    recogniser: float  # end of speech -> end of turn sent
    model: float  # request received -> the token that ends the first sentence sent
    voice: float  # the sentence received -> its first audio sent

    @property
    def overhead(self) -> float:
        """What was neither of the vendors'."""
        return self.latency - self.recogniser - self.model - self.voice


@dataclass(frozen=True, slots=True)
class CallBench:
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
        _, mark = await self.sandbox.timeline()
        scripts = list(itertools.islice(scripts_of(self.turns), self.calls))
        meter = CpuMeter.start(self.pids)
        calls = await asyncio.gather(*(self._hold(script, index) for index, script in enumerate(scripts)))
        used = meter.used()
        stamps, _ = await self.sandbox.timeline(mark)
        turns, unanswered = heard_turns(calls, stamps)
        minutes = sum(call["ended_ms"] - call["answered_ms"] for call in calls) / 60_000
        return {
            "calls": self.calls,
            "turns": len(turns),
            "unanswered": unanswered,
            **{f"overhead_{name}": figure for name, figure in spread([turn.overhead for turn in turns]).items()},
            **{f"heard_{name}": figure for name, figure in spread([turn.latency for turn in turns]).items()},
            **{f"{role}_cpu_s_per_call_min": round(cpu / minutes, 3) for role, cpu in used.items()},
            "cpu_s_per_call_min": round(sum(cpu for role, cpu in used.items() if role != "sandbox") / minutes, 3),
            "late_frames": sum(call["late_frames"] for call in calls),
            "gaps": sum(call["gaps"] for call in calls),
        }

    async def _hold(self, script: list[dict[str, Any]], index: int) -> dict[str, Any]:
        await asyncio.sleep(index * SPREAD_S / self.calls + random.uniform(0, 0.2))
        sid = await self.sandbox.place_call(f"+1202555{1000 + index:04d}", self.number, script)
        while True:
            call = await self.sandbox.call(sid)
            if call["ended_ms"] is not None:
                return call
            await asyncio.sleep(LOOK_EVERY_S)


def scripts_of(turns: int) -> Iterator[list[dict[str, Any]]]:
    """Scripts without end: ``turns`` lines, each with an order number that no other line has, then hang up."""
    numbers = itertools.count(20_001)
    while True:
        lines: list[dict[str, Any]] = [
            {"say": LINES[index % len(LINES)].format(number=next(numbers))} for index in range(turns)
        ]
        yield [*lines, {"wait": 2.5, "after": "reply"}, {"hang_up": True}]


def heard_turns(calls: Sequence[dict[str, Any]], stamps: Sequence[dict[str, Any]]) -> tuple[list[HeardTurn], int]:
    """The turns whose every stamp was found, and how many caller lines were not answered."""
    index = _Stamps(stamps)
    turns, unanswered = [], 0
    for line in itertools.chain.from_iterable(call["said"] for call in calls):
        turn = index.turn_of(line)
        if turn is None:
            unanswered += 1
        else:
            turns.append(turn)
    return turns, unanswered


class _Stamps:
    """The sandbox's stamps by what they are about."""

    def __init__(self, stamps: Sequence[dict[str, Any]]) -> None:
        self._by: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        for stamp in stamps:
            about = stamp["data"].get("request") or stamp["data"].get("text") or ""
            self._by.setdefault((stamp["vendor"], stamp["what"], about), []).append(stamp)

    def turn_of(self, line: dict[str, Any]) -> HeardTurn | None:
        text, ended_ms, heard_ms = line["text"], line["speech_end_ms"], line["reply_arrived_ms"]
        if ended_ms is None or heard_ms is None:
            return None
        end_of_turn = self._first("deepgram", "end_of_turn", text, ended_ms)
        request = self._first("anthropic", "request", text, ended_ms)
        sentence = self._first("anthropic", "first_sentence", text, ended_ms)
        if end_of_turn is None or request is None or sentence is None:
            return None
        spoken = sentence["data"]["text"]
        asked = self._first("elevenlabs", "text", spoken, sentence["at_ms"])
        voiced = self._first("elevenlabs", "first_byte", spoken, sentence["at_ms"])
        if asked is None or voiced is None:
            return None
        return HeardTurn(
            latency=heard_ms - ended_ms,
            recogniser=end_of_turn["at_ms"] - ended_ms,
            model=sentence["at_ms"] - request["at_ms"],
            voice=voiced["at_ms"] - asked["at_ms"],
        )

    def _first(self, vendor: str, what: str, about: str, since_ms: float) -> dict[str, Any] | None:
        for stamp in self._by.get((vendor, what, about), ()):
            if stamp["at_ms"] >= since_ms - 1:
                return stamp
        return None
