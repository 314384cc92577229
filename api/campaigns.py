"""REST: campaigns, from a draft to its results."""

import asyncio
import csv
import io
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import ValidationError
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.campaign_schemas import (
    AddedContacts,
    AttemptMade,
    Campaign,
    CampaignList,
    CampaignRules,
    ChangedCampaign,
    ContactPage,
    ContactResult,
    ContactsFrom,
    ContactsToAdd,
    HowManyCampaigns,
    NewCampaign,
    Progress,
)
from api.deps import ApiDeps
from api.openapi import problems
from api.problems import FieldProblem, Refusal, wrong_field
from api.temporal import CallNotRunning, TemporalUnavailable
from api.webhooks import Keeping
from core.contracts import names
from core.contracts.campaign import CampaignInput, CampaignPhase, CampaignSettings
from core.contracts.campaign_results import ResultsInput
from core.ports.campaign import ListedCampaign
from core.ports.errors import UnknownPlaybook

WATCH_SECONDS: Final = 1.0  # between two looks at a campaign that somebody watches
COUNTS_SHARE: Final = 10  # counting a million contacts takes a second: so many times as long it is left alone
GOING: Final = {CampaignPhase.RUNNING, CampaignPhase.PAUSED}
OVER: Final = {CampaignPhase.COMPLETED, CampaignPhase.CANCELED}

log = structlog.get_logger()

CampaignId = Annotated[
    str, Path(pattern=r"^[a-z0-9]{1,32}$", description="The campaign's id", examples=["c5f0c7d2a9b6"])
]
_RESULT: Final = """contact,number,state,attempts,outcomes,hindrance,last_call,variables
3f2a9b6e4c1f,+12025550117,done,2,busy reached,,c5f0c7d2a9b6e-3f2a9b6e4c1f-2,"{""first_name"": ""Ada""}"
"""
_CHANGES = problems(400, 404, 409, 413)


def router(deps: ApiDeps) -> APIRouter:
    """/v1/campaigns."""
    routes = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])
    running = Running(deps)
    _add_collection(routes, running)
    _add_contacts(routes, running)
    _add_actions(routes, running)
    return routes


def _add_collection(routes: APIRouter, running: "Running") -> None:
    @routes.post("", status_code=201, summary="Create a campaign", responses=problems(400, 413))
    async def create_campaign(body: NewCampaign) -> Campaign:
        """A draft: nobody is called before it is started."""
        return running.shown(*await running.create(body))

    @routes.get("", summary="List campaigns")
    async def list_campaigns(many: Annotated[HowManyCampaigns, Query()]) -> CampaignList:
        """The newest first."""
        return CampaignList(campaigns=[running.shown(one) for one in await running.all(many.limit)])

    @routes.get("/{campaign_id}", summary="Get a campaign", responses=problems(404))
    async def get_campaign(campaign_id: CampaignId) -> Campaign:
        """Its rules and where it stands."""
        return running.shown(await running.looked_up(campaign_id))

    @routes.patch("/{campaign_id}", summary="Change a campaign", responses=_CHANGES)
    async def change_campaign(campaign_id: CampaignId, body: ChangedCampaign) -> Campaign:
        """Pace, hours and all other rules; counts from the next attempt on."""
        return running.shown(*await running.change(campaign_id, body))

    @routes.get("/{campaign_id}/progress", summary="See how far a campaign has come", responses=problems(404))
    async def get_campaign_progress(campaign_id: CampaignId) -> Progress:
        """Counts, answer rate, and how long it may still take."""
        return await running.progress(campaign_id)

    @routes.get(
        "/{campaign_id}/events",
        summary="Watch a campaign (server-sent events)",
        responses=problems(404),
        response_class=EventSourceResponse,
    )
    async def watch_campaign(campaign_id: CampaignId) -> EventSourceResponse:
        """Its progress whenever it has changed, until it is over."""
        await running.one(campaign_id)
        return EventSourceResponse(running.watch(campaign_id))


def _add_contacts(routes: APIRouter, running: "Running") -> None:
    @routes.post("/{campaign_id}/contacts", summary="Add contacts", responses=_CHANGES)
    async def add_contacts(campaign_id: CampaignId, body: ContactsToAdd) -> AddedContacts:
        """A number that is in the campaign already stays as it was, so that the same ones can be sent again."""
        return await running.add(campaign_id, body)

    @routes.get("/{campaign_id}/contacts", summary="List contacts", responses=problems(404))
    async def list_contacts(campaign_id: CampaignId, page: Annotated[ContactsFrom, Query()]) -> ContactPage:
        """With what was tried."""
        return await running.contacts(campaign_id, page.cursor, page.limit)

    @routes.get(
        "/{campaign_id}/results.csv",
        summary="Export results",
        responses=problems(404) | {200: {"content": {"text/csv": {"schema": {"type": "string"}, "example": _RESULT}}}},
        response_class=StreamingResponse,
    )
    async def export_results(campaign_id: CampaignId) -> StreamingResponse:
        """A line for each contact."""
        await running.one(campaign_id)
        return StreamingResponse(running.results(campaign_id), media_type="text/csv")


