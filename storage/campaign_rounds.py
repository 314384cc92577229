"""One round of a campaign in SQL: who is called now. The attempt's row is there before anything rings."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Select, cast, false, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.attempts import AttemptOutcome, why_now
from core.contracts.call import Phase
from core.contracts.campaign import (
    CampaignPhase,
    CampaignSettings,
    ContactState,
    Round,
    VoicemailPolicy,
    attempt_call_id,
)
from core.may_call import DAY_MS, KnownOfNumber, callable_from, hindrances
from core.pacing import Answering, Ended, Talking, Want, further_attempts, places, rests_until, share_out
from core.ports.campaign import CampaignBook, PlannedCall, UnknownCampaign
from storage.attempts import call_off_the_rest, close_attempt
from storage.campaign_rows import Asked, consent_json, counted, known_of, settings_of
from storage.database import Database
from storage.models import AttemptRow, Call, CampaignRow, ContactRow, DialRate
from storage.rows import make_sure_of

AHEAD_MS: Final = 1_000.0  # a round fills the time until the next
QUEUED_MS: Final = 10_000.0  # what has not been dialled for longer stands in no queue: its call was ended, say
UNUSED_MS: Final = 2_500.0  # a share that nobody has taken for so long is anybody's
PAGE: Final = 100  # contacts looked at together
SPARE: Final = 5  # beyond those that are wanted: some may not be called
MOST_LOOKED_AT: Final = 1_000  # in a round
MOST_SHARED: Final = 1_000  # dials that are divided among campaigns one by one
SEEN: Final = 50  # due contacts of another campaign: more make no difference to its share
BUSY_ELSEWHERE_MS: Final = 60_000.0  # another campaign is dialling the number
LOST_AFTER_MS: Final = 5 * 60_000.0  # a call that has ended without a record: it may still come from another queue
LONG_MS: Final = 3 * 3_600_000.0  # few calls last so long: Temporal is asked whether this one does
MOST_DOUBTED: Final = 20  # in a round
ABOUT_MS: Final = 3_600_000  # so near is "about this hour", which a change of the clocks leaves so
MONTH_MS: Final = 30 * DAY_MS
ACCOUNT: Final = "carrier"
_OVER: Final = (CampaignPhase.COMPLETED.value, CampaignPhase.CANCELED.value)


class SqlCampaignBook(CampaignBook):
    """Each method is one transaction. All raise StorageUnavailable.

    Args:
        calls_per_second: what the carrier account may dial, all campaigns together.
    """

    def __init__(self, database: Database, *, calls_per_second: float = 1.0) -> None:
        self._database = database
        self._per_second = calls_per_second

    async def open_round(self, campaign_id: str, now_ms: float) -> tuple[Round, Sequence[PlannedCall]]:
        """See the port."""
        async with self._database.write() as session:
            campaign = await _locked(session, campaign_id)
            settings = settings_of(campaign)
            again = await _not_begun(session, settings)
            in_flight = await _count(session, _open(campaign_id))
            opened: list[PlannedCall] = []
            rests = None
            if campaign.phase == CampaignPhase.RUNNING.value:
                rests = rests_until(settings.breaker, await _recent(session, settings))
                at_most = await self._most(session, settings, in_flight, now_ms)
                if rests is not None:
                    at_most = 0 if now_ms < rests else min(at_most, 1 - in_flight)
                opened = await self._open_attempts(session, settings, at_most, now_ms)
            found = Round(
                opened=len(opened),
                in_flight=in_flight + len(opened),
                next_ms=await session.scalar(select(func.min(ContactRow.due_ms)).where(*_waiting(campaign_id))),
                rests_until_ms=rests if rests is not None and now_ms < rests else None,
            )
            return found, [*again, *opened]

    async def call_has_begun(self, call_ids: Sequence[str]) -> None:
        """See the port."""
        async with self._database.write() as session:
            await session.execute(update(AttemptRow).where(AttemptRow.call_id.in_(call_ids)).values(begun=True))

    async def doubtful_calls(self, campaign_id: str, now_ms: float) -> Sequence[str]:
        """See the port."""
        over = select(CampaignRow.campaign_id).where(CampaignRow.phase.in_(_OVER))
        open_ = or_(AttemptRow.campaign_id == campaign_id, AttemptRow.campaign_id.in_(over))
        long_ago = AttemptRow.missed_ms.is_(None) & (AttemptRow.opened_ms <= now_ms - LONG_MS)
        missed = AttemptRow.missed_ms <= now_ms - LOST_AFTER_MS
        wanted = select(AttemptRow.call_id).where(open_, AttemptRow.ended_ms.is_(None), AttemptRow.begun)
        wanted = wanted.where(long_ago | missed).limit(MOST_DOUBTED)
        async with self._database.read() as session:
            return list(await session.scalars(wanted))

    async def call_is_lost(self, call_id: str, now_ms: float) -> None:
        """See the port. Told again some minutes later, the attempt is closed: until then its record may come."""
        async with self._database.write() as session:
            row = await session.get(AttemptRow, call_id, with_for_update=True)
            if row is None or row.ended_ms is not None:
                return
            row.begun = True
            row.missed_ms = row.missed_ms or now_ms
            if now_ms - row.missed_ms >= LOST_AFTER_MS:
                await close_attempt(session, call_id, AttemptOutcome.FAILED, now_ms)

    async def keep_phase(self, campaign_id: str, phase: CampaignPhase, now_ms: float, *, call_off: bool) -> None:
        """See the port."""
        async with self._database.write() as session:
            campaign = await _locked(session, campaign_id)
            campaign.phase = phase.value
            if phase is CampaignPhase.RUNNING:
                campaign.started_ms = campaign.started_ms or now_ms
                campaign.ended_ms = None
            if phase in {CampaignPhase.COMPLETED, CampaignPhase.CANCELED}:
                campaign.ended_ms = now_ms
            if call_off:
                await call_off_the_rest(session, campaign_id, now_ms)

    async def _most(self, session: AsyncSession, settings: CampaignSettings, in_flight: int, now_ms: float) -> int:
        """What pace and carrier leave this campaign for the next second, beside what others are to have."""
        seen, talking = Answering(), Talking()
        if settings.pace.per_representative > 0:
            seen = await _answering(session, settings.campaign_id, now_ms)
            talking = await _talking(session, settings)
        own = further_attempts(settings.pace, seen, in_flight, talking)
        if own <= 0:
            return 0
        free_ms = await _free_ms(session)
        left = places(self._per_second, free_ms, now_ms, now_ms + AHEAD_MS, await _undialled(session, now_ms))
        if now_ms - free_ms > UNUSED_MS:
            return min(own, left)
        full = min(own + MOST_SHARED, places(self._per_second, 0.0, now_ms, now_ms + AHEAD_MS))
        ours = Want(settings.campaign_id, settings.tenant, settings.priority, own, in_flight)
        share = share_out(full, [ours, *await _others(session, settings.campaign_id, now_ms)])
        return min(own, left, share[settings.campaign_id])

    async def _open_attempts(
        self, session: AsyncSession, settings: CampaignSettings, at_most: int, now_ms: float
    ) -> list[PlannedCall]:
        """Go through who is due until enough attempts are open; who may not be called now is put off, or done."""
        opened: list[PlannedCall] = []
        looked_at = 0
        while len(opened) < at_most and looked_at < MOST_LOOKED_AT:
            wanted = min(PAGE, at_most - len(opened) + SPARE)
            ranked = (await session.execute(_in_turn(settings, now_ms).limit(wanted))).all()
            if not ranked:
                break
            page = [row for row, _ in ranked]
            good = {row.contact_id for row, good_hour in ranked if good_hour}
            looked_at += len(page)
            known = await known_of(session, settings, [Asked(row.number, row.stated_zone) for row in page], now_ms)
            busy = set(
                await session.scalars(
                    select(AttemptRow.number).where(
                        AttemptRow.number.in_([row.number for row in page]), AttemptRow.ended_ms.is_(None)
                    )
                )
            )
            for row in page:
                if row.number in busy:
                    row.due_ms = now_ms + BUSY_ELSEWHERE_MS
                elif found := hindrances(settings.rules, known[row.number], now_ms):
                    at_ms = callable_from(settings.rules, known[row.number], now_ms)
                    if at_ms is None:
                        lasting = next((one for one in found if not one.passes), found[0])
                        row.state, row.hindrance, row.done_ms = ContactState.DONE.value, lasting.value, now_ms
                    else:
                        row.due_ms = at_ms
                elif len(opened) < at_most:
                    good_hour = row.contact_id in good
                    opened.append(
                        await self._open_attempt(session, settings, row, known[row.number], now_ms, good_hour)
                    )
            await session.flush()
        return opened

    async def _open_attempt(
        self,
        session: AsyncSession,
        settings: CampaignSettings,
        row: ContactRow,
        known: KnownOfNumber,
        now_ms: float,
        good_hour: bool,
    ) -> PlannedCall:
        number = len(row.outcomes) + 1
        call_id = attempt_call_id(settings.campaign_id, row.contact_id, number)
        row.state = ContactState.DIALLING.value
        session.add(
            AttemptRow(
                call_id=call_id,
                campaign_id=settings.campaign_id,
                contact_id=row.contact_id,
                attempt=number,
                number=row.number,
                opened_ms=now_ms,
                zones=list(known.zones),
                consent=consent_json(known.consent),
                why_now=why_now([AttemptOutcome(one) for one in row.outcomes], good_hour=good_hour).value,
            )
        )
        rate = await session.get_one(DialRate, ACCOUNT)
        dial_ms = max(now_ms, rate.free_ms)
        rate.free_ms = dial_ms + 1_000 / self._per_second
        return _planned(settings, call_id, row, dial_ms)


def _planned(settings: CampaignSettings, call_id: str, row: ContactRow, dial_ms: float) -> PlannedCall:
    return PlannedCall(
        call_id=call_id,
        campaign_id=settings.campaign_id,
        number=row.number,
        our_number=settings.our_number,
        playbook=settings.playbook,
        tenant=settings.tenant,
        variables=row.variables,
        dial_ms=dial_ms,
        voicemail_line=settings.voicemail_line if settings.voicemail is VoicemailPolicy.MESSAGE else "",
    )


async def _locked(session: AsyncSession, campaign_id: str) -> CampaignRow:
    row = await session.get(CampaignRow, campaign_id, with_for_update=True)
    if row is None:
        raise UnknownCampaign(campaign_id)
    return row


async def _not_begun(session: AsyncSession, settings: CampaignSettings) -> list[PlannedCall]:
    """Attempts of a round that was cut off before their calls began."""
    rows = await session.execute(
        select(AttemptRow, ContactRow)
        .join(
            ContactRow,
            (ContactRow.campaign_id == AttemptRow.campaign_id) & (ContactRow.contact_id == AttemptRow.contact_id),
        )
        .where(AttemptRow.campaign_id == settings.campaign_id, AttemptRow.ended_ms.is_(None), ~AttemptRow.begun)
    )
    return [_planned(settings, attempt.call_id, contact, 0.0) for attempt, contact in rows]


def _waiting(campaign_id: str) -> tuple[Any, ...]:
    return ContactRow.campaign_id == campaign_id, ContactRow.state == ContactState.WAITING.value


def _due(campaign_id: str, now_ms: float) -> Select[ContactRow]:
    return (
        select(ContactRow)
        .where(*_waiting(campaign_id), ContactRow.due_ms <= now_ms)
        .order_by(ContactRow.due_ms, ContactRow.contact_id)
    )


def _in_turn(settings: CampaignSettings, now_ms: float) -> Select[ContactRow, bool]:
    """Who is due, and whether the number answered about this time of day before: such come first if so set."""
    if not settings.good_hours:
        return _due(settings.campaign_id, now_ms).add_columns(false())
    ago_ms = cast(now_ms - AttemptRow.opened_ms, BigInteger) % int(DAY_MS)
    answered = AttemptRow.outcome.in_([one.value for one in AttemptOutcome if one.answered])
    good_hour = (
        select(AttemptRow.call_id)
        .where(AttemptRow.number == ContactRow.number, answered)
        .where(or_(ago_ms <= ABOUT_MS, ago_ms >= DAY_MS - ABOUT_MS))
        .exists()
    )
    due = _due(settings.campaign_id, now_ms).add_columns(good_hour)
    return due.order_by(None).order_by(good_hour.desc(), ContactRow.due_ms, ContactRow.contact_id)


async def _undialled(session: AsyncSession, now_ms: float) -> int:
    """Attempts of all campaigns that wait for a worker, before the gate."""
    lately = AttemptRow.opened_ms > now_ms - QUEUED_MS
    waiting = lately, AttemptRow.ended_ms.is_(None), AttemptRow.dialled_ms.is_(None)
    return await _count(session, select(AttemptRow.call_id).where(*waiting))


def _open(campaign_id: str) -> Select[str]:
    return select(AttemptRow.call_id).where(AttemptRow.campaign_id == campaign_id, AttemptRow.ended_ms.is_(None))


async def _count(session: AsyncSession, what: Select[Any]) -> int:
    return await session.scalar(select(func.count()).select_from(what.subquery())) or 0


async def _recent(session: AsyncSession, settings: CampaignSettings) -> list[Ended]:
    rows = await session.execute(
        select(AttemptRow.outcome, AttemptRow.ended_ms)
        .where(AttemptRow.campaign_id == settings.campaign_id, AttemptRow.ended_ms.is_not(None))
        .order_by(AttemptRow.ended_ms.desc())
        .limit(settings.breaker.of_last)
    )
    return [Ended(outcome == AttemptOutcome.FAILED.value, ended_ms or 0.0) for outcome, ended_ms in rows]


async def _answering(session: AsyncSession, campaign_id: str, now_ms: float) -> Answering:
    by_outcome = await counted(
        session, AttemptRow.outcome, AttemptRow.campaign_id == campaign_id, AttemptRow.ended_ms > now_ms - MONTH_MS
    )
    answered = sum(by_outcome.get(one.value, 0) for one in AttemptOutcome if one.answered)
    return Answering(
        attempts=sum(by_outcome.values()),
        answered=answered,
        abandoned=by_outcome.get(AttemptOutcome.DROPPED.value, 0),
    )


async def _talking(session: AsyncSession, settings: CampaignSettings) -> Talking:
    """Representatives are a playbook's: its tenant's campaigns share them."""
    live = select(Call.call_id).where(Call.phase == Phase.TRANSFERRING.value)
    by_campaign = await counted(
        session, AttemptRow.campaign_id, AttemptRow.ended_ms.is_(None), AttemptRow.call_id.in_(live)
    )
    rows = await session.scalars(select(CampaignRow).where(CampaignRow.campaign_id.in_(by_campaign)))
    sharing = [
        one for one in map(settings_of, rows) if (one.tenant, one.playbook) == (settings.tenant, settings.playbook)
    ]
    return Talking(
        own=by_campaign.get(settings.campaign_id, 0), all=sum(by_campaign[one.campaign_id] for one in sharing)
    )


async def _others(session: AsyncSession, campaign_id: str, now_ms: float) -> list[Want]:
    """What other running campaigns could dial now."""
    running = await session.scalars(
        select(CampaignRow).where(
            CampaignRow.phase == CampaignPhase.RUNNING.value, CampaignRow.campaign_id != campaign_id
        )
    )
    wants = []
    for row in running:
        settings = settings_of(row)
        in_flight = await _count(session, _open(row.campaign_id))
        due = await _count(session, _due(row.campaign_id, now_ms).with_only_columns(ContactRow.contact_id).limit(SEEN))
        most = max(0, min(due, settings.pace.in_flight - in_flight))
        wants.append(Want(row.campaign_id, settings.tenant, settings.priority, most, in_flight))
    return wants


async def _free_ms(session: AsyncSession) -> float:
    """The account's next free moment; its row is ours until the transaction ends."""
    await make_sure_of(session, DialRate, [{"account": ACCOUNT, "free_ms": 0.0}])
    return (await session.get_one(DialRate, ACCOUNT, with_for_update=True)).free_ms
