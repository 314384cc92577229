"""REST: lists of contacts into campaigns, and what a campaign that is to start would find."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Final, Self

import structlog
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect

from api.campaigns import OVER, CampaignId
from api.deps import ApiDeps
from api.moments import moment
from api.openapi import problems
from api.problems import Refusal
from core.campaign_estimate import USUAL_CALL_MS, USUAL_USD, estimate
from core.contact_list import ContactReader, ListedContact, ListFormat
from core.contracts.campaign import CampaignPhase
from core.list_records import BadList, Fault, FaultKind
from core.may_call import Hindrance
from core.ports.campaign import ListedCampaign
from core.ports.contact_lists import ListUpload, Outlook, UploadElsewhere

log = structlog.get_logger()

BATCH: Final = 500  # contacts of one transaction
MOST_LOOKED_AT: Final = 10_000

Column = Annotated[str, Field(max_length=200, description="Name of a column; none: found by its usual names")]
ListName = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Names the list in its campaign", examples=["monday"])
]
_BODY = {
    "required": True,
    "content": {
        "application/octet-stream": {
            "schema": {"type": "string", "format": "binary"},
            "example": "number;name;consent\n030 12345678;Ada;2026-03-01\n",
        }
    },
}


class HowListed(BaseModel):
    """What a client says of its list; other parameters are refused."""

    model_config = ConfigDict(extra="forbid")

    number: Column = ""
    zone: Column = ""
    consent: Column = ""
    consent_source: Column = ""
    consent_expires: Column = ""
    leave_out: list[Annotated[str, Field(max_length=200)]] = Field([], max_length=200, description="No call gets them")
    region: str = Field("", max_length=2, description="Of numbers in national form, as DE; none: all are international")
    encoding: str = Field("utf-8", max_length=20, description="Unless the list begins with a mark")

    def format(self) -> ListFormat:
        """As readers have it."""
        columns = (self.number, self.zone, self.consent, self.consent_source, self.consent_expires)
        return ListFormat(*columns, dict.fromkeys(self.leave_out, ""), self.region, self.encoding)


class WhatToCheck(BaseModel):
    """Query parameters; others are refused."""

    model_config = ConfigDict(extra="forbid")

    most: int = Field(MOST_LOOKED_AT, ge=1, le=100_000, description="How many contacts are looked at")


class LineFault(BaseModel):
    """A line that is no contact."""

    line: int = Field(description="Where it begins, from 1; in a JSON array: which entry", examples=[17])
    kind: FaultKind
    detail: str = Field(examples=["has too few or too many digits for its country"])


class UploadedList(BaseModel):
    """How far a list has been read into its campaign."""

    name: str = Field(examples=["monday"])
    lines: int = Field(description="So many of its beginning have been dealt with", examples=[1204])
    added: int = Field(description="Contacts that are new in the campaign", examples=[1187])
    faults: dict[FaultKind, int] = Field(description="How many lines of which kind", examples=[{"duplicate": 12}])
    first_faults: list[LineFault] = Field(description="The first 200 of them")
    complete: bool = Field(description="False: it was cut; send it again under its name")
    changed_at: datetime = Field(examples=["2026-11-26T09:30:00Z"])

    @classmethod
    def of(cls, upload: ListUpload) -> Self:
        """As clients see it."""
        return cls(
            name=upload.upload_id,
            lines=upload.lines,
            added=upload.added,
            faults=upload.faults,
            first_faults=[LineFault(line=f.line, kind=f.kind, detail=f.detail) for f in upload.first_faults],
            complete=upload.complete,
            changed_at=moment(upload.changed_ms),
        )


class UploadedLists(BaseModel):
    """A campaign's lists, the newest first."""

    lists: list[UploadedList]


class Forecast(BaseModel):
    """How long it will take, and what it will cost, roughly."""

    attempts: int = Field(examples=[1760])
    dialling_hours: float = Field(description="While the calling window is open", examples=[3.2])
    ends_at: datetime | None = Field(
        description="If it started now; null: not within 120 days", examples=["2026-11-27T12:30:00Z"]
    )
    cost_usd: float = Field(examples=[211.2])
    measured: bool = Field(description="By this playbook's earlier calls; else by usual figures")


