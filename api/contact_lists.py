"""REST: lists of contacts into campaigns."""

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
from core.contact_list import ContactReader, ListedContact, ListFormat
from core.contracts.campaign import CampaignPhase
from core.list_records import BadList, Fault, FaultKind
from core.ports.campaign import ListedCampaign
from core.ports.contact_lists import ListUpload, UploadElsewhere

log = structlog.get_logger()

BATCH: Final = 500  # contacts of one transaction

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


def router(deps: ApiDeps) -> APIRouter:
    """/v1/campaigns/{id}/lists."""
    routes = APIRouter(prefix="/v1/campaigns/{campaign_id}", tags=["campaigns"])
    lists = Taking(deps)

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

    return routes


class Taking:
    """Reads lists. All raise Refusal."""

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


def _beyond(items: Iterator[ListedContact | Fault], lines: int) -> Iterator[ListedContact | Fault]:
    return (item for item in items if item.line > lines)


def _now_ms() -> float:
    return time.time() * 1_000
