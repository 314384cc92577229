"""Between the tables of campaigns and their contracts; who is on record as not to be called, or as having agreed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from core.attempts import AttemptOutcome, WhyNow
from core.calling_window import ZonePolicy
from core.contact_zones import UnknownZone, zones_of
from core.contracts.campaign import Attempt, CampaignPhase, CampaignSettings, Contact, ContactState
from core.may_call import WEEK_MS, ConsentOnRecord, DncScope, Hindrance, KnownOfNumber
from core.ports.campaign import DncEntry, ListedCampaign, Permission, PermissionChange
from storage.models import (
    AttemptRow,
    CampaignRow,
    ConsentRow,
    ContactRow,
    DncRow,
    PermissionChangeRow,
    WebhookEndpoint,
)
from storage.rows import make_sure_of

_SETTINGS: TypeAdapter[CampaignSettings] = TypeAdapter(CampaignSettings)
_CONSENT: TypeAdapter[ConsentOnRecord | None] = TypeAdapter(ConsentOnRecord | None)
T = TypeVar("T")

_NOTHING_RANG = [outcome.value for outcome in AttemptOutcome if not outcome.rang]


def settings_json(settings: CampaignSettings) -> dict[str, Any]:
    """As they stand in SQL."""
    told: dict[str, Any] = _SETTINGS.dump_python(settings, mode="json")
    return told


def settings_of(row: CampaignRow) -> CampaignSettings:
    """A campaign's settings."""
    return _SETTINGS.validate_python(row.settings)


async def listed(session: AsyncSession, rows: Sequence[CampaignRow]) -> list[ListedCampaign]:
    """Campaigns, where they stand, and whom they tell of it."""
    settings = [settings_of(row) for row in rows]
    named = {one.webhook for one in settings if one.webhook}
    urls: dict[str, str] = {}
    if named:
        endpoints = await session.scalars(select(WebhookEndpoint).where(WebhookEndpoint.endpoint_id.in_(named)))
        urls = {endpoint.endpoint_id: endpoint.url for endpoint in endpoints}
    return [
        ListedCampaign(
            one, CampaignPhase(row.phase), row.created_ms, row.started_ms, row.ended_ms, urls.get(one.webhook, "")
        )
        for one, row in zip(settings, rows, strict=True)
    ]


def contact_of(row: ContactRow) -> Contact:
    """A contact."""
    return Contact(
        campaign_id=row.campaign_id,
        contact_id=row.contact_id,
        number=row.number,
        stated_zone=row.stated_zone,
        variables=row.variables,
        state=ContactState(row.state),
        due_ms=row.due_ms,
        outcomes=tuple(AttemptOutcome(outcome) for outcome in row.outcomes),
        hindrance=Hindrance(row.hindrance) if row.hindrance else None,
        done_ms=row.done_ms,
    )


async def attempts_of(
    session: AsyncSession, campaign_id: str, contacts: Sequence[Contact]
) -> list[tuple[Contact, list[Attempt]]]:
    """Contacts of one campaign, each with its attempts, the first one first."""
    rows = await session.scalars(
        select(AttemptRow)
        .where(AttemptRow.campaign_id == campaign_id)
        .where(AttemptRow.contact_id.in_([contact.contact_id for contact in contacts]))
        .order_by(AttemptRow.attempt)
    )
    made: dict[str, list[Attempt]] = {}
    for row in rows:
        made.setdefault(row.contact_id, []).append(attempt_of(row))
    return [(contact, made.get(contact.contact_id, [])) for contact in contacts]


def attempt_of(row: AttemptRow) -> Attempt:
    """An attempt."""
    return Attempt(
        campaign_id=row.campaign_id,
        contact_id=row.contact_id,
        number=row.attempt,
        call_id=row.call_id,
        opened_ms=row.opened_ms,
        zones=tuple(row.zones),
        consent=_CONSENT.validate_python(row.consent),
        carrier_call_id=row.carrier_call_id,
        ended_ms=row.ended_ms,
        outcome=AttemptOutcome(row.outcome) if row.outcome else None,
        why_now=WhyNow(row.why_now) if row.why_now else None,
    )


def consent_json(consent: ConsentOnRecord | None) -> dict[str, Any] | None:
    """As it stands beside an attempt."""
    told: dict[str, Any] | None = _CONSENT.dump_python(consent, mode="json")
    return told


