"""REST: what a campaign would find if it started now."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.campaigns import CampaignId, Running
from api.contact_lists import UploadedList
from api.deps import ApiDeps
from api.live import PING_SECONDS, RETRY_MS
from api.moments import moment_or_none
from api.openapi import problems
from core.campaign_estimate import USUAL_CALL_MS, USUAL_USD, Estimate, estimate
from core.campaign_outlook import Outlook
from core.list_records import FaultKind
from core.may_call import Hindrance
from core.ports.campaign import ListedCampaign
from core.ports.contact_lists import ListUpload, PastCalls
from core.ports.errors import StorageUnavailable

log = structlog.get_logger()

MOST_LOOKED_AT: Final = 10_000  # while somebody waits for one answer
TOLD_EVERY_SECONDS: Final = 0.5  # how far a check has come
PROGRESS: Final = "progress"
REPORT: Final = "report"

_EXAMPLE: Final = (
    'event: progress\r\ndata: {"looked_at":20000,"contacts":100000}\r\n\r\n'
    'event: report\r\ndata: {"contacts":100000,"looked_at":100000,"callable_now":81234}\r\n\r\n'
)
_EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "`progress` now and then; once all contacts were looked at, one `report`: a CampaignCheck",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}


class WhatToCheck(BaseModel):
    """Query parameters; others are refused."""

    model_config = ConfigDict(extra="forbid")

    most: int = Field(MOST_LOOKED_AT, ge=1, le=100_000, description="How many contacts are looked at")


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


class CheckProgress(BaseModel):
    """How far a check has come."""

    looked_at: int
    contacts: int


def router(deps: ApiDeps) -> APIRouter:
    """/v1/campaigns/{id}/check, and the same as events."""
    routes = APIRouter(prefix="/v1/campaigns/{campaign_id}", tags=["campaigns"])
    checking = Checking(deps)

    @routes.get("/check", summary="Check a campaign before it starts", responses=problems(404))
    async def check_campaign(campaign_id: CampaignId, what: Annotated[WhatToCheck, Query()]) -> CampaignCheck:
        """Who would be called now, later and never, and why; time and cost; what was wrong with the lists."""
        return await checking.check(campaign_id, what.most)

    @routes.get(
        "/check/events",
        summary="Check all contacts of a campaign (server-sent events)",
        responses=_EVENTS | problems(404),
        response_class=EventSourceResponse,
    )
    async def follow_check(campaign_id: CampaignId) -> EventSourceResponse:
        """However many they are: how far it has come, and at the end the `report`.

        A stream that ends without one is to be asked for again; one that is asked for again begins anew.
        """
        await checking.campaign(campaign_id)
        return EventSourceResponse(_events(checking, campaign_id), ping=PING_SECONDS)

    return routes


class Checking:
    """Looks at campaigns. All raise Refusal."""

    def __init__(self, deps: ApiDeps) -> None:
        self._lists = deps.contact_lists
        self._calls_per_second = deps.settings.calls_per_second
        self._running = Running(deps)

    async def campaign(self, campaign_id: str) -> ListedCampaign:
        """Raises Refusal 404."""
        return await self._running.one(campaign_id)

    async def check(self, campaign_id: str, most: int) -> CampaignCheck:
        """Of the first ``most`` contacts."""
        (found,) = [one async for one in self.follow(campaign_id, most) if isinstance(one, CampaignCheck)]
        return found

    async def follow(self, campaign_id: str, most: int | None = None) -> AsyncIterator[CheckProgress | CampaignCheck]:
        """How far it has come, now and then; then once what was found. ``most``: contacts; None: all."""
        campaign, now_ms = await self.campaign(campaign_id), time.time() * 1_000
        told_s, found = float("-inf"), Outlook(0, 0)
        async for found in self._lists.outlook(campaign_id, now_ms, most):
            if time.monotonic() - told_s >= TOLD_EVERY_SECONDS:
                yield CheckProgress(looked_at=found.looked_at, contacts=found.contacts)
                told_s = time.monotonic()
        past = await self._lists.past_calls(campaign.settings.playbook)
        expected = await asyncio.to_thread(self._expected, campaign, found, past, now_ms)  # goes through 120 days
        yield _report(found, expected, past, await self._lists.uploads(campaign_id))

    def _expected(self, campaign: ListedCampaign, found: Outlook, past: PastCalls, now_ms: float) -> Estimate:
        share = found.contacts / found.looked_at if found.looked_at else 0.0
        return estimate(
            round((found.now + found.later) * share),
            campaign.settings.rules.window,
            found.zones,
            now_ms,
            in_flight=campaign.settings.pace.in_flight,
            calls_per_second=self._calls_per_second,
            call_ms=past.average_ms if past.calls else USUAL_CALL_MS,
            call_usd=past.average_usd if past.calls else USUAL_USD,
        )


async def _events(checking: Checking, campaign_id: str) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent(comment="here", retry=RETRY_MS)
    try:
        async for found in checking.follow(campaign_id):
            event = REPORT if isinstance(found, CampaignCheck) else PROGRESS
            yield ServerSentEvent(found.model_dump_json(), event=event)
    except StorageUnavailable as error:  # the client comes back for another check
        log.warning("check_broken", campaign=campaign_id, error=str(error))


def _report(found: Outlook, expected: Estimate, past: PastCalls, uploads: Sequence[ListUpload]) -> CampaignCheck:
    return CampaignCheck(
        contacts=found.contacts,
        looked_at=found.looked_at,
        callable_now=found.now,
        callable_later=found.later,
        waits=found.waits,
        never=found.never,
        done=found.done,
        first_call_at=moment_or_none(found.first_ms),
        estimate=Forecast(
            attempts=expected.attempts,
            dialling_hours=round(expected.dialling_ms / 3_600_000, 2),
            ends_at=moment_or_none(expected.ends_ms),
            cost_usd=round(expected.usd, 2),
            measured=past.calls > 0,
        ),
        lists=[UploadedList.of(upload) for upload in uploads],
        problems=_problems(found, uploads),
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
