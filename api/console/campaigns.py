"""The pages of campaigns: all of them, and one as it goes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import time
from typing import Annotated, Final, Literal

import structlog
from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.after_schemas import Url
from api.campaign_check import CampaignCheck, Checking
from api.campaign_schemas import Campaign, ChangedCampaign, HoursOfDay, NewCampaign
from api.campaigns import OVER, CampaignId, Running
from api.console.board import PIECE
from api.console.failures import Page
from api.console.render import fragment, page
from api.deps import ApiDeps
from api.live import PING_SECONDS, RETRY_MS
from api.schemas import Name, PhoneNumber
from core.contracts import names
from core.ports.errors import StorageUnavailable

log = structlog.get_logger()

MOST_SHOWN: Final = 100
DONE: Final = "done"  # the browser closes the stream: one that it opens again would begin another check
WATCH_SECONDS: Final = 1.0
_UPDATES: Final = {"pause": names.PAUSE_CAMPAIGN, "resume": names.RESUME_CAMPAIGN, "cancel": names.CANCEL_CAMPAIGN}


EMPTY: Final = BeforeValidator(lambda told: told or None)  # what a form sends for a field left empty
CallsAtOnce = Annotated[int, Field(ge=1, le=10_000)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class NewPace(_Form):
    """From the page's form."""

    in_flight: CallsAtOnce


class NewAddress(_Form):
    """Whom to tell of results; None: nobody."""

    webhook_url: Annotated[Url | None, EMPTY] = None


class Draft(NewPace, NewAddress):
    """From the form of a new campaign; all else is as usual, and can be changed by API and command."""

    name: str = Field(min_length=1, max_length=120)
    playbook: Name
    from_: Annotated[PhoneNumber | None, EMPTY] = Field(None, alias="from")
    opens: time
    closes: time
    needs_consent: bool = False  # as a box that is not ticked

    def campaign(self) -> NewCampaign:
        """As the API takes it."""
        return NewCampaign.model_validate(
            {
                "name": self.name,
                "playbook": self.playbook,
                "from": self.from_,
                "hours": [HoursOfDay(opens=self.opens, closes=self.closes)],
                "in_flight": self.in_flight,
                "needs_consent": self.needs_consent,
                "webhook_url": self.webhook_url,
            }
        )


def router(deps: ApiDeps) -> APIRouter:
    """GET /campaigns, a new one, /campaigns/{campaign_id}, its check and events; POST what forms and buttons do."""
    routes = APIRouter(prefix="/campaigns", route_class=Page)
    running = Running(deps)
    _add_draft(routes, running, deps)
    _add_pages(routes, running, Checking(deps))
    _add_buttons(routes, running)
    return routes


def _add_draft(routes: APIRouter, running: Running, deps: ApiDeps) -> None:
    @routes.get("/new")
    async def show_new_campaign() -> HTMLResponse:
        names_ = await deps.playbooks.names()
        return page("campaign_new.html", playbooks=names_, our_number=deps.settings.our_number)

    @routes.post("")
    async def create_campaign(form: Annotated[Draft, Form()]) -> Response:
        return _with_secret(running.shown(*await running.create(form.campaign())))


def _add_pages(routes: APIRouter, running: Running, checking: Checking) -> None:
    @routes.get("")
    async def show_campaigns() -> HTMLResponse:
        listed = await running.all(MOST_SHOWN)
        shown = [(running.shown(one), await running.progress(one.settings.campaign_id)) for one in listed]
        return page("campaigns.html", campaigns=shown)

    @routes.get("/{campaign_id}")
    async def show_campaign(campaign_id: CampaignId) -> HTMLResponse:
        campaign = running.shown(await running.looked_up(campaign_id))
        return page("campaign.html", campaign=campaign, progress=await running.progress(campaign_id))

    @routes.get("/{campaign_id}/check")
    async def begin_check(campaign_id: CampaignId) -> HTMLResponse:
        await checking.campaign(campaign_id)
        return page("campaign_check.html", campaign_id=campaign_id)

    @routes.get("/{campaign_id}/check/events")
    async def follow_check(campaign_id: CampaignId) -> EventSourceResponse:
        await checking.campaign(campaign_id)
        return EventSourceResponse(_check(checking, campaign_id), ping=PING_SECONDS)

    @routes.get("/{campaign_id}/events")
    async def follow_campaign(campaign_id: CampaignId) -> EventSourceResponse:
        await running.one(campaign_id)
        return EventSourceResponse(_changes(running, campaign_id), ping=PING_SECONDS)


def _add_buttons(routes: APIRouter, running: Running) -> None:
    @routes.post("/{campaign_id}/start")
    async def start_campaign(campaign_id: CampaignId) -> RedirectResponse:
        await running.start(campaign_id)
        return _back(campaign_id)

    @routes.post("/{campaign_id}/pace")
    async def change_pace(campaign_id: CampaignId, form: Annotated[NewPace, Form()]) -> RedirectResponse:
        await running.change(campaign_id, ChangedCampaign.model_validate({"in_flight": form.in_flight}))
        return _back(campaign_id)

    @routes.post("/{campaign_id}/webhook")
    async def change_address(campaign_id: CampaignId, form: Annotated[NewAddress, Form()]) -> Response:
        changed = ChangedCampaign.model_validate({"webhook_url": form.webhook_url})
        return _with_secret(running.shown(*await running.change(campaign_id, changed)))

    @routes.post("/{campaign_id}/{verb}")
    async def tell_campaign(campaign_id: CampaignId, verb: Literal["pause", "resume", "cancel"]) -> RedirectResponse:
        await running.tell(campaign_id, _UPDATES[verb])
        return _back(campaign_id)


async def _changes(running: Running, campaign_id: str) -> AsyncIterator[ServerSentEvent]:
    """The page's piece whenever it is another, until the campaign is over."""
    yield ServerSentEvent(comment="here", retry=RETRY_MS)
    last, over = "", False
    try:
        while not over:
            listed, progress = await running.looked_up(campaign_id), await running.progress(campaign_id)
            piece = fragment("campaign_parts.html", "how_it_goes", running.shown(listed), progress)
            if piece != last:
                yield ServerSentEvent(piece, event=PIECE)
            last, over = piece, listed.phase in OVER
            await asyncio.sleep(WATCH_SECONDS)
    except StorageUnavailable as error:  # the browser comes back
        log.warning("console_feed_broken", error=str(error))


async def _check(checking: Checking, campaign_id: str) -> AsyncIterator[ServerSentEvent]:
    """How far it has come, then what was found."""
    yield ServerSentEvent(comment="here", retry=RETRY_MS)
    try:
        async for found in checking.follow(campaign_id):
            macro = "found" if isinstance(found, CampaignCheck) else "looking"
            yield ServerSentEvent(fragment("campaign_check_parts.html", macro, found), event=PIECE)
        yield ServerSentEvent("all were looked at", event=DONE)
    except StorageUnavailable as error:  # the browser comes back for another check
        log.warning("console_check_broken", error=str(error))


def _with_secret(campaign: Campaign) -> Response:
    """Back to the campaign, past the secret of its address if that is new."""
    return page("campaign_secret.html", campaign=campaign) if campaign.webhook_secret else _back(campaign.id)


def _back(campaign_id: str) -> RedirectResponse:
    return RedirectResponse(f"/campaigns/{campaign_id}", 303)
