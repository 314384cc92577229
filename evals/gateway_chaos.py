"""Gateways are killed or told to stop in mid-call, on a seeded schedule: how soon callers are heard again.

Which calls a kill struck, and when their next stream was up, is read from the carrier's stamps. Half the callers are
with a carrier that follows the Redirect after a broken stream, half with one that is silent until it is told over REST.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Literal

from evals.callers import Callers
from evals.chaos import LATEST_S, SOONEST_S, Broken, Chaos, script_of
from evals.figures import Row, percentile
from evals.heard_answers import answers_of
from evals.stamps import Stamp

GatewayFault = Literal["gateway-kill", "gateway-drain"]
HEARD_AGAIN_BAR_MS: Final = 2_500.0
CARRIERS: Final = ("redirect", "error")  # sandbox: lost_stream


@dataclass(slots=True)
class GatewayVerdict:
    """What came of all calls. Times in ms, from the moment at which the stream was gone."""

    heard_again: list[float] = field(default_factory=list)  # the next stream is up
    hears_again: list[float] = field(default_factory=list)  # and the assistant speaks
    broken: list[Broken] = field(default_factory=list)
    lines: int = 0


@dataclass(frozen=True, slots=True)
class GatewayChaos:
    """One run; ``chaos`` has what such runs share, its victims are gateways."""

    chaos: Chaos
    fault: GatewayFault

    async def run(self) -> GatewayVerdict:
        """Hold calls, round after round, until gateways were struck often enough; judge every call."""
        chaos = self.chaos
        await chaos.sandbox.set_latency(**chaos.latency)
        await chaos.sandbox.lines_are_made()
        random, verdict, struck, numbers = Random(chaos.seed), GatewayVerdict(), 0, 20_001
        _, since = await chaos.sandbox.timeline()
        while struck < chaos.kills:
            holding = asyncio.create_task(self._hold(random, numbers))
            numbers += 100 * chaos.calls
            struck += await self._strike(random, holding, chaos.kills - struck)
            calls = await holding
            stamps, since = await chaos.sandbox.timeline(since)
            opened = await chaos.cases()
            for call in calls:
                await self._judge(verdict, call, stamps, opened)
        return verdict

    async def _hold(self, random: Random, numbers: int) -> Sequence[Mapping[str, Any]]:
        chaos = self.chaos
        groups = []
        for place, lost_stream in enumerate(CARRIERS):
            mine = range(place, chaos.calls, len(CARRIERS))
            scripts = [script_of(random, chaos.lines, numbers + 100 * call, patient=False) for call in mine]
            callers = Callers(
                chaos.sandbox,
                chaos.number,
                spread_s=6.0,
                person={"lost_stream": lost_stream},
                first=1_000 * (place + 1),
                random=Random(random.random()),
            )
            groups.append(callers.hold(scripts))
        return [call for group in await asyncio.gather(*groups) for call in group]

    async def _strike(self, random: Random, holding: asyncio.Task[Any], most: int) -> int:
        struck = 0
        while struck < most:
            await asyncio.wait({holding}, timeout=random.uniform(SOONEST_S, LATEST_S))
            while len(ready := await self.chaos.victims.ready()) < self.chaos.victims.count and not holding.done():
                await asyncio.wait({holding}, timeout=0.2)
            if holding.done():
                break
            self.chaos.victims.strike(random.choice(sorted(ready)))
            struck += 1
        return struck

    async def _judge(
        self, verdict: GatewayVerdict, call: Mapping[str, Any], stamps: Sequence[Stamp], opened: Mapping[str, int]
    ) -> None:
        sid, lines = call["sid"], answers_of(call)
        verdict.lines += self.chaos.lines
        if len(lines) - 1 < self.chaos.lines:
            verdict.broken.append(Broken(sid, f"only {len(lines) - 1} of {self.chaos.lines} lines could be said"))
        if (cases := opened[sid]) > 1:  # none, where the wish was said to a gateway that died of it
            verdict.broken.append(Broken(sid, f"{cases} cases were opened for one wish"))
        verdict.broken += [Broken(sid, f"nothing was heard after “{line.line}”") for line in lines if not line.heard]
        verdict.broken += [Broken(sid, what) for what in await self.chaos.record_faults(sid)]
        take_times(verdict, call, stamps, self.fault)


def take_times(verdict: GatewayVerdict, call: Mapping[str, Any], stamps: Sequence[Stamp], fault: GatewayFault) -> None:
    """How long the call was without a stream, each time; a caller who had just hung up did not wait for one."""
    mine = [stamp for stamp in stamps if stamp["vendor"] == "twilio" and stamp["data"].get("sid") == call["sid"]]
    started = [stamp["at_ms"] for stamp in mine if stamp["what"] == "stream-started"]
    for stamp in mine:
        if stamp["what"] != ("lost" if fault == "gateway-kill" else "closed"):
            continue
        gone_ms = stamp["at_ms"]
        back_ms = _first_after(gone_ms, started)
        if back_ms is None:
            if call["ended_ms"] - gone_ms > HEARD_AGAIN_BAR_MS:
                verdict.broken.append(Broken(call["sid"], "its stream never came back"))
            continue
        verdict.heard_again.append(back_ms - gone_ms)
        if (voice_ms := _first_after(back_ms, [one["played_ms"] for one in call["heard"]])) is not None:
            verdict.hears_again.append(voice_ms - gone_ms)


def _first_after(at_ms: float, times: Sequence[float]) -> float | None:
    return min((each for each in times if each > at_ms), default=None)


def gateway_rows(verdict: GatewayVerdict, fault: GatewayFault) -> list[Row]:
    """A row for each promise; after a hand-over in a quiet moment it is the caller's turn to say something."""
    figures = {"caller is heard again": verdict.heard_again}
    if fault == "gateway-kill":
        figures["assistant is heard again"] = verdict.hears_again
    return [
        {
            "fault": fault.replace("-", " "),
            "promise": promise,
            "struck": len(times),
            "p50_ms": round(percentile(times, 0.5), 1) if times else "",
            "p95_ms": round(percentile(times, 0.95), 1) if times else "",
            "bar_p95_ms": HEARD_AGAIN_BAR_MS,
        }
        for promise, times in figures.items()
    ]
