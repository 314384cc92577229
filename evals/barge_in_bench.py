"""Callers who cut in, and callers who only cough: how soon the assistant is silent, and how it goes on."""

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from evals.callers import Callers, Script
from evals.figures import Row, percentile, spread
from evals.gateway_figures import GatewayFigures
from evals.sandbox_control import SandboxControl
from evals.stamps import Stamp

WITHIN_MS = 3_000.0  # a clear, or sound, that comes later is not the answer to this interruption
NOISE_S = 0.6
QUESTIONS = ("How long do I have to return the jacket?", "When do I get my money back?")
CUTTING_IN = "Sorry, where do I find the return label?"


@dataclass(frozen=True, slots=True)
class BargeInBench:
    """One measurement. ``log`` is the gateway's, at level INFO: it tells when a false interruption was known."""

    sandbox: SandboxControl
    number: str
    gateway_ports: Sequence[int]
    log: Path
    calls: int
    rounds: int
    latency: Mapping[str, float]

    async def run(self) -> Row:
        """Hold the calls and measure."""
        await self.sandbox.set_latency(**self.latency)
        await self.sandbox.lines_are_made()
        _, mark = await self.sandbox.timeline()
        before = await GatewayFigures.read(self.gateway_ports)
        calls = await Callers(self.sandbox, self.number).hold([script_of(self.rounds)] * self.calls)
        after = await GatewayFigures.read(self.gateway_ports)
        stamps, _ = await self.sandbox.timeline(mark)
        silencing = "holdfast_gateway_silencing_seconds"
        return {
            "calls": self.calls,
            **interruptions_of(calls, stamps),
            "decision_to_clear_p95_ms": round(after.percentile_ms(silencing, 0.95, before), 1),
            **false_interruptions_of(calls, stamps, known_false(self.log.read_text().splitlines())),
        }


def script_of(rounds: int) -> Script:
    """In each round a question whose answer is cut into, then one whose answer a noise falls into."""
    each: Script = [
        {"say": QUESTIONS[0]},
        {"say": CUTTING_IN, "interrupt_after": 1.5},
        {"say": QUESTIONS[1]},
        {"noise": NOISE_S, "interrupt_after": 1.5},
    ]
    return [*each * rounds, {"wait": 0, "after": "reply"}, {"hang_up": True, "after": 2.5}]


def interruptions_of(calls: Sequence[Mapping[str, Any]], stamps: Sequence[Stamp]) -> Row:
    """How soon playback stopped for a caller's words, and whether these were answered."""
    line = _ByCall(stamps)
    waits, not_stopped, unanswered = [], 0, 0
    for call in calls:
        for said in call["said"]:
            if said["text"] != CUTTING_IN:
                continue
            cleared = line.first("clear", call["sid"], said["started_ms"], dropping=True)
            if cleared is None:
                not_stopped += 1
            else:
                waits.append(cleared - said["started_ms"])
            unanswered += said["reply_arrived_ms"] is None
    return {
        "interruptions": len(waits) + not_stopped,
        "not_stopped": not_stopped,
        "unanswered": unanswered,
        **{f"speech_to_clear_{name}": figure for name, figure in spread(waits).items()},
    }


def false_interruptions_of(
    calls: Sequence[Mapping[str, Any]], stamps: Sequence[Stamp], known: Mapping[str, Sequence[float]]
) -> Row:
    """How soon playback went on after a noise, and whether from where it had stopped.

    Args:
        known: call -> when the gateway took an interruption for a false one, ms since the epoch.
    """
    line = _ByCall(stamps)
    quiet, decided, ignored, stuck = [], [], 0, 0
    for sid, noise in line.noises():
        cleared = line.first("clear", sid, noise["started_ms"], dropping=True)
        if cleared is None:
            ignored += 1  # it did not even hold playback
            continue
        went_on = line.first("sound_after_clear", sid, cleared)
        if went_on is None:
            stuck += 1
            continue
        quiet.append(went_on - noise["ended_ms"])
        decided += [went_on - at for at in known.get(sid, ()) if cleared <= at <= went_on][-1:]
    skips = [heard["skipped_ms"] for call in calls for heard in call["heard"] if heard["skipped_ms"] is not None]
    return {
        "noises": len(quiet) + ignored + stuck,
        "noises_ignored": ignored,
        "not_resumed": stuck,
        "known_to_audio_p50_ms": round(percentile(decided, 0.5), 1),
        "known_to_audio_p95_ms": round(percentile(decided, 0.95), 1),
        "quiet_to_audio_p50_ms": round(percentile(quiet, 0.5), 1),
        "quiet_to_audio_p95_ms": round(percentile(quiet, 0.95), 1),
        "went_on_in_mid_sentence": len(skips),
        "lost_max_ms": max((skip for skip in skips if skip > 0), default=0.0),
        "heard_twice_max_ms": max((-skip for skip in skips if skip < 0), default=0.0),
    }


def known_false(log: Iterable[str]) -> dict[str, list[float]]:
    """Call -> when the gateway logged ``false_interruption``, ms since the epoch."""
    known: dict[str, list[float]] = {}
    for text in log:
        if '"false_interruption"' in text:
            event = json.loads(text)
            known.setdefault(event["call_id"], []).append(
                datetime.fromisoformat(event["timestamp"]).timestamp() * 1_000
            )
    return known


class _ByCall:
    """The carrier's stamps of each call."""

    def __init__(self, stamps: Sequence[Stamp]) -> None:
        self._by: dict[tuple[str, str], list[Stamp]] = {}
        for stamp in stamps:
            if stamp["vendor"] == "twilio" and "sid" in stamp["data"]:
                self._by.setdefault((stamp["what"], stamp["data"]["sid"]), []).append(stamp)

    def first(self, what: str, sid: str, since_ms: float, *, dropping: bool = False) -> float | None:
        """When it first happened in the time in which it can be the answer; ``dropping``: to what was being played."""
        for stamp in self._by.get((what, sid), ()):
            if since_ms <= stamp["at_ms"] <= since_ms + WITHIN_MS and (not dropping or stamp["data"]["dropped_ms"]):
                at_ms: float = stamp["at_ms"]
                return at_ms
        return None

    def noises(self) -> Iterable[tuple[str, Mapping[str, float]]]:
        """Call and times of each noise."""
        found = (stamps for (what, _), stamps in self._by.items() if what == "noise")
        return ((stamp["data"]["sid"], stamp["data"]) for stamp in itertools.chain.from_iterable(found))