def dnc_of(row: DncRow) -> DncEntry:
    """An entry of the list of those who must not be called."""
    return DncEntry(row.number, DncScope(row.scope), row.of, row.reason, row.added_ms, row.removed_ms)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose record is looked up."""

    number: str
    stated_zone: str = ""


@dataclass(frozen=True)
class Records:
    """What is on record of some numbers, for one campaign."""

    policy: ZonePolicy
    forbidden: dict[str, set[DncScope]]
    agreed: dict[str, ConsentRow]
    attempts_ms: dict[str, list[float]]

    def known(self, asked: Asked) -> KnownOfNumber:
        """Of one of them. Finding the zones of a number takes 0.1 ms."""
        return KnownOfNumber(
            zones=zones_by_record(asked.number, asked.stated_zone, self.policy),
            dnc=frozenset(self.forbidden.get(asked.number, ())),
            consent=consent_of(self.agreed.get(asked.number)),
            attempts_ms=tuple(self.attempts_ms.get(asked.number, ())),
        )


async def records_of(
    session: AsyncSession, settings: CampaignSettings, numbers: Sequence[str], now_ms: float, but: str = ""
) -> Records:
    """``but``: the call whose own attempt does not count."""
    forbidden = await _forbidden(session, numbers, settings.tenant, settings.campaign_id)
    consents = await session.scalars(
        select(ConsentRow).where(ConsentRow.tenant == settings.tenant, ConsentRow.number.in_(numbers))
    )
    agreed = {row.number: row for row in consents}
    dialled = await session.execute(
        select(AttemptRow.number, AttemptRow.opened_ms)
        .where(AttemptRow.number.in_(numbers), AttemptRow.opened_ms > now_ms - WEEK_MS, AttemptRow.call_id != but)
        .where(or_(AttemptRow.outcome.is_(None), AttemptRow.outcome.not_in(_NOTHING_RANG)))
    )
    attempts: dict[str, list[float]] = {}
    for number, opened_ms in dialled:
        attempts.setdefault(number, []).append(opened_ms)
    return Records(settings.zones, forbidden, agreed, attempts)


async def known_of(
    session: AsyncSession, settings: CampaignSettings, asked: Sequence[Asked], now_ms: float, but: str = ""
) -> dict[str, KnownOfNumber]:
    """What is on record of these numbers, as ``records_of``."""
    records = await records_of(session, settings, [one.number for one in asked], now_ms, but)
    return {one.number: records.known(one) for one in asked}


async def forbidden_scopes(session: AsyncSession, number: str, tenant: str, campaign_id: str) -> set[DncScope]:
    """For whom the number must not be called."""
    return (await _forbidden(session, [number], tenant, campaign_id)).get(number, set())


async def _forbidden(
    session: AsyncSession, numbers: Sequence[str], tenant: str, campaign_id: str
) -> dict[str, set[DncScope]]:
    ours = or_(
        DncRow.scope == DncScope.GLOBAL.value,
        and_(DncRow.scope == DncScope.TENANT.value, DncRow.of == tenant),
        and_(DncRow.scope == DncScope.CAMPAIGN.value, DncRow.of == campaign_id),
    )
    rows = await session.execute(
        select(DncRow.number, DncRow.scope).where(DncRow.number.in_(numbers), DncRow.removed_ms.is_(None), ours)
    )
    found: dict[str, set[DncScope]] = {}
    for number, scope in rows:
        found.setdefault(number, set()).add(DncScope(scope))
    return found


async def put_on_dnc(session: AsyncSession, entry: DncEntry) -> None:
    """Write down that the number must not be called; an entry that stands already stays as it is."""
    key = {"number": entry.number, "scope": entry.scope.value, "of": entry.of}
    added_ms = entry.added_ms or time.time() * 1_000
    known = await session.get(DncRow, (entry.number, entry.scope.value, entry.of)) is not None
    new = {"reason": entry.reason, "added_ms": added_ms}
    await make_sure_of(session, DncRow, [key | new])
    row = await session.get_one(DncRow, (entry.number, entry.scope.value, entry.of), with_for_update=True)
    if known and row.removed_ms is None:
        return
    row.removed_ms, row.reason, row.added_ms = None, entry.reason, added_ms
    log_change(session, changed_by(entry, Permission.FORBIDDEN, added_ms))


def log_change(session: AsyncSession, change: PermissionChange) -> None:
    """Write down that a number may, or may not, be called any more."""
    session.add(
        PermissionChangeRow(
            number=change.number,
            change=change.change.value,
            scope=change.scope.value,
            of=change.of,
            reason=change.reason,
            at_ms=change.at_ms,
        )
    )


def changed_by(entry: DncEntry, change: Permission, at_ms: float) -> PermissionChange:
    """What an entry, or its end, has changed."""
    return PermissionChange(entry.number, change, entry.scope, entry.of, entry.reason, at_ms)


def change_of(row: PermissionChangeRow) -> PermissionChange:
    """A line of the log."""
    return PermissionChange(row.number, Permission(row.change), DncScope(row.scope), row.of, row.reason, row.at_ms)


async def keep_consent(session: AsyncSession, tenant: str, number: str, consent: ConsentOnRecord) -> None:
    """The newest word counts: a list that is uploaded again does not undo what was revoked after it was given."""
    key = {"tenant": tenant, "number": number}
    await make_sure_of(session, ConsentRow, [key | {"given_ms": consent.given_ms, "source": consent.source}])
    row = await session.get_one(ConsentRow, (tenant, number), with_for_update=True)
    if consent.revoked_ms is not None and (row.revoked_ms is None or consent.revoked_ms > row.revoked_ms):
        revoked = Permission.CONSENT_REVOKED, DncScope.TENANT, tenant, consent.source, consent.revoked_ms
        log_change(session, PermissionChange(number, *revoked))
        row.revoked_ms = consent.revoked_ms
    if consent.given_ms >= row.given_ms:
        row.given_ms, row.expires_ms, row.source = consent.given_ms, consent.expires_ms, consent.source


async def counted(session: AsyncSession, column: InstrumentedAttribute[T], *where: ColumnElement[bool]) -> dict[T, int]:
    """How many rows have each value."""
    rows = await session.execute(select(column, func.count()).where(*where).group_by(column))
    return {value: count for value, count in rows.all()}  # noqa: C416 (a row is a tuple to us only)


def consent_of(row: ConsentRow | None) -> ConsentOnRecord | None:
    """A consent, if there is one."""
    if row is None:
        return None
    return ConsentOnRecord(row.given_ms, row.revoked_ms, row.expires_ms, row.source)


def zones_by_record(number: str, stated: str, policy: ZonePolicy) -> tuple[str, ...]:
    """As ``zones_of``; () for a zone that is none."""
    try:
        return zones_of(number, stated, policy)
    except UnknownZone:  # was checked when it was listed; since then the system's zones have changed
        return ()
