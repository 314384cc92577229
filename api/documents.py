"""REST: the documents of playbooks."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from api.deps import ApiDeps
from api.openapi import problems
from api.problems import Refusal
from core.knowledge.passages import BadDocument, is_path
from core.ports.knowledge import DocumentIsPublished, KeptDocument

MOST = 500  # of a playbook: all are searched in every turn

PlaybookName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]{0,59}$", examples=["order_support"])]
DocumentPath = Annotated[
    str, Path(max_length=200, description="Its name, with folders if you wish", examples=["help/returns.md"])
]
_BODY = {
    "required": True,
    "content": {
        "application/octet-stream": {
            "schema": {"type": "string", "format": "binary"},
            "example": "# Returns\nUnused goods can be returned within 30 days.\n",
        }
    },
}


class Document(BaseModel):
    """A document that a playbook's calls are told from."""

    path: str = Field(examples=["help/returns.md"])
    digest: str = Field(description="SHA-256 of its content, in hex", examples=["9f" * 32])
    size: int = Field(description="In bytes", examples=[2048])
    passages: int = Field(description="Into how many passages it was read", examples=[6])
    uploaded: bool = Field(description="Over REST; else it was published with the playbook's files")
    changed_at: datetime = Field(examples=["2026-11-26T09:30:00Z"])

    @classmethod
    def of(cls, kept: KeptDocument) -> Self:
        """As clients see it."""
        return cls(
            path=kept.path,
            digest=kept.digest,
            size=kept.size,
            passages=kept.passages,
            uploaded=kept.uploaded,
            changed_at=datetime.fromtimestamp(kept.changed_ms / 1_000, UTC),
        )


class PlaybookDocuments(BaseModel):
    """All documents of a playbook, by path."""

    documents: list[Document]


def router(deps: ApiDeps) -> APIRouter:
    """/v1/playbooks/{name}/documents."""
    routes = APIRouter(prefix="/v1/playbooks/{name}/documents", tags=["playbooks"])
    shelf = _Shelf(deps)

    @routes.get("", summary="List a playbook's documents", responses=problems(404))
    async def list_documents(name: PlaybookName) -> PlaybookDocuments:
        """Those of all its versions: documents belong to the playbook's name."""
        return PlaybookDocuments(documents=[Document.of(kept) for kept in await shelf.listed(name)])

    @routes.put(
        "/{path:path}",
        summary="Upload a document",
        responses=problems(400, 404, 409, 413),
        openapi_extra={"requestBody": _BODY},
    )
    async def put_document(name: PlaybookName, path: DocumentPath, request: Request) -> Document:
        """The body is the file as it is: .md, .txt, .html or .pdf, at most 10 MB. Live calls know it seconds later."""
        return Document.of(await shelf.keep(name, path, await request.body()))

    @routes.delete("/{path:path}", status_code=204, summary="Remove a document", responses=problems(404, 409))
    async def delete_document(name: PlaybookName, path: DocumentPath) -> None:
        """Live calls are not told from it any more seconds later."""
        await shelf.remove(name, path)

    return routes


class _Shelf:
    """All raise Refusal and UnknownPlaybook."""

    def __init__(self, deps: ApiDeps) -> None:
        self._playbooks = deps.playbooks
        self._documents = deps.documents
        self._read = deps.read_document

    async def listed(self, playbook: str) -> list[KeptDocument]:
        await self._playbooks.latest(playbook)
        return list(await self._documents.listed(playbook))

    async def keep(self, playbook: str, path: str, content: bytes) -> KeptDocument:
        if not is_path(path):
            raise Refusal(422, "invalid-request", "a path is letters, digits, spaces, - and _, with / between")
        known = {kept.path for kept in await self.listed(playbook)}
        if len(known | {path}) > MOST:
            raise Refusal(409, "too-many-documents", f"a playbook has at most {MOST} documents")
        try:
            passages = await asyncio.to_thread(self._read, path, content)
        except BadDocument as error:
            raise Refusal(422, "unreadable-document", f"{path} {error}") from error
        try:
            return await self._documents.upload(playbook, path, content, passages)
        except DocumentIsPublished as error:
            raise _published(path) from error

    async def remove(self, playbook: str, path: str) -> None:
        await self._playbooks.latest(playbook)
        try:
            found = await self._documents.remove(playbook, path)
        except DocumentIsPublished as error:
            raise _published(path) from error
        if not found:
            raise Refusal(404, "unknown-document", f"{path} is no document of this playbook")


def _published(path: str) -> Refusal:
    return Refusal(409, "published-document", f"{path} is published with the playbook's files: change it there")
