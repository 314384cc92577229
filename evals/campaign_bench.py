"""A campaign against the sandbox's carrier while workers die: is anybody dialled twice, and how many calls a second?

Everybody is busy, so that a call is over once it was dialled, and what is measured is what a campaign costs around it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from core.calling_window import CallingWindow, is_open
from core.contact_zones import zones_of
from evals.chaos import Victims
from evals.figures import CpuMeter, Row, spread
from evals.product import Product
from evals.sandbox_control import SandboxControl

PREFIXES: Final = ("+4420794", "+81332", "+912226", "+12125", "+551132", "+61292")  # one zone each, some of it awake
PAGE: Final = 500
LONGEST_S: Final = 1_800.0
SOONEST_S, LATEST_S = 3.0, 9.0  # between two kills


class NobodyIsAwake(Exception):
    """No country of the bench's is within the legal hours for as long as it takes."""


@dataclass(frozen=True, slots=True)
class CampaignBench:
    """One measurement."""

    product: Product
    sandbox: SandboxControl
    victims: Victims
    pids: Mapping[str, Sequence[int]]
    contacts: int
    in_flight: int
    kills: int
    seed: int
    our_number: str

    async def run(self) -> Row:
        """Call everybody, killing workers meanwhile; then hold SQL against what the carrier has dialled."""
        numbers = numbers_awake(self.contacts, time.time() * 1_000)
        for number in numbers:
            await self.sandbox.put_person(number, {"answer": "busy", "ring_seconds": 0.2})
        _, mark = await self.sandbox.timeline()
        campaign = await self.product.create_campaign(self._settings())
        for start in range(0, len(numbers), PAGE):
            await self.product.add_contacts(campaign, numbers[start : start + PAGE])
        meter, began = CpuMeter.start(self.pids), time.monotonic()
        await self.product.start_campaign(campaign)
        killing = asyncio.create_task(self._kill())
        most, progress = await self._watch(campaign)
        took_s = time.monotonic() - began
        killed = await killing
        used = meter.used()
        stamps, _ = await self.sandbox.timeline(mark)
        dials = Counter(
            stamp["data"]["to"]
            for stamp in stamps
            if stamp["vendor"] == "twilio" and stamp["what"] == "call" and stamp["data"]["direction"] != "inbound"
        )
        results = await self.product.campaign_results(campaign)
        attempts = {result["number"]: result["attempts"] for result in results}
        lengths = [
            _seconds(attempt["ended_at"]) - _seconds(attempt["opened_at"])
            for tried in attempts.values()
            for attempt in tried
            if attempt["ended_at"] is not None
        ]
        return {
            "contacts": self.contacts,
            "kills": killed,
            "double_dials": sum(max(0, dials[number] - len(attempts.get(number, ()))) for number in dials),
            "dials": sum(dials.values()),
            "without_outcome": sum(not result["outcomes"] for result in results),
            "most_in_flight": most,
            "in_flight_cap": self.in_flight,
            "took_s": round(took_s, 1),
            "calls_per_s": round(progress["attempts"] / took_s, 1),
            **{f"attempt_{name}": figure for name, figure in spread(lengths, "s").items()},
            **{f"{role}_cpu_s": round(cpu, 1) for role, cpu in used.items() if role != "worker"},  # these die
        }

    def _settings(self) -> dict[str, Any]:
        hours = [{"opens": "00:00", "closes": "23:59"}]
        return {
            "name": "bench",
            "playbook": "order_support",
            "from": self.our_number,
            "hours": hours,
            "needs_consent": False,
            "in_flight": self.in_flight,
            "retries": {"failed": {"minutes": 0, "times": 3}, "dropped": {"minutes": 0, "times": 3}},
            "most_a_day": 20,
            "most_a_week": 50,
        }

    async def _watch(self, campaign: str) -> tuple[int, dict[str, Any]]:
        most, deadline = 0, time.monotonic() + LONGEST_S
        while True:
            progress = await self.product.campaign_progress(campaign)
            most = max(most, progress["dialling"])
            if progress["phase"] == "completed" or time.monotonic() > deadline:
                return most, progress
            await asyncio.sleep(0.5)

    async def _kill(self) -> int:
        random = Random(self.seed)
        for _ in range(self.kills):
            await asyncio.sleep(random.uniform(SOONEST_S, LATEST_S))
            ready = await self.victims.ready()
            while len(ready) < 2:
                await asyncio.sleep(0.2)
                ready = await self.victims.ready()
            self.victims.strike(random.choice(sorted(ready)))
        return self.kills


def numbers_awake(count: int, now_ms: float) -> list[str]:
    """Numbers of a country in which it is day for the next hour. Raises NobodyIsAwake."""
    for prefix in PREFIXES:
        digits = 12 - len(prefix) if prefix.startswith("+1") else 13 - len(prefix)
        zones = zones_of(prefix + "1" * digits)
        if zones and all(is_open(CallingWindow(), zones, now_ms + ahead * 60_000) for ahead in (0, 30, 60)):
            return [f"{prefix}{number:0{digits}d}" for number in range(10 ** (digits - 1), 10 ** (digits - 1) + count)]
    raise NobodyIsAwake("nobody of the bench's may be called at this hour")


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).astimezone(UTC).timestamp()
