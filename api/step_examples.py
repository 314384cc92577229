"""REST: what calls have brought for playbooks to learn from, and what was learnt."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

import structlog
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.deps import ApiDeps
from api.moments import moment
from api.openapi import problems
from api.problems import Refusal
from core.agenda import NO_STEP
from core.auditing import KEPT_DAYS, MOST_WRONG, Trust, trust_in
from core.growth import Review
from core.ports.step_examples import StepExample, StepFit

log = structlog.get_logger()

ExampleId = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$", examples=["5f0a6c5d1e2b3f4a5b6c7d8e"])]
PlaybookName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,59}$", examples=["order_support"])]


class CallExample(BaseModel):
    """What a caller said, and the step it belonged to; the caller went along with that.

    In reviewed playbooks the model has told the step, as the words alone did not; in automatic ones turns that were
    clear without it are here, too.
    """

    id: str
    playbook: str
    step: str = Field(description=f"{NO_STEP}: what the caller said belongs to no step")
    text: str = Field(description="Without the caller's numbers")
    review: Review
    call_id: str
    turn: int
    confidence: float = Field(description="How sure the step was, 0 to 1")
    created_at: datetime
    decided_at: datetime | None
    decided_by: str

    @classmethod
    def of(cls, example: StepExample) -> Self:
        """The example as clients see it."""
        return cls(
            id=example.example_id,
            playbook=example.playbook,
            step=example.step,
            text=example.text,
            review=example.review,
            call_id=example.call_id,
            turn=example.turn,
            confidence=example.confidence,
            created_at=moment(example.created_ms),
            decided_at=None if example.decided_ms is None else moment(example.decided_ms),
            decided_by=example.decided_by,
        )


class ExamplePage(BaseModel):
    """One page, newest first."""

    examples: list[CallExample]
    next: str | None = Field(
        description="The cursor of the next page, none on the last", examples=["WzE3NjQwOTc1MDAwNzUuMF0"]
    )


class AcceptExample(BaseModel):
    """Somebody finds that it belongs to its step."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field("", max_length=100, examples=["Grace"])
    step: str | None = Field(
        None,
        pattern=r"^([a-z][a-z0-9_-]{0,59}|\(none\))$",
        description=f"Where it belongs, if not to the step that was found; {NO_STEP}: to no step",
        examples=["returns"],
    )


class RejectExample(BaseModel):
    """Somebody finds that nothing should be learnt from it."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field("", max_length=100, examples=["Grace"])


class LearntState(BaseModel):
    """What a playbook had learnt at one time."""

    version: str = Field(description="Names the set of examples")
    method: str
    ref: str
    examples: int
    grown: int = Field(description="Of the examples, those that calls have brought")
    threshold: float
    learnt_at: datetime

    @classmethod
    def of(cls, fit: StepFit) -> Self:
        """The state as clients see it."""
        told = {name: getattr(fit, name) for name in cls.model_fields if name != "learnt_at"}
        return cls(**told, learnt_at=moment(fit.learnt_ms))


class MethodTrust(BaseModel):
    """How often the model agrees with steps that were found without it, in the newest turns that it has checked."""

    method: str
    audited: int
    agreed: int
    bar: float = Field(
        description=f"0, or, where it is wrong in more than {MOST_WRONG:.0%}: how sure it has to be to be believed"
    )

    @classmethod
    def of(cls, trust: Trust) -> Self:
        """As clients see it."""
        return cls(method=trust.method, audited=trust.audited, agreed=trust.agreed, bar=trust.bar)


class LearntStates(BaseModel):
    """Newest first: the first is what calls are decided with."""

    learnt: list[LearntState]
    trust: list[MethodTrust] = Field(description="By method, where turns were checked")


def router(deps: ApiDeps) -> APIRouter:
    """/v1/step-examples and /v1/playbooks/{name}/learnt."""
    routes = APIRouter(prefix="/v1", tags=["playbooks"])
    reviewing = Reviewing(deps)

    @routes.get("/step-examples", summary="List examples that calls have brought")
    async def list_step_examples(
        playbook: Annotated[PlaybookName | None, Query()] = None,
        review: Annotated[Review | None, Query()] = None,
        cursor: Annotated[str | None, Query(max_length=200, description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> ExamplePage:
        """Accepted ones teach their playbook's calls from some minutes later on. Newest first."""
        examples, following = await reviewing.page(playbook, review, cursor, limit)
        return ExamplePage(examples=[CallExample.of(example) for example in examples], next=following)

    @routes.post("/step-examples/{example_id}/accept", summary="Accept an example", responses=problems(400, 404, 413))
    async def accept_step_example(example_id: ExampleId, body: AcceptExample) -> CallExample:
        """Have its playbook learn from it; also one that was rejected before."""
        return CallExample.of(await reviewing.accept(example_id, body))

    @routes.post("/step-examples/{example_id}/reject", summary="Reject an example", responses=problems(400, 404, 413))
    async def reject_step_example(example_id: ExampleId, body: RejectExample) -> CallExample:
        """Have nothing learnt from it, now or when somebody says it again; also one that was accepted before."""
        return CallExample.of(await reviewing.reject(example_id, body))

    @routes.get("/playbooks/{name}/learnt", summary="List what a playbook has learnt")
    async def list_learnt(name: Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]{0,59}$")]) -> LearntStates:
        """Each set of examples that was learnt from, and how often the model agrees with what is found."""
        fits = await deps.step_examples.fits(name)
        return LearntStates(learnt=[LearntState.of(fit) for fit in fits], trust=await reviewing.trust(name))

    return routes


class Reviewing:
    """Reads and decides the list."""

    def __init__(self, deps: ApiDeps) -> None:
        self._examples = deps.step_examples
        self._playbooks = deps.playbooks

    async def page(
        self, playbook: str | None, review: Review | None, cursor: str | None, limit: int
    ) -> tuple[Sequence[StepExample], str | None]:
        """One page and the cursor of the next. Raises Refusal."""
        try:
            return await self._examples.examples(playbook=playbook, review=review, before=cursor, limit=limit)
        except ValueError as error:
            raise Refusal(422, "bad-cursor", "cursor is not one that a page gave as next") from error

    async def accept(self, example_id: str, body: AcceptExample) -> StepExample:
        """Raises Refusal, also for a step that the playbook does not have, and UnknownPlaybook."""
        if body.step is not None and (known := await self._examples.example(example_id)) is not None:
            playbook = await self._playbooks.latest(known.playbook)
            if body.step not in [NO_STEP, *(step.name for step in playbook.steps)]:
                raise Refusal(422, "unknown-step", f"{known.playbook} has no step named {body.step!r}")
        return await self._decide(example_id, Review.ACCEPTED, body.by, body.step)

    async def reject(self, example_id: str, body: RejectExample) -> StepExample:
        """Raises Refusal."""
        return await self._decide(example_id, Review.REJECTED, body.by)

    async def trust(self, name: str) -> list[MethodTrust]:
        """How far the playbook's steps can be trusted that are found without the model."""
        since = datetime.now(UTC) - timedelta(days=KEPT_DAYS)
        audits = await self._examples.audits(name, since.timestamp() * 1_000)
        return [MethodTrust.of(found) for found in trust_in(audits).values()]

    async def _decide(self, example_id: str, review: Review, by: str, step: str | None = None) -> StepExample:
        example = await self._examples.decide(example_id, review, by, time.time() * 1_000, step)
        if example is None:
            raise Refusal(404, "unknown-example", "No example has this id.")
        log.info("step_example_decided", playbook=example.playbook, step=example.step, review=review.value)
        return example
