"""REST: what calls can be about."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from api.deps import ApiDeps
from api.moments import moment
from api.openapi import problems
from api.problems import FieldProblem, Refusal
from api.schemas import PlaybookDetail, PlaybookNames
from core.playbook import PlaybookFaults
from core.ports.playbooks import KeptVersion

PlaybookName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]{0,59}$", examples=["order_support"])]
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$", description="As after the @", examples=["bf4709f9af05"])]
_TEXT = (
    "name: order_support\ngoal: Answer questions about orders.\npersona: You are Robin.\ngreeting: Hello.\nsteps: ..."
)
_BODY: dict[str, Any] = {
    "required": True,
    "content": {"application/yaml": {"schema": {"type": "string", "format": "binary"}, "example": _TEXT}},
}


class PlaybookVersion(BaseModel):
    """A version of a playbook."""

    ref: str = Field(description="name@hash of its text", examples=["order_support@bf4709f9af05"])
    newest: bool = Field(description="Whether new calls get it")
    created_at: datetime = Field(examples=["2026-11-26T09:30:00Z"])
    published_at: datetime = Field(description="For the last time", examples=["2026-11-26T09:30:00Z"])

    @classmethod
    def of(cls, kept: KeptVersion, *, newest: bool) -> Self:
        """As clients see it."""
        return cls(
            ref=kept.ref, newest=newest, created_at=moment(kept.created_ms), published_at=moment(kept.published_ms)
        )


class PlaybookHistory(BaseModel):
    """All versions of a playbook, the newest first."""

    versions: list[PlaybookVersion]


class PlaybookText(BaseModel):
    """A version as it was written."""

    ref: str = Field(examples=["order_support@bf4709f9af05"])
    text: str = Field(description="YAML", examples=[_TEXT])


def router(deps: ApiDeps) -> APIRouter:
    """/v1/playbooks."""
    routes = APIRouter(prefix="/v1/playbooks", tags=["playbooks"])

    @routes.get("", summary="List playbooks")
    async def list_playbooks() -> PlaybookNames:
        """Their names, sorted."""
        return PlaybookNames(playbooks=await deps.playbooks.names())

    @routes.get("/{name}", summary="Get a playbook", responses=problems(404))
    async def get_playbook(name: PlaybookName) -> PlaybookDetail:
        """Its newest version."""
        playbook = await deps.playbooks.latest(name)
        return PlaybookDetail(ref=playbook.ref, playbook=playbook)

    @routes.put(
        "/{name}",
        summary="Publish a playbook",
        responses=problems(400, 413),
        openapi_extra={"requestBody": _BODY},
    )
    async def put_playbook(name: PlaybookName, request: Request) -> PlaybookVersion:
        """The body is its YAML, at most 1 MB. New calls get it seconds later; live ones keep theirs."""
        try:
            playbook = await deps.versions.put(name, _text(await request.body()))
        except PlaybookFaults as error:
            raise _faulty(error) from error
        kept = await deps.versions.versions(name)
        ours = next(one for one in kept if one.ref == playbook.ref)
        return PlaybookVersion.of(ours, newest=ours is kept[0])

    @routes.get("/{name}/versions", summary="List a playbook's versions", responses=problems(404))
    async def list_playbook_versions(name: PlaybookName) -> PlaybookHistory:
        """All that were ever published, the newest first."""
        kept = await deps.versions.versions(name)
        return PlaybookHistory(versions=[PlaybookVersion.of(one, newest=one is kept[0]) for one in kept])

    @routes.get("/{name}/versions/{digest}", summary="Get a version of a playbook", responses=problems(404))
    async def get_playbook_version(name: PlaybookName, digest: Digest) -> PlaybookText:
        """Its text. Published again, it is the newest version again."""
        ref = f"{name}@{digest}"
        return PlaybookText(ref=ref, text=await deps.versions.text(ref))

    return routes


def _text(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Refusal(422, "unusable-playbook", "is no UTF-8 text") from error
    if "\0" in text:
        raise Refusal(422, "unusable-playbook", "holds a zero byte")
    return text


def _faulty(error: PlaybookFaults) -> Refusal:
    wrong = [
        FieldProblem(
            detail=f"line {fault.line}: {fault.field}: {fault.message}{f' ({fault.hint})' if fault.hint else ''}",
            pointer="#" + "".join(f"/{part}" for part in fault.field.split(".") if not part.startswith("(")),
        )
        for fault in error.faults
    ]
    return Refusal(422, "unusable-playbook", "The playbook has faults; nothing was published.", errors=wrong)
