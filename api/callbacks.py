"""REST: callers whom a person is to call back."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Self

import structlog
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.deps import ApiDeps
from api.openapi import problems
from api.problems import Refusal
from core.ports.callbacks import Callback

log = structlog.get_logger()

CallbackId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}:\d{1,4}$", examples=["CA5ef8732a3c49700934481add:1"])]


class CallbackTask(BaseModel):
    """A caller to be called back."""

    id: str = Field(examples=["CA5ef8732a3c49700934481add:1"])
    call_id: str
    queue: str = Field(examples=["billing"])
    caller_number: str = Field(examples=["+12025550117"])
    reason: str
    summary: str = Field(description="What the representative has to know")
    created_at: datetime
    completed_at: datetime | None
    completed_by: str
    note: str

    @classmethod
    def of(cls, task: Callback) -> Self:
        """The callback as clients see it."""
        return cls(
            id=task.callback_id,
            call_id=task.call_id,
            queue=task.queue,
            caller_number=task.caller_number,
            reason=task.reason,
            summary=task.summary,
            created_at=datetime.fromtimestamp(task.created_ms / 1_000, UTC),
            completed_at=datetime.fromtimestamp(task.completed_ms / 1_000, UTC) if task.completed_ms else None,
            completed_by=task.completed_by,
            note=task.note,
        )


class CallbackPage(BaseModel):
    """One page, newest first."""

    callbacks: list[CallbackTask]
    next: str | None = Field(
        description="The cursor of the next page, none on the last", examples=["WzE3NjQwOTc1MDAwNzUuMF0"]
    )


class CompleteCallback(BaseModel):
    """Somebody has called."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field("", max_length=100, examples=["Grace"])
    note: str = Field("", max_length=1_000, examples=["Refund explained."])


def router(deps: ApiDeps) -> APIRouter:
    """/v1/callbacks."""
    routes = APIRouter(prefix="/v1/callbacks", tags=["callbacks"])
    working = WorkingOff(deps)

    @routes.get("", summary="List callbacks")
    async def list_callbacks(
        done: Annotated[bool | None, Query(description="Only those done, or only those to be done")] = None,
        cursor: Annotated[str | None, Query(max_length=200, description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> CallbackPage:
        """Callers whom nobody took, where the queue says that they are called back. Newest first."""
        tasks, following = await working.page(done, cursor, limit)
        return CallbackPage(callbacks=[CallbackTask.of(task) for task in tasks], next=following)

    @routes.post("/{callback_id}/complete", summary="Complete a callback", responses=problems(400, 404, 413))
    async def complete_callback(callback_id: CallbackId, body: CompleteCallback) -> CallbackTask:
        """The first who completes it stays; asked again, nothing changes."""
        return CallbackTask.of(await working.complete(callback_id, body))

    return routes


class WorkingOff:
    """Reads and changes the list."""

    def __init__(self, deps: ApiDeps) -> None:
        self._callbacks = deps.callbacks

    async def page(self, done: bool | None, cursor: str | None, limit: int) -> tuple[Sequence[Callback], str | None]:
        """One page and the cursor of the next. Raises Refusal."""
        try:
            return await self._callbacks.callbacks(done=done, before=cursor, limit=limit)
        except ValueError as error:
            raise Refusal(422, "bad-cursor", "cursor is not one that a page gave as next") from error

    async def complete(self, callback_id: str, body: CompleteCallback) -> Callback:
        """Take it off the list. Raises Refusal."""
        task = await self._callbacks.complete(callback_id, body.by, body.note, time.time() * 1_000)
        if task is None:
            raise Refusal(404, "unknown-callback", "No callback has this id.")
        log.info("callback_completed", call_id=task.call_id)
        return task