class CampaignCheck(BaseModel):
    """What a campaign would find if it started now; nobody is called for it."""

    contacts: int = Field(examples=[1187])
    looked_at: int = Field(description="The counts below are of the first so many contacts", examples=[1187])
    callable_now: int = Field(examples=[1021])
    callable_later: int = Field(examples=[79])
    waits: dict[Hindrance, int] = Field(description="Why later", examples=[{"outside_window": 79}])
    never: dict[Hindrance, int] = Field(description="Who will not be called, and why", examples=[{"dnc": 87}])
    done: int = Field(description="Called already, or called off", examples=[0])
    first_call_at: datetime | None = Field(description="null: nobody can be called", examples=["2026-11-27T07:00:00Z"])
    estimate: Forecast
    lists: list[UploadedList]
    problems: list[str] = Field(
        description="What an operator should look at", examples=[["87 contacts without consent"]]
    )


def router(deps: ApiDeps) -> APIRouter:
    """/v1/campaigns/{id}/lists and check."""
    routes = APIRouter(prefix="/v1/campaigns/{campaign_id}", tags=["campaigns"])
    lists = Checking(deps)

    @routes.put(
        "/lists/{name}",
        summary="Upload a list of contacts",
        responses=problems(400, 404, 409, 413),
        openapi_extra={"requestBody": _BODY},
    )
    async def upload_contacts(
        campaign_id: CampaignId,
        name: ListName,
        request: Request,
        told: Annotated[HowListed, Query()],
    ) -> UploadedList:
        """The body is the list as it is: CSV (any usual delimiter), JSON lines or a JSON array, of any length.

        Lines that cannot be used are told and passed over. A number is in a campaign once, however it is spelt. What
        is no column of its own becomes data that calls know. Sent again under its name, a list that was cut goes on
        where it was; one that is complete stays as it is.
        """
        return UploadedList.of(await lists.take(campaign_id, name, told.format(), request.stream()))

    @routes.get("/lists", summary="List a campaign's uploaded lists", responses=problems(404))
    async def list_lists(campaign_id: CampaignId) -> UploadedLists:
        """How far each was read, and what was wrong with it."""
        await lists.campaign(campaign_id)
        return UploadedLists(lists=[UploadedList.of(found) for found in await deps.contact_lists.uploads(campaign_id)])

    @routes.get("/check", summary="Check a campaign before it starts", responses=problems(404))
    async def check_campaign(campaign_id: CampaignId, what: Annotated[WhatToCheck, Query()]) -> CampaignCheck:
        """Who would be called now, later and never, and why; time and cost; what was wrong with the lists."""
        return await lists.check(campaign_id, what.most)

    return routes


