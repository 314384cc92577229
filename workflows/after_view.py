"""What somebody who only has the Temporal UI sees of what follows a call."""

from collections.abc import Sequence

from core.contracts.after_call import AfterStep, StepStatus

_SIGNS = {
    StepStatus.WAITING: "waits",
    StepStatus.RUNNING: "**is under way**",
    StepStatus.RETRYING: "**failed, is tried again**",
    StepStatus.DONE: "done",
    StepStatus.SKIPPED: "not done",
    StepStatus.GAVE_UP: "**given up: a dead letter**",
}


def after_details(call_id: str, steps: Sequence[AfterStep], *, discreet: bool) -> str:
    """Markdown; ``discreet``: without what steps tell in words of others."""
    lines = (f"- {_line(step, discreet=discreet)}" for step in steps)
    return "\n".join([f"### After call {call_id}", "", *lines])


def _line(step: AfterStep, *, discreet: bool) -> str:
    attempts = f", attempt {step.attempts}" if step.attempts > 1 else ""
    detail = f" ({step.detail})" if step.detail and not discreet else ""
    return f"{step.title}: {_SIGNS[step.status]}{attempts}{detail}"