def _add_actions(routes: APIRouter, running: "Running") -> None:
    @routes.post("/{campaign_id}/start", summary="Start a campaign", responses=problems(404, 409))
    async def start_campaign(campaign_id: CampaignId) -> Campaign:
        """Whoever may be called now is called. Started twice it runs once."""
        return running.shown(await running.start(campaign_id))

    @routes.post("/{campaign_id}/pause", status_code=204, summary="Pause a campaign", responses=problems(404, 409))
    async def pause_campaign(campaign_id: CampaignId) -> None:
        """No further attempt begins; calls under way go on."""
        await running.tell(campaign_id, names.PAUSE_CAMPAIGN)

    @routes.post("/{campaign_id}/resume", status_code=204, summary="Resume a campaign", responses=problems(404, 409))
    async def resume_campaign(campaign_id: CampaignId) -> None:
        """Go on."""
        await running.tell(campaign_id, names.RESUME_CAMPAIGN)

    @routes.post("/{campaign_id}/cancel", status_code=204, summary="Cancel a campaign", responses=problems(404, 409))
    async def cancel_campaign(campaign_id: CampaignId) -> None:
        """Nobody is called any more; calls under way go on to their end. It cannot be started again."""
        await running.tell(campaign_id, names.CANCEL_CAMPAIGN)


