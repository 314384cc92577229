"""Something that all calls need is gone for a while, or carriers' callbacks come doubled or in the wrong order."""

from asyncio import create_task, wait
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from evals.callers import Callers
from evals.chaos import LATEST_S, SOONEST_S, Chaos, Verdict, script_of
from evals.figures import Row, percentile
from evals.heard_answers import answers_of

SPREAD_S: Final = 6.0


@dataclass(slots=True)
class OutageVerdict:
    """What came of all calls: how long each caller's longest silence was, ms."""

    of_calls: Verdict = field(default_factory=Verdict)
    silences_ms: list[float] = field(default_factory=list)
    outages: int = 0


@dataclass(frozen=True, slots=True)
class OutageChaos:
    """One run. ``outage`` begins it and returns once it is over; None: ``person`` is the fault."""

    chaos: Chaos
    outage: Callable[[], Awaitable[None]] | None
    person: Mapping[str, Any] = field(default_factory=dict)

    async def run(self) -> OutageVerdict:
        """Hold calls, round after round, until there were enough outages (without any: rounds); judge every call."""
        chaos = self.chaos
        await chaos.sandbox.set_latency(**chaos.latency)
        await chaos.sandbox.lines_are_made()
        random, verdict, number = Random(chaos.seed), OutageVerdict(), 20_001
        while verdict.outages < chaos.kills:
            firsts = range(number, number + 100 * chaos.calls, 100)
            number = firsts.stop
            scripts = [script_of(random, chaos.lines, first, patient=True) for first in firsts]
            callers = Callers(chaos.sandbox, chaos.number, SPREAD_S, self.person, random=Random(random.random()))
            holding = create_task(callers.hold(scripts))
            if self.outage is not None:
                await wait({holding}, timeout=SPREAD_S + random.uniform(SOONEST_S, LATEST_S))
                await self.outage()
            verdict.outages += 1
            calls = await holding
            await chaos.judge(verdict.of_calls, calls, ())
            verdict.silences_ms += [max(line.longest_silence_ms for line in answers_of(call)) for call in calls]
        return verdict


def outage_row(verdict: OutageVerdict, fault: str) -> Row:
    """Calls that are lost are told as broken promises; the silence has no bar."""
    return {
        "fault": fault,
        "promise": "no call lost; longest silence",
        "struck": len(verdict.silences_ms),
        "p50_ms": round(percentile(verdict.silences_ms, 0.5), 1),
        "p95_ms": round(percentile(verdict.silences_ms, 0.95), 1),
        "bar_p95_ms": "",
    }
