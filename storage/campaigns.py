"""What operators do with campaigns, and what the moment of dialling asks: in SQL."""

import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Final

from sqlalchemy import func, select, update

from core.attempts import AttemptOutcome
from core.contracts.campaign import (
    Attempt,
    CampaignPhase,
    CampaignProgress,
    CampaignSettings,
    Contact,
    ContactState,
)
from core.may_call import ConsentOnRecord, Hindrance, hindrances
from core.ports.campaign import (
    Campaigns,
    DialGate,
    DncEntry,
    ListedCampaign,
    NewContact,
    Permission,
    PermissionChange,
    UnknownCampaign,
)
from storage.attempts import call_off_the_rest
from storage.campaign_rows import (
    Asked,
    attempt_of,
    attempts_of,
    change_of,
    changed_by,
    consent_of,
    contact_of,
    counted,
    dnc_of,
    forbidden_scopes,
    keep_consent,
    known_of,
    listed,
    log_change,
    put_on_dnc,
    settings_json,
    settings_of,
)
from storage.database import Database
from storage.models import AttemptRow, CampaignRow, ConsentRow, ContactRow, DncRow, PermissionChangeRow
from storage.rows import insert_new

PAGE: Final = 500
MINUTE_MS: Final = 60_000.0
_GOING: Final = {CampaignPhase.RUNNING.value, CampaignPhase.PAUSED.value}


