"""Lists on their way into campaigns, in SQL, and what is to be expected of them."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.campaign_outlook import Looking, Outlook
from core.contact_list import ListedContact
from core.contracts.call import Direction
from core.contracts.campaign import ContactState
from core.list_records import Fault, FaultKind
from core.may_call import ConsentOnRecord
from core.ports.campaign import UnknownCampaign
from core.ports.contact_lists import (
    MOST_FAULTS,
    ContactLists,
    ListUpload,
    PastCalls,
    UploadElsewhere,
)
from storage.campaign_rows import Asked, Records, keep_consent, records_of, settings_of
from storage.database import Database
from storage.models import Call, CampaignRow, ConsentRow, ContactRow, ContactUploadRow
from storage.rows import insert_new, make_sure_of

PAGE: Final = 500
NEWEST_CALLS: Final = 200


class _Listed(NamedTuple):
    contact_id: str
    number: str
    stated_zone: str
    state: str


class SqlContactLists(ContactLists):
    """Each method is one transaction, but ``outlook``, which is some a page. ``page``: contacts looked at together."""

    def __init__(self, database: Database, *, page: int = PAGE) -> None:
        self._database = database
        self._paged = page

    async def upload(self, campaign_id: str, upload_id: str) -> ListUpload | None:
        """See the port."""
        async with self._database.read() as session:
            row = await session.get(ContactUploadRow, (campaign_id, upload_id))
        return None if row is None else _upload(row)

    async def uploads(self, campaign_id: str) -> Sequence[ListUpload]:
        """See the port."""
        row = ContactUploadRow
        wanted = select(row).where(row.campaign_id == campaign_id).order_by(row.changed_ms.desc(), row.upload_id)
        async with self._database.read() as session:
            return [_upload(found) for found in await session.scalars(wanted)]

    async def take(
        self,
        upload: ListUpload,
        items: Sequence[ListedContact | Fault],
        now_ms: float,
        *,
        lines: int,
        complete: bool = False,
    ) -> ListUpload:
        """See the port."""
        key = {"campaign_id": upload.campaign_id, "upload_id": upload.upload_id}
        async with self._database.write() as session:
            campaign = await session.get(CampaignRow, upload.campaign_id)
            if campaign is None:
                raise UnknownCampaign(upload.campaign_id)
            await make_sure_of(session, ContactUploadRow, [key | _values(replace(upload, lines=0, added=0))])
            row = await session.get_one(ContactUploadRow, (upload.campaign_id, upload.upload_id), with_for_update=True)
            if (row.lines, row.added) != (upload.lines, upload.added):
                raise UploadElsewhere
            there = await _there(session, upload.campaign_id, items)
            new: dict[str, ListedContact] = {}
            faults: list[Fault] = []
            for item in items:
                if isinstance(item, Fault):
                    faults.append(item)
                elif item.number in there or item.number in new:
                    faults.append(Fault(item.line, FaultKind.DUPLICATE, "its number is in the campaign already"))
                else:
                    new[item.number] = item
            if new:
                ids = _ids()
                rows = [_contact(upload.campaign_id, next(ids), contact) for contact in new.values()]
                await session.execute(insert_new(session, ContactRow), rows)
            await _keep_consents(session, campaign.tenant, items)
            after = replace(
                upload,
                lines=lines,
                added=upload.added + len(new),
                faults=dict(Counter(upload.faults) + Counter(fault.kind for fault in faults)),
                first_faults=(*upload.first_faults, *faults)[:MOST_FAULTS],
                complete=complete,
                changed_ms=now_ms,
            )
            for name, value in _values(after).items():
                setattr(row, name, value)
        return after

    async def outlook(self, campaign_id: str, now_ms: float, most: int | None = None) -> AsyncIterator[Outlook]:
        """See the port."""
        async with self._database.read() as session:
            campaign = await session.get(CampaignRow, campaign_id)
            if campaign is None:
                raise UnknownCampaign(campaign_id)
            contacts = await session.scalar(select(func.count()).where(ContactRow.campaign_id == campaign_id)) or 0
        settings = settings_of(campaign)
        looking = Looking(settings.rules, contacts, now_ms)
        yield looking.so_far()
        left, after = most, ""
        while page := await self._page(campaign_id, after, self._paged if left is None else min(self._paged, left)):
            numbers = [row.number for row in page if row.state != ContactState.DONE.value]
            async with self._database.read() as session:
                records = await records_of(session, settings, numbers, now_ms)
            await asyncio.to_thread(_look, looking, page, records)  # the process serves calls meanwhile
            yield looking.so_far()
            left = None if left is None else left - len(page)
            after = page[-1].contact_id

    async def _page(self, campaign_id: str, after: str, limit: int) -> Sequence[_Listed]:
        """Contacts in the order of the list."""
        wanted = (
            select(ContactRow.contact_id, ContactRow.number, ContactRow.stated_zone, ContactRow.state)
            .where(ContactRow.campaign_id == campaign_id, ContactRow.contact_id > after)
            .order_by(ContactRow.contact_id)
            .limit(limit)
        )
        async with self._database.read() as session:
            return [_Listed(*row) for row in await session.execute(wanted)]

    async def past_calls(self, playbook: str) -> PastCalls:
        """See the port."""
        newest = (
            select(Call.cost_usd, (Call.ended_ms - Call.started_ms).label("took_ms"))
            .where(Call.direction == Direction.OUTBOUND.value, Call.ended_ms.is_not(None))
            .where(Call.playbook.startswith(f"{playbook}@", autoescape=True))
            .order_by(Call.started_ms.desc())
            .limit(NEWEST_CALLS)
            .subquery()
        )
        wanted = select(func.count(), func.avg(newest.c.took_ms), func.avg(newest.c.cost_usd)).select_from(newest)
        async with self._database.read() as session:
            calls, took_ms, usd = (await session.execute(wanted)).one()
        return PastCalls(calls, float(took_ms or 0.0), float(usd or 0.0))


def _look(looking: Looking, page: Sequence[_Listed], records: Records) -> None:
    for row in page:
        if row.state == ContactState.DONE.value:
            looking.at_done()
        else:
            looking.at(records.known(Asked(row.number, row.stated_zone)))


def _ids() -> Iterator[str]:
    """Ids that rise in the order of the list, so that it is called in that order; not made of numbers."""
    begun = time.time_ns() // 1_000
    batch = secrets.token_hex(4)
    ordinal = 0
    while True:
        yield f"{begun:014x}{ordinal:04x}{batch}"
        ordinal += 1


async def _there(session: AsyncSession, campaign_id: str, items: Sequence[ListedContact | Fault]) -> set[str]:
    numbers = [item.number for item in items if isinstance(item, ListedContact)]
    wanted = select(ContactRow.number).where(ContactRow.campaign_id == campaign_id, ContactRow.number.in_(numbers))
    return set(await session.scalars(wanted)) if numbers else set()


async def _keep_consents(session: AsyncSession, tenant: str, items: Sequence[ListedContact | Fault]) -> None:
    """New ones together; where there is one already, the newest word counts."""
    given: dict[str, ConsentOnRecord] = {}
    for item in items:
        if isinstance(item, ListedContact) and item.consent is not None:
            other = given.get(item.number)
            given[item.number] = item.consent if other is None else max(other, item.consent, key=_given)
    if not given:
        return
    wanted = select(ConsentRow.number).where(ConsentRow.tenant == tenant, ConsentRow.number.in_(list(given)))
    known = set(await session.scalars(wanted))
    for number in known:
        await keep_consent(session, tenant, number, given[number])
    rows = [{"tenant": tenant, "number": number, **asdict(given[number])} for number in given if number not in known]
    if rows:
        await session.execute(insert_new(session, ConsentRow), rows)


def _given(consent: ConsentOnRecord) -> float:
    return consent.given_ms


def _contact(campaign_id: str, contact_id: str, contact: ListedContact) -> Mapping[str, Any]:
    return {
        "campaign_id": campaign_id,
        "contact_id": contact_id,
        "number": contact.number,
        "stated_zone": contact.stated_zone,
        "variables": contact.variables,
        "state": ContactState.WAITING.value,
        "due_ms": 0.0,
        "outcomes": [],
    }


def _values(upload: ListUpload) -> dict[str, Any]:
    return {
        "lines": upload.lines,
        "added": upload.added,
        "faults": {kind.value: count for kind, count in upload.faults.items()},
        "first_faults": [[fault.line, fault.kind.value, fault.detail] for fault in upload.first_faults],
        "complete": upload.complete,
        "changed_ms": upload.changed_ms,
    }


def _upload(row: ContactUploadRow) -> ListUpload:
    return ListUpload(
        campaign_id=row.campaign_id,
        upload_id=row.upload_id,
        lines=row.lines,
        added=row.added,
        faults={FaultKind(kind): count for kind, count in row.faults.items()},
        first_faults=tuple(Fault(line, FaultKind(kind), detail) for line, kind, detail in row.first_faults),
        complete=row.complete,
        changed_ms=row.changed_ms,
    )
