"""The page on which a campaign's lists are uploaded, and seen as they are read."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.campaigns import CampaignId, Running
from api.console.failures import Page
from api.console.render import page
from api.contact_lists import UploadedList
from api.deps import ApiDeps


def router(deps: ApiDeps) -> APIRouter:
    """GET /campaigns/{campaign_id}/lists and, again and again while one is sent, /lists/read. They go to /v1."""
    routes = APIRouter(prefix="/campaigns/{campaign_id}/lists", route_class=Page)
    running = Running(deps)

    async def lists(campaign_id: str) -> list[UploadedList]:
        return [UploadedList.of(found) for found in await deps.contact_lists.uploads(campaign_id)]

    @routes.get("")
    async def show_lists(campaign_id: CampaignId) -> HTMLResponse:
        campaign = running.shown(await running.one(campaign_id))
        return page("campaign_lists.html", campaign=campaign, lists=await lists(campaign_id))

    @routes.get("/read")
    async def show_how_far(campaign_id: CampaignId) -> HTMLResponse:
        return page("campaign_lists_read.html", lists=await lists(campaign_id))

    return routes
