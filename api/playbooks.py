"""REST: what calls can be about."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.deps import ApiDeps
from api.openapi import problems
from api.schemas import PlaybookDetail, PlaybookNames


def router(deps: ApiDeps) -> APIRouter:
    """/v1/playbooks."""
    routes = APIRouter(prefix="/v1/playbooks", tags=["playbooks"])

    @routes.get("", summary="List playbooks")
    async def list_playbooks() -> PlaybookNames:
        """Their names, sorted."""
        return PlaybookNames(playbooks=await deps.playbooks.names())

    @routes.get("/{name}", summary="Get a playbook", responses=problems(404))
    async def get_playbook(
        name: Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]{0,59}$", examples=["order_support"])],
    ) -> PlaybookDetail:
        """Its newest version."""
        playbook = await deps.playbooks.latest(name)
        return PlaybookDetail(ref=playbook.ref, playbook=playbook)

    return routes