class Checking:
    """Takes lists and looks at them. All raise Refusal."""

    def __init__(self, deps: ApiDeps) -> None:
        self._deps = deps

    async def campaign(self, campaign_id: str) -> ListedCampaign:
        found = await self._deps.campaigns.campaign(campaign_id)
        if found is None:
            raise Refusal(404, "unknown-campaign", "No campaign has this id.")
        return found

    async def take(self, campaign_id: str, upload_id: str, told: ListFormat, body: AsyncIterator[bytes]) -> ListUpload:
        campaign = await self.campaign(campaign_id)
        if campaign.phase in OVER:
            raise Refusal(409, "campaign-over", f"The campaign is {campaign.phase}: it takes no contacts any more.")
        upload = await self._deps.contact_lists.upload(campaign_id, upload_id) or ListUpload(campaign_id, upload_id)
        if upload.complete:
            return upload
        try:
            upload = await self._read(upload, told, body)
        except BadList as error:
            raise Refusal(422, "unusable-list", f"The list {error}.") from error
        except UploadElsewhere as error:
            raise Refusal(409, "upload-elsewhere", "Another request is sending this upload.") from error
        if campaign.phase is not CampaignPhase.DRAFT:
            await self._deps.temporal.campaign_changed(campaign_id)
        log.info("contacts_uploaded", campaign=campaign_id, added=upload.added, complete=upload.complete)
        return upload

    async def _read(self, upload: ListUpload, told: ListFormat, body: AsyncIterator[bytes]) -> ListUpload:
        """A list that is cut is kept as far as it was whole: its last line may be half a number."""
        reader = ContactReader(told, _now_ms(), f"list {upload.upload_id}")
        waiting: list[ListedContact | Fault] = []
        try:
            async for piece in body:
                waiting += await asyncio.to_thread(list, _beyond(reader.feed(piece), upload.lines))
                while len(waiting) >= BATCH:
                    upload = await self._keep(upload, waiting[:BATCH])
                    del waiting[:BATCH]
            waiting += await asyncio.to_thread(list, _beyond(reader.close(), upload.lines))
        except ClientDisconnect:
            return await self._keep(upload, waiting)
        while len(waiting) > BATCH:
            upload = await self._keep(upload, waiting[:BATCH])
            del waiting[:BATCH]
        return await self._keep(upload, waiting, complete=True)

    async def _keep(
        self, upload: ListUpload, items: Sequence[ListedContact | Fault], *, complete: bool = False
    ) -> ListUpload:
        lines = items[-1].line if items else upload.lines
        return await self._deps.contact_lists.take(upload, items, _now_ms(), lines=lines, complete=complete)

    async def check(self, campaign_id: str, most: int) -> CampaignCheck:
        campaign, now_ms, lists = await self.campaign(campaign_id), _now_ms(), self._deps.contact_lists
        outlook = await lists.outlook(campaign_id, now_ms, most)
        past = await lists.past_calls(campaign.settings.playbook)
        uploads = await lists.uploads(campaign_id)
        share = outlook.contacts / outlook.looked_at if outlook.looked_at else 0.0
        expected = estimate(
            round((outlook.now + outlook.later) * share),
            campaign.settings.rules.window,
            outlook.zones,
            now_ms,
            in_flight=campaign.settings.pace.in_flight,
            calls_per_second=self._deps.settings.calls_per_second,
            call_ms=past.average_ms if past.calls else USUAL_CALL_MS,
            call_usd=past.average_usd if past.calls else USUAL_USD,
        )
        return CampaignCheck(
            contacts=outlook.contacts,
            looked_at=outlook.looked_at,
            callable_now=outlook.now,
            callable_later=outlook.later,
            waits=outlook.waits,
            never=outlook.never,
            done=outlook.done,
            first_call_at=moment(outlook.first_ms) if outlook.first_ms is not None else None,
            estimate=Forecast(
                attempts=expected.attempts,
                dialling_hours=round(expected.dialling_ms / 3_600_000, 2),
                ends_at=moment(expected.ends_ms) if expected.ends_ms is not None else None,
                cost_usd=round(expected.usd, 2),
                measured=past.calls > 0,
            ),
            lists=[UploadedList.of(upload) for upload in uploads],
            problems=_problems(outlook, uploads),
        )


_NEVER: Final = {
    Hindrance.DNC: "must not be called (DNC)",
    Hindrance.NO_CONSENT: "without consent",
    Hindrance.CONSENT_REVOKED: "with a revoked consent",
    Hindrance.CONSENT_EXPIRED: "with an expired consent",
    Hindrance.UNKNOWN_ZONE: "in no known time zone",
    Hindrance.OUTSIDE_WINDOW: "where the calling window never opens",
    Hindrance.DAY_LIMIT: "beyond the limit a day, which allows none",
    Hindrance.WEEK_LIMIT: "beyond the limit a week, which allows none",
}


def _in_words(count: int, hindrance: Hindrance) -> str:
    return f"{count} contact{'s' if count > 1 else ''} {_NEVER[hindrance]}"


def _problems(outlook: Outlook, uploads: Sequence[ListUpload]) -> list[str]:
    found = [_in_words(count, hindrance) for hindrance, count in outlook.never.items()]
    if outlook.contacts == 0:
        found.append("the campaign has no contacts")
    elif outlook.now + outlook.later + outlook.done == 0:
        found.append("nobody can be called")
    for upload in uploads:
        bad = sum(count for kind, count in upload.faults.items() if kind is not FaultKind.DUPLICATE)
        if bad:
            found.append(f"list {upload.upload_id}: {bad} line{'s' if bad > 1 else ''} cannot be used")
        if not upload.complete:
            found.append(f"list {upload.upload_id} was cut behind line {upload.lines}: send it again")
    return found


def _beyond(items: Iterator[ListedContact | Fault], lines: int) -> Iterator[ListedContact | Fault]:
    return (item for item in items if item.line > lines)


def _now_ms() -> float:
    return time.time() * 1_000
