"""A campaign's rounds: choose whom to call, and begin their calls, each when the carrier's account is free for it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.clocks import agreed_ms
from activities.feed import now_ms
from activities.retries import vendor_failures
from core.contracts import names
from core.contracts.call import NEW_CALLS, CallInput, CallTimers, Direction, Machine
from core.contracts.campaign import CampaignPhase, KeepPhase, OpenRound, Round
from core.contracts.campaign_results import ResultsInput
from core.contracts.playbook import PlaybookBrief, brief_of
from core.ports.campaign import CallStarter, CampaignBook, PlannedCall, UnknownCampaign
from core.ports.campaign_results import CampaignResults, ResultsTeller
from core.ports.playbooks import Playbooks

UNKNOWN_CAMPAIGN: Final = "UnknownCampaign"

log = structlog.get_logger()


@dataclass(frozen=True)
class CallingDefaults:
    """How an attempt's call is begun."""

    timers: CallTimers = NEW_CALLS
    discreet: bool = False


class CampaignActivities:
    """Dials for campaigns."""

    def __init__(
        self,
        book: CampaignBook,
        playbooks: Playbooks,
        starter: CallStarter,
        results: CampaignResults,
        teller: ResultsTeller,
        defaults: CallingDefaults,
        clock: Callable[[], float] = now_ms,
    ) -> None:
        """``clock``: ms since the epoch."""
        self._clock = clock
        self._book = book
        self._playbooks = playbooks
        self._starter = starter
        self._results = results
        self._teller = teller
        self._defaults = defaults

    @activity.defn(name=names.OPEN_ROUND)
    async def open_round(self, request: OpenRound) -> Round:
        """Open the attempts that are due, and begin their calls. Tried again, it goes on with those that were left."""
        with vendor_failures():
            try:
                found, planned = await self._book.open_round(request.campaign_id, agreed_ms(self._clock))
            except UnknownCampaign as error:
                raise ApplicationError(
                    "there is no such campaign", type=UNKNOWN_CAMPAIGN, non_retryable=True
                ) from error
            if planned:
                await self._begin_all(planned)
            for call_id in await self._book.doubtful_calls(request.campaign_id, self._clock()):
                if not await self._starter.is_running(call_id):  # ended by hand, say: its place is to be free again
                    await self._book.call_is_lost(call_id, self._clock())
            await self._tell_results(request.campaign_id)
        return found

    @activity.defn(name=names.KEEP_PHASE)
    async def keep_phase(self, request: KeepPhase) -> None:
        """Write down where the campaign stands."""
        with vendor_failures():
            await self._book.keep_phase(request.campaign_id, request.phase, self._clock(), call_off=request.call_off)
            if request.phase in {CampaignPhase.COMPLETED, CampaignPhase.CANCELED}:
                await self._tell_results(request.campaign_id, over=True)

    async def _tell_results(self, campaign_id: str, *, over: bool = False) -> None:
        """Begin to tell the customer, if there is one to tell. No round comes after the end, so that is signalled."""
        if await self._results.has_news(campaign_id):
            results = ResultsInput(campaign_id, patience=self._defaults.timers.after_call)
            await self._teller.tell(results, news=over)

    async def _begin_all(self, planned: Sequence[PlannedCall]) -> None:
        playbook = brief_of(await self._playbooks.latest(planned[0].playbook))
        begun = []
        try:
            for one in planned:
                await asyncio.sleep(max(0.0, (one.dial_ms - self._clock()) / 1_000))
                if await self._starter.begin(self._call(one, playbook)):
                    begun.append(one.call_id)
                else:
                    await self._book.call_is_lost(one.call_id, self._clock())
        finally:
            if begun:
                await self._book.call_has_begun(begun)
        log.info("attempts_begun", campaign=planned[0].campaign_id, attempts=len(begun))

    def _call(self, planned: PlannedCall, playbook: PlaybookBrief) -> CallInput:
        return CallInput(
            call_id=planned.call_id,
            direction=Direction.OUTBOUND,
            playbook=playbook,
            caller_number=planned.number,
            our_number=planned.our_number,
            tenant=planned.tenant,
            campaign=planned.campaign_id,
            variables=planned.variables,
            timers=self._defaults.timers,
            discreet=self._defaults.discreet,
            machine=Machine.DETECT,
            voicemail_line=planned.voicemail_line,
        )
