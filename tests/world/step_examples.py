"""What the model says of steps that were found without it, in memory; nothing else is learnt from calls."""

from collections.abc import Sequence

from core.auditing import Audit
from core.learnt_steps import Example
from core.ports.step_examples import StepAudit
from storage.step_examples import SqlStepExamples


class FakeStepExamples(SqlStepExamples):
    """``noted``: the verdicts by call and turn."""

    def __init__(self) -> None:
        self.noted: dict[tuple[str, int], StepAudit] = {}

    async def accepted(self, playbook: str) -> Sequence[Example]:
        """None."""
        return ()

    async def note_audits(self, audits: Sequence[StepAudit]) -> None:
        """Once a turn."""
        for audit in audits:
            self.noted.setdefault((audit.call_id, audit.turn), audit)

    async def audits(self, playbook: str, since_ms: float) -> Sequence[Audit]:
        """Newest first."""
        found = [audit for audit in reversed(self.noted.values()) if audit.playbook == playbook]
        return [Audit(audit.method, audit.confidence, audit.found == audit.judged) for audit in found]