class SqlDialGate(DialGate):
    """Each method is one transaction. All raise StorageUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hindrances(
        self, call_id: str, number: str, tenant: str, campaign: str | None, now_ms: float
    ) -> tuple[Hindrance, ...]:
        """See the port."""
        async with self._database.read() as session:
            if campaign is None:
                return (Hindrance.DNC,) if await forbidden_scopes(session, number, tenant, "") else ()
            row = await session.get(CampaignRow, campaign)
            if row is None:
                raise UnknownCampaign(campaign)
            settings = settings_of(row)
            zone = await session.scalar(
                select(ContactRow.stated_zone).where(ContactRow.campaign_id == campaign, ContactRow.number == number)
            )
            known = await known_of(session, settings, [Asked(number, zone or "")], now_ms, but=call_id)
            attempt = await session.get(AttemptRow, call_id)
        found = hindrances(settings.rules, known[number], now_ms)
        if not found and attempt is not None and not await self._is_dialled(call_id, now_ms):
            return (Hindrance.CALLED_OFF,)
        return found

    async def _is_dialled(self, call_id: str, now_ms: float) -> bool:
        """From here on its campaign cannot call it off; False if it has."""
        opened = AttemptRow.call_id == call_id, AttemptRow.ended_ms.is_(None)
        dialled = update(AttemptRow).where(*opened).values(begun=True, dialled_ms=now_ms)
        async with self._database.write() as session:
            return await session.scalar(dialled.returning(AttemptRow.call_id)) is not None

    async def forbid(self, entry: DncEntry) -> None:
        """See the port."""
        async with self._database.write() as session:
            await put_on_dnc(session, entry)


class SqlCampaigns(Campaigns):
    """Each method is one transaction. All raise StorageUnavailable. ``page``: contacts read together."""

    def __init__(self, database: Database, *, page: int = PAGE) -> None:
        self._database = database
        self._page = page

    async def create(self, settings: CampaignSettings, now_ms: float) -> bool:
        """See the port."""
        async with self._database.write() as session:
            if await session.get(CampaignRow, settings.campaign_id) is not None:
                return False
            session.add(
                CampaignRow(
                    campaign_id=settings.campaign_id,
                    tenant=settings.tenant,
                    phase=CampaignPhase.DRAFT.value,
                    settings=settings_json(settings),
                    created_ms=now_ms,
                )
            )
        return True

    async def change(self, settings: CampaignSettings) -> None:
        """See the port. Whoever was put off by the rules that were is looked at again."""
        async with self._database.write() as session:
            row = await session.get(CampaignRow, settings.campaign_id, with_for_update=True)
            if row is None:
                raise UnknownCampaign(settings.campaign_id)
            if settings_of(row).rules != settings.rules:
                never_called = func.json_array_length(ContactRow.outcomes) == 0
                if self._database.on_postgresql:
                    never_called = func.jsonb_array_length(ContactRow.outcomes) == 0
                await session.execute(
                    update(ContactRow)
                    .where(ContactRow.campaign_id == settings.campaign_id, never_called)
                    .where(ContactRow.state == ContactState.WAITING.value)
                    .values(due_ms=0.0)
                )
            row.settings = settings_json(settings)

    async def campaign(self, campaign_id: str) -> ListedCampaign | None:
        """See the port."""
        async with self._database.read() as session:
            row = await session.get(CampaignRow, campaign_id)
            return (await listed(session, [row]))[0] if row is not None else None

    async def campaigns(self, limit: int = 100) -> Sequence[ListedCampaign]:
        """See the port."""
        wanted = select(CampaignRow).order_by(CampaignRow.created_ms.desc(), CampaignRow.campaign_id).limit(limit)
        async with self._database.read() as session:
            return await listed(session, list(await session.scalars(wanted)))

    async def add(self, campaign_id: str, contacts: Sequence[NewContact], now_ms: float) -> int:
        """See the port."""
        rows = [
            {
                "campaign_id": campaign_id,
                "contact_id": secrets.token_hex(8),  # not the number: ids of calls are made of it
                "number": contact.number,
                "stated_zone": contact.stated_zone,
                "variables": contact.variables or {},
                "state": ContactState.WAITING.value,
                "due_ms": 0.0,
                "outcomes": [],
            }
            for contact in contacts
        ]
        async with self._database.write() as session:
            row = await session.get(CampaignRow, campaign_id)
            if row is None:
                raise UnknownCampaign(campaign_id)
            added = 0
            if rows:
                inserted = insert_new(session, ContactRow).returning(ContactRow.contact_id)
                added = len((await session.scalars(inserted, rows)).all())
            for contact in contacts:
                if contact.consent is not None:
                    await keep_consent(session, row.tenant, contact.number, contact.consent)
            return added

    async def contacts(self, campaign_id: str, after: str = "", limit: int = 100) -> Sequence[Contact]:
        """See the port."""
        wanted = (
            select(ContactRow)
            .where(ContactRow.campaign_id == campaign_id, ContactRow.contact_id > after)
            .order_by(ContactRow.contact_id)
            .limit(limit)
        )
        async with self._database.read() as session:
            return [contact_of(row) for row in await session.scalars(wanted)]

    async def results(self, campaign_id: str) -> AsyncIterator[tuple[Contact, Sequence[Attempt]]]:
        """See the port."""
        after = ""
        while page := await self.contacts(campaign_id, after, self._page):
            async with self._database.read() as session:
                made = await attempts_of(session, campaign_id, page)
            for contact, attempts in made:
                yield contact, attempts
            after = page[-1].contact_id

    async def attempts(self, number: str, limit: int = 100) -> Sequence[Attempt]:
        """See the port."""
        wanted = (
            select(AttemptRow).where(AttemptRow.number == number).order_by(AttemptRow.opened_ms.desc()).limit(limit)
        )
        async with self._database.read() as session:
            return [attempt_of(row) for row in await session.scalars(wanted)]

    async def progress(self, campaign_id: str, now_ms: float) -> CampaignProgress:
        """See the port."""
        async with self._database.read() as session:
            ours = ContactRow.campaign_id == campaign_id
            states = await counted(session, ContactRow.state, ours)
            hindered = await counted(session, ContactRow.hindrance, ours, ContactRow.hindrance.is_not(None))
            outcomes = await counted(session, AttemptRow.outcome, AttemptRow.campaign_id == campaign_id)
            last_minute = await session.scalar(
                select(func.count()).where(
                    AttemptRow.campaign_id == campaign_id, AttemptRow.opened_ms > now_ms - MINUTE_MS
                )
            )
        by_outcome = {AttemptOutcome(name): count for name, count in outcomes.items() if name is not None}
        return CampaignProgress(
            contacts=sum(states.values()),
            waiting=states.get(ContactState.WAITING.value, 0),
            dialling=states.get(ContactState.DIALLING.value, 0),
            done=states.get(ContactState.DONE.value, 0),
            attempts=sum(outcomes.values()),
            answered=sum(count for outcome, count in by_outcome.items() if outcome.answered),
            outcomes=by_outcome,
            hindered={Hindrance(name): count for name, count in hindered.items() if name is not None},
            last_minute=last_minute or 0,
        )

    async def blocked(self, number: str = "", limit: int = 100) -> Sequence[DncEntry]:
        """See the port."""
        wanted = select(DncRow).order_by(DncRow.added_ms.desc(), DncRow.number).limit(limit)
        wanted = wanted.where(DncRow.number == number) if number else wanted.where(DncRow.removed_ms.is_(None))
        async with self._database.read() as session:
            return [dnc_of(row) for row in await session.scalars(wanted)]

    async def block(self, entry: DncEntry) -> None:
        """See the port."""
        async with self._database.write() as session:
            await put_on_dnc(session, entry)

    async def unblock(self, entry: DncEntry, now_ms: float) -> bool:
        """See the port."""
        key = (entry.number, entry.scope.value, entry.of)
        async with self._database.write() as session:
            row = await session.get(DncRow, key, with_for_update=True)
            if row is None or row.removed_ms is not None:
                return False
            row.removed_ms = now_ms
            log_change(session, changed_by(entry, Permission.ALLOWED, now_ms))
        return True

    async def end(self, campaign_id: str, now_ms: float) -> bool:
        """See the port."""
        async with self._database.write() as session:
            row = await session.get(CampaignRow, campaign_id, with_for_update=True)
            if row is None or row.phase not in _GOING:
                return False
            row.phase, row.ended_ms = CampaignPhase.CANCELED.value, now_ms
            await call_off_the_rest(session, campaign_id, now_ms)
        return True

    async def changes(self, number: str = "", limit: int = 100) -> Sequence[PermissionChange]:
        """See the port."""
        wanted = select(PermissionChangeRow).order_by(PermissionChangeRow.change_id.desc()).limit(limit)
        if number:
            wanted = wanted.where(PermissionChangeRow.number == number)
        async with self._database.read() as session:
            return [change_of(row) for row in await session.scalars(wanted)]

    async def consent(self, tenant: str, number: str, consent: ConsentOnRecord) -> None:
        """See the port."""
        async with self._database.write() as session:
            await keep_consent(session, tenant, number, consent)

    async def consent_of(self, tenant: str, number: str) -> ConsentOnRecord | None:
        """See the port."""
        async with self._database.read() as session:
            return consent_of(await session.get(ConsentRow, (tenant, number)))
