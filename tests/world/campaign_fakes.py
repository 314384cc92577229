"""Campaigns around a call: who must not be called, and no campaign at all."""

import asyncio
from collections.abc import Sequence

from core.contracts.call import CallInput
from core.contracts.campaign import CampaignPhase, Round
from core.contracts.campaign_results import ResultsInput
from core.may_call import Hindrance
from core.ports.campaign import CallStarter, CampaignBook, DialGate, DncEntry, PlannedCall, UnknownCampaign
from core.ports.campaign_results import CampaignResults, ResultsTeller, ToTell
from tests.world.fakes import Faults


class FakeDialGate(DialGate):
    """Whoever was forbidden must not be called."""

    def __init__(self) -> None:
        self.forbidden: list[DncEntry] = []
        self.faults = Faults()
        self.forbade = asyncio.Event()

    async def hindrances(
        self, call_id: str, number: str, tenant: str, campaign: str | None, now_ms: float
    ) -> tuple[Hindrance, ...]:
        """By number."""
        self.faults.meet()
        return (Hindrance.DNC,) if any(entry.number == number for entry in self.forbidden) else ()

    async def forbid(self, entry: DncEntry) -> None:
        """From now on."""
        self.faults.meet()
        self.forbidden.append(entry)
        self.forbade.set()


class NoCampaigns(CampaignBook, CallStarter):
    """There are none."""

    async def open_round(self, campaign_id: str, now_ms: float) -> tuple[Round, Sequence[PlannedCall]]:
        """Raises UnknownCampaign."""
        raise UnknownCampaign(campaign_id)

    async def call_has_begun(self, call_ids: Sequence[str]) -> None:
        """Never."""

    async def doubtful_calls(self, campaign_id: str, now_ms: float) -> Sequence[str]:
        """None."""
        return []

    async def call_is_lost(self, call_id: str, now_ms: float) -> None:
        """Never."""

    async def keep_phase(self, campaign_id: str, phase: CampaignPhase, now_ms: float, *, call_off: bool) -> None:
        """Nowhere."""

    async def begin(self, call: CallInput) -> bool:
        """Raises UnknownCampaign."""
        raise UnknownCampaign(call.call_id)

    async def is_running(self, call_id: str) -> bool:
        """None is."""
        return False


class NoResults(CampaignResults, ResultsTeller):
    """Nobody wants to know."""

    async def has_news(self, campaign_id: str) -> bool:
        """Never."""
        return False

    async def to_tell(self, campaign_id: str, most: int, now_ms: float) -> ToTell | None:
        """Nothing."""
        return None

    async def told(self, campaign_id: str, contact_ids: Sequence[str], now_ms: float) -> None:
        """Nobody."""

    async def tell(self, results: ResultsInput, *, news: bool = False) -> None:
        """Nobody."""


class BusyCampaigns(NoCampaigns):
    """Each has a call in flight, and calls nobody else."""

    async def open_round(self, campaign_id: str, now_ms: float) -> tuple[Round, Sequence[PlannedCall]]:
        """Nobody new."""
        return Round(in_flight=1), ()