class Running:
    """Keeps campaigns and has them run. All raise Refusal."""

    def __init__(self, deps: ApiDeps) -> None:
        self._deps = deps
        self._campaigns = deps.campaigns
        self._webhooks = Keeping(deps)

    async def create(self, body: NewCampaign) -> tuple[ListedCampaign, str | None]:
        """A draft; and the secret of its webhook's endpoint, if that is new."""
        our_number = body.from_ or self._deps.settings.our_number
        if our_number is None:
            raise wrong_field("from", "is missing, and this installation has no number of its own to call from")
        try:
            await self._deps.playbooks.latest(body.playbook)
        except UnknownPlaybook as error:
            raise wrong_field("playbook", f"names no playbook we have: {body.playbook}") from error
        campaign_id = f"c{secrets.token_hex(6)}"
        settings = body.settings(campaign_id, body.name, body.playbook, our_number, self._deps.settings.tenant, "")
        _check(settings)
        webhook, secret = await self._endpoint(body.webhook_url)
        await self._campaigns.create(replace(settings, webhook=webhook), time.time() * 1_000)
        log.info("campaign_created", campaign=campaign_id, playbook=body.playbook)
        return await self.one(campaign_id), secret

    async def all(self, limit: int) -> list[ListedCampaign]:
        """The newest first."""
        return list(await asyncio.gather(*map(self._look_up, await self._campaigns.campaigns(limit))))

    async def one(self, campaign_id: str) -> ListedCampaign:
        """Raises Refusal 404."""
        found = await self._campaigns.campaign(campaign_id)
        if found is None:
            raise Refusal(404, "unknown-campaign", "No campaign has this id.")
        return found

    async def looked_up(self, campaign_id: str) -> ListedCampaign:
        """As ``one``; a campaign whose workflow somebody has ended in Temporal is canceled, as far as that is known."""
        return await self._look_up(await self.one(campaign_id))

    async def _look_up(self, found: ListedCampaign) -> ListedCampaign:
        if found.phase in GOING:
            with suppress(TemporalUnavailable):
                if await self._deps.temporal.campaign_was_ended(found.settings.campaign_id):
                    return await self._end(found.settings.campaign_id)
        return found

    async def _end(self, campaign_id: str) -> ListedCampaign:
        ended = await self._campaigns.end(campaign_id, time.time() * 1_000)
        found = await self.one(campaign_id)
        if ended:
            log.warning("campaign_found_ended", campaign=campaign_id)
            if found.settings.webhook:
                await self._tell_results(campaign_id)
        return found

    def shown(self, listed: ListedCampaign, secret: str | None = None) -> Campaign:
        """As clients see it."""
        url = self._deps.settings.workflow_url(names.campaign_workflow_id(listed.settings.campaign_id))
        return Campaign.listed(listed, url, secret)

    async def change(self, campaign_id: str, body: ChangedCampaign) -> tuple[ListedCampaign, str | None]:
        """Other rules; and the secret of its webhook's endpoint, if that is new."""
        before = await self.one(campaign_id)
        told: dict[str, Any] = body.model_extra or {}
        try:
            rules = CampaignRules.model_validate(CampaignRules.of(before).model_dump(by_alias=True, mode="json") | told)
        except ValidationError as error:
            problems_found = [
                FieldProblem(detail=one["msg"], pointer="#/" + "/".join(map(str, one["loc"]))) for one in error.errors()
            ]
            raise Refusal(
                422, "invalid-request", "The request cannot be used as it is.", errors=problems_found
            ) from error
        old = before.settings
        settings = rules.settings(campaign_id, old.name, old.playbook, old.our_number, old.tenant, old.webhook)
        _check(settings)
        secret, moved = None, (rules.webhook_url or "") != before.webhook_url
        if moved:
            webhook, secret = await self._endpoint(rules.webhook_url)
            settings = replace(settings, webhook=webhook)
        await self._campaigns.change(settings)
        if before.phase in GOING:
            await self._deps.temporal.campaign_changed(campaign_id)
        if moved and settings.webhook and before.phase is not CampaignPhase.DRAFT:
            await self._tell_results(campaign_id)
        return await self.one(campaign_id), secret

    async def add(self, campaign_id: str, body: ContactsToAdd) -> AddedContacts:
        """Contacts, also to one that runs."""
        found = await self._open(campaign_id)
        contacts = list({one.number: one.contact() for one in body.contacts}.values())
        added = await self._campaigns.add(campaign_id, contacts, time.time() * 1_000)
        if found.phase is not CampaignPhase.DRAFT:
            await self._deps.temporal.campaign_changed(campaign_id)
        return AddedContacts(added=added, known=len(body.contacts) - added)

    async def contacts(self, campaign_id: str, cursor: str, limit: int) -> ContactPage:
        """A page."""
        await self.one(campaign_id)
        page = await self._campaigns.contacts(campaign_id, cursor, limit)
        following = page[-1].contact_id if len(page) == limit else None
        return ContactPage(contacts=[ContactResult.of(contact) for contact in page], next=following)

    async def results(self, campaign_id: str) -> AsyncIterator[str]:
        """Lines of CSV."""
        yield _csv("contact", "number", "state", "attempts", "outcomes", "hindrance", "last_call", "variables")
        async for contact, attempts in self._campaigns.results(campaign_id):
            made = [AttemptMade.of(attempt) for attempt in attempts]
            yield _csv(
                contact.contact_id,
                contact.number,
                contact.state.value,
                len(made),
                " ".join(outcome.value for outcome in contact.outcomes),
                contact.hindrance.value if contact.hindrance else "",
                made[-1].call_id if made else "",
                json.dumps(contact.variables, ensure_ascii=False),
            )

    async def progress(self, campaign_id: str) -> Progress:
        """Counts."""
        listed = await self.one(campaign_id)
        return Progress.of(listed.phase, await self._campaigns.progress(campaign_id, time.time() * 1_000))

    async def watch(self, campaign_id: str) -> AsyncIterator[ServerSentEvent]:
        """Each change of it."""
        last = None
        while last is None or last.phase not in OVER:
            began = time.monotonic()
            await self.looked_up(campaign_id)
            found = await self.progress(campaign_id)
            if found != last:
                yield ServerSentEvent(event="progress", data=found.model_dump_json())
            last = found
            await asyncio.sleep(max(WATCH_SECONDS, COUNTS_SHARE * (time.monotonic() - began)))

    async def start(self, campaign_id: str) -> ListedCampaign:
        """Have it run."""
        found = await self._open(campaign_id)
        if found.phase is CampaignPhase.DRAFT:
            await self._deps.temporal.start_campaign(CampaignInput(campaign_id), found.settings.tenant)
            log.info("campaign_started", campaign=campaign_id)
        return await self.one(campaign_id)

    async def tell(self, campaign_id: str, update: str) -> None:
        """Pause, resume or cancel."""
        found = await self._open(campaign_id)
        if found.phase is CampaignPhase.DRAFT:
            raise Refusal(409, "not-started", "The campaign was not started yet.")
        try:
            await self._deps.temporal.tell_campaign(campaign_id, update)
        except CallNotRunning as error:
            if update != names.CANCEL_CAMPAIGN:
                raise Refusal(409, "campaign-gone", "Temporal knows nothing of this campaign: cancel it.") from error
            await self._end(campaign_id)
        log.info("campaign_told", campaign=campaign_id, update=update)

    async def _tell_results(self, campaign_id: str) -> None:
        results = ResultsInput(campaign_id, self._deps.settings.timers.after_call)
        await self._deps.temporal.tell_results(results, news=True)

    async def _endpoint(self, url: str | None) -> tuple[str, str | None]:
        if url is None:
            return "", None
        endpoint, secret = await self._webhooks.for_campaigns(url)
        return endpoint.endpoint_id, secret

    async def _open(self, campaign_id: str) -> ListedCampaign:
        found = await self.looked_up(campaign_id)
        if found.phase in OVER:
            raise Refusal(409, "campaign-over", f"The campaign is {found.phase.value}.")
        return found


def _check(settings: CampaignSettings) -> None:
    if settings.voicemail == "message" and not settings.voicemail_line:
        raise wrong_field("voicemail_line", "is missing: what is to be left on machines?")
    for hours in settings.rules.window.hours:
        legal = settings.rules.window.legal
        if max(hours.opens, legal.opens) >= min(hours.closes, legal.closes) or not hours.days:
            raise wrong_field("hours", "never open: they end before they begin, or lie outside the legal 8 to 21")


def _csv(*fields: object) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_harmless(str(field)) for field in fields])
    return line.getvalue()


def _harmless(field: str) -> str:
    """A spreadsheet takes what begins like this for a formula, numbers in E.164 excepted."""
    if field[:1] in {"=", "@", "\t", "\r"} or (field[:1] in {"+", "-"} and not field[1:].isdigit()):
        return f"'{field}"
    return field
