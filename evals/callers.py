"""The callers of a bench: scripted people of the sandbox, who ring one after the other and are waited for."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from evals.sandbox_control import SandboxControl

SPREAD_S = 10.0  # calls begin one after the other within this time

Script = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Callers:
    """Who rings, and at which number."""

    sandbox: SandboxControl
    number: str
    spread_s: float = SPREAD_S
    person: Mapping[str, Any] = field(default_factory=dict)  # what else each of them has
    first: int = 1_000  # the last four digits of the first one's number
    random: Random = field(default_factory=Random)  # they ring a little earlier or later

    async def hold(self, scripts: Sequence[Script]) -> list[Mapping[str, Any]]:
        """One call a script; returns them as the carrier saw them, once all have ended."""
        begins = [index * self.spread_s / len(scripts) + self.random.uniform(0, 0.2) for index in range(len(scripts))]
        sids = await asyncio.gather(
            *(
                self._hold(script, index, begin_s)
                for index, (script, begin_s) in enumerate(zip(scripts, begins, strict=True))
            )
        )
        return [await self.sandbox.call(sid) for sid in sids]  # showing them costs CPU that live calls need

    async def _hold(self, script: Script, index: int, begin_s: float) -> str:
        await asyncio.sleep(begin_s)
        sid = await self.sandbox.place_call(f"+1202555{self.first + index:04d}", self.number, script, **self.person)
        await self.sandbox.call_over(sid)
        return sid


def minutes_of(calls: Sequence[Mapping[str, Any]]) -> float:
    """How long all of them were on the line; a call that nobody answered, no time."""
    lasted: list[float] = [call["ended_ms"] - call["answered_ms"] for call in calls if call["answered_ms"]]
    return sum(lasted) / 60_000
