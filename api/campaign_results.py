"""REST: what came of a campaign's contacts, each attempt with what allowed it."""

from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from api.campaign_schemas import AttemptMade, ContactResult
from api.campaigns import CampaignId
from api.deps import ApiDeps
from api.openapi import problems
from api.problems import Refusal

LINES = 100  # sent together
_EXAMPLE = '{"id":"0f3c","number":"+12025550117","state":"done","outcomes":["reached"],"attempts":[]}\n'


class AuditedContact(ContactResult):
    """A contact with its attempts: when, by whose clock, by which consent, and what came of it."""

    attempts: list[AttemptMade]


def router(deps: ApiDeps) -> APIRouter:
    """/v1/campaigns/{id}/results.jsonl."""
    routes = APIRouter(prefix="/v1/campaigns/{campaign_id}", tags=["campaigns"])

    @routes.get(
        "/results.jsonl",
        summary="Export results with every attempt",
        response_class=StreamingResponse,
        responses=problems(404)
        | {200: {"content": {"application/jsonl": {"schema": {"type": "string"}, "example": _EXAMPLE}}}},
    )
    async def export_attempts(campaign_id: CampaignId) -> StreamingResponse:
        """A line of JSON for each contact, as they are read: a campaign of any size."""
        if await deps.campaigns.campaign(campaign_id) is None:
            raise Refusal(404, "unknown-campaign", "No campaign has this id.")
        return StreamingResponse(_lines(deps, campaign_id), media_type="application/jsonl")

    return routes


async def _lines(deps: ApiDeps, campaign_id: str) -> AsyncIterator[str]:
    waiting: list[str] = []
    async for contact, attempts in deps.campaigns.results(campaign_id):
        told = dict(ContactResult.of(contact))
        made = [AttemptMade.of(attempt) for attempt in attempts]
        waiting.append(AuditedContact(**told, attempts=made).model_dump_json() + "\n")
        if len(waiting) >= LINES:
            yield "".join(waiting)
            waiting.clear()
    yield "".join(waiting)
