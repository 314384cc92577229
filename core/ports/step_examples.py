"""What calls have brought for playbooks to learn from: a list that people review, and what was learnt from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.auditing import Audit
from core.growth import Review
from core.learnt_steps import Example


@dataclass(frozen=True, slots=True)
class StepExample:
    """What one caller said in a step. Times are ms since the epoch."""

    example_id: str
    playbook: str  # its name: an example is good for every version that has the step
    step: str
    text: str
    review: Review
    call_id: str
    turn: int
    confidence: float  # the model's, that found the step
    created_ms: float
    decided_ms: float | None = None
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class StepFit:
    """One state of what a playbook has learnt. The newest is what workers decide with."""

    playbook: str  # its name
    version: str  # of the examples: core.growth.version_of
    method: str
    ref: str  # of the playbook whose own examples are among them
    examples: int
    grown: int  # of them, those that calls have brought
    threshold: float
    learnt_ms: float


@dataclass(frozen=True, slots=True)
class StepAudit:
    """What the model says of a step that was found without it. No words: nothing personal is in it."""

    call_id: str
    turn: int
    playbook: str  # its name
    method: str
    found: str
    confidence: float  # of what was found
    judged: str  # by the model
    at_ms: float


class StepExamples(Protocol):
    """The list. All raise StorageUnavailable."""

    async def examples(
        self,
        *,
        playbook: str | None = None,
        review: Review | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> tuple[Sequence[StepExample], str | None]:
        """Newest first, and the cursor of the next page. Raises ValueError for a cursor that is none of ours."""
        ...

    async def example(self, example_id: str) -> StepExample | None:
        """One of them."""
        ...

    async def decide(
        self, example_id: str, review: Review, by: str, now_ms: float, step: str | None = None
    ) -> StepExample | None:
        """Accept or reject it, also one that was decided before; None: there is no such example.

        Args:
            step: the one that it belongs to in truth, if not the one the model has found.
        """
        ...

    async def accepted(self, playbook: str) -> Sequence[Example]:
        """What the playbook of this name learns from beside its own examples, newest first."""
        ...

    async def note_fit(self, fit: StepFit) -> None:
        """Keep that this was learnt; told again, it is the newest again."""
        ...

    async def fits(self, playbook: str, limit: int = 50) -> Sequence[StepFit]:
        """What the playbook of this name has learnt, newest first."""
        ...

    async def note_audits(self, audits: Sequence[StepAudit]) -> None:
        """Keep what the model says, once a turn. The calls are on record."""
        ...

    async def audits(self, playbook: str, since_ms: float) -> Sequence[Audit]:
        """Those that count, of the playbook of this name in all its versions; newest first."""
        ...
