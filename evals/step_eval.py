"""How often steps are found without a model, and how often rightly, on turns that were labelled by hand."""

import json
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.learnt_steps import Example, LearntSteps
from core.ports.embedder import Vectors
from evals.figures import Row, percentile


class BadTurns(ValueError):
    """A file of examples or turns cannot be used; the message names the line."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """What was said, and the step it belongs to; None: to none, far from all of them."""

    step: str | None
    text: str


def read_labelled(file: Path) -> list[Labelled]:
    """JSONL of {"step": name or null, "text"}; further fields are not looked at. Raises BadTurns."""
    found = []
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadTurns(f"{file}: {error.strerror if isinstance(error, OSError) else 'is no UTF-8 text'}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadTurns(f"{file}:{number}: is no JSON: {error}") from error
        if not isinstance(row, dict) or not isinstance(row.get("text"), str) or "step" not in row:
            raise BadTurns(f'{file}:{number}: must be {{"step": a name or null, "text": what was said}}')
        if not isinstance(row["step"], str | None):
            raise BadTurns(f"{file}:{number}: step must be a name or null")
        found.append(Labelled(row["step"], row["text"]))
    if not found:
        raise BadTurns(f"{file}: is empty")
    return found


def close_steps(examples: Sequence[Example], embed: Callable[[Sequence[str]], Vectors]) -> frozenset[str]:
    """The third of the steps that are most like another one, by the middle of each one's examples."""
    steps = sorted({step for step, _ in examples})
    middles = np.stack([embed([text for label, text in examples if label == step]).mean(axis=0) for step in steps])
    middles /= np.maximum(np.linalg.norm(middles, axis=1, keepdims=True), 1e-9)
    likeness = middles @ middles.T - 2 * np.eye(len(steps))
    return frozenset(steps[place] for place in np.argsort(-likeness.max(axis=1))[: len(steps) // 3])


def evaluate(learnt: LearntSteps, turns: Sequence[Labelled], close: Collection[str] = ()) -> Row:
    """Decide every turn. A turn of a step without examples is near out of scope, one of no step far.

    Args:
        close: steps whose turns are counted once more apart, as they are the ones that may be taken for each other.
    """
    known = frozenset(learnt.learnt.labels)
    decided: list[tuple[Labelled, str | None]] = []
    times = []
    learnt.decide([turns[0].text], known)  # what is loaded at first use is no turn's time
    for turn in turns:
        started = time.perf_counter()
        (decision,) = learnt.decide([turn.text], known)
        times.append(1000 * (time.perf_counter() - started))
        decided.append((turn, decision.step))
    inside = [step for turn, step in decided if turn.step in known]
    near = [step for turn, step in decided if turn.step is not None and turn.step not in known]
    far = [step for turn, step in decided if turn.step is None]
    accepted = [(turn, step) for turn, step in decided if step is not None]
    alike = [(turn, step) for turn, step in accepted if step in close]
    return {
        "embedder": learnt.method,
        "steps": len(known),
        "turns": len(turns),
        "out_of_scope": len(near) + len(far),
        "cov": _share(inside),
        "prec": round(sum(turn.step == step for turn, step in accepted) / max(1, len(accepted)), 4),
        "close_steps": len(close),
        "close_cov": _share([step for turn, step in decided if turn.step in close]),
        "close_prec": round(sum(turn.step == step for turn, step in alike) / max(1, len(alike)), 4),
        "near_accepted": _share(near),
        "far_accepted": _share(far),
        "threshold": round(learnt.learnt.threshold, 3),
        "p50_ms": round(percentile(times, 0.5), 2),
        "p95_ms": round(percentile(times, 0.95), 2),
    }


def _share(steps: Sequence[str | None]) -> float:
    return round(sum(step is not None for step in steps) / max(1, len(steps)), 4)
