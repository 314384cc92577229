"""The story of one campaign: round after round, until everybody was reached or given up."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy

from core.contracts import names
from core.contracts.campaign import CampaignInput, CampaignPhase, CampaignState, KeepPhase, OpenRound, Round
from workflows.attempts import ALIVE, ALIVE_LATER

with workflow.unsafe.imports_passed_through():
    from activities.campaign import CampaignActivities

BREATH: Final = timedelta(milliseconds=50)  # between rounds that take long, for whoever wants the database, too
LONGEST_WAIT: Final = timedelta(hours=1)  # then SQL is looked at again, whatever it said before
# What a lost round has chosen is in flight already, so it begins again at once.
FOREVER: Final = RetryPolicy(initial_interval=timedelta(seconds=0.2), maximum_interval=timedelta(seconds=10))


@workflow.defn(name=names.CAMPAIGN_WORKFLOW)
class CampaignWorkflow:
    """Paces, waits for calling windows, and ends. Whom to call is SQL's to know; each attempt is a workflow of its own.

    Rounds follow each other, so no two of them choose at once; a worker that dies in one leaves attempts whose calls
    the next round begins.
    """

    @workflow.init
    def __init__(self, campaign: CampaignInput) -> None:
        self._campaign = campaign
        self._paused = campaign.paused
        self._canceled = False
        self._news = False
        self._leaving = False  # this run makes no further round
        self._kept: CampaignPhase | None = None  # what SQL says
        self._last = Round()
        self._waits_until_ms: float | None = None

    @workflow.run
    async def run(self, campaign: CampaignInput) -> CampaignPhase:
        """Until the last attempt has ended."""
        await self._keep(CampaignPhase.PAUSED if self._paused else CampaignPhase.RUNNING)
        for _ in range(campaign.rounds):
            if self._paused and not self._canceled:
                await self._pause()
            if self._canceled:
                return await self._finish(CampaignPhase.CANCELED)
            began = workflow.time()
            self._last = await self._round()
            if self._last.next_ms is None and self._last.in_flight == 0 and not self._news:
                return await self._finish(CampaignPhase.COMPLETED)
            await self._wait(began)
        self._leaving = True
        await workflow.wait_condition(workflow.all_handlers_finished)
        following = CampaignInput(campaign.campaign_id, campaign.tick_s, campaign.rounds, paused=self._paused)
        return workflow.continue_as_new(following)

    @workflow.update(name=names.PAUSE_CAMPAIGN)
    async def pause(self) -> None:
        """Begin no further attempt; those under way go on. Returns once it is so, or a new run begins with it."""
        self._paused = True
        await workflow.wait_condition(
            lambda: self._kept is CampaignPhase.PAUSED or self._leaving or self._canceled or not self._paused
        )

    @workflow.update(name=names.RESUME_CAMPAIGN)
    async def resume(self) -> None:
        """Go on."""
        self._paused = False

    @workflow.update(name=names.CANCEL_CAMPAIGN)
    async def cancel(self) -> None:
        """Call nobody any more; who is spoken with is spoken with to the end."""
        self._canceled = True

    @workflow.signal(name=names.CAMPAIGN_CHANGED)
    def changed(self) -> None:
        """Settings or contacts are not what they were: look again now."""
        self._news = True

    @workflow.query(name=names.STATE)
    def state(self) -> CampaignState:
        """Where it stands."""
        phase = CampaignPhase.RUNNING
        if self._canceled:
            phase = CampaignPhase.CANCELED
        elif self._paused:
            phase = CampaignPhase.PAUSED
        return CampaignState(self._campaign.campaign_id, phase, self._last, self._waits_until_ms)

    async def _round(self) -> Round:
        self._news = False
        return await workflow.execute_activity_method(
            CampaignActivities.open_round,
            OpenRound(self._campaign.campaign_id),
            start_to_close_timeout=timedelta(seconds=30),  # one transaction, and a second of starting calls
            heartbeat_timeout=ALIVE,  # the attempts that it has opened are in flight
            retry_policy=FOREVER,  # a database or an engine that is away comes back; nobody is dialled meanwhile
            summary=f"call who is due; {self._last.in_flight} in flight",
        )

    async def _wait(self, began: float) -> None:
        """Until somebody may be due; while calls are under way, whose ends bring retries: a tick after the round began.

        A round takes as long as the calls that it begins are spread over, which the carrier's pace has as a second.
        """
        now_ms = workflow.time() * 1_000
        tick = max(timedelta(seconds=self._campaign.tick_s + began - now_ms / 1_000), BREATH)
        due_ms = [at for at in (self._last.next_ms, self._last.rests_until_ms) if at is not None]
        pause = timedelta(milliseconds=max(due_ms) - now_ms) if due_ms else tick
        if self._last.in_flight:
            pause = tick
        pause = min(max(pause, tick), LONGEST_WAIT)
        self._waits_until_ms = now_ms + pause.total_seconds() * 1_000
        workflow.set_current_details(self._details())
        await self._until_news(pause)
        self._waits_until_ms = None

    async def _until_news(self, at_most: timedelta) -> None:
        try:
            await workflow.wait_condition(lambda: self._news or self._paused or self._canceled, timeout=at_most)
        except TimeoutError:
            return

    async def _pause(self) -> None:
        await self._keep(CampaignPhase.PAUSED)
        await workflow.wait_condition(lambda: not self._paused or self._canceled)
        if not self._canceled:
            await self._keep(CampaignPhase.RUNNING)

    async def _finish(self, phase: CampaignPhase) -> CampaignPhase:
        self._leaving = True
        await self._keep(phase, call_off=phase is CampaignPhase.CANCELED)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return phase

    async def _keep(self, phase: CampaignPhase, *, call_off: bool = False) -> None:
        workflow.set_current_details(f"**{phase.value}**")
        await workflow.execute_activity_method(
            CampaignActivities.keep_phase,
            KeepPhase(self._campaign.campaign_id, phase, call_off),
            start_to_close_timeout=timedelta(seconds=30),  # calling off may touch a million rows
            heartbeat_timeout=ALIVE_LATER,
            retry_policy=FOREVER,
            summary=f"the campaign is {phase.value}",
        )
        self._kept = phase

    def _details(self) -> str:
        last = self._last
        lines = [f"**running**, {last.in_flight} in flight, {last.opened} begun in the last round"]
        if last.rests_until_ms is not None:
            lines.append("dialling rests: too many attempts fail")
        return "\n\n".join(lines)
