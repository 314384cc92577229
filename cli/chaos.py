"""holdfast chaos: workers are killed, or told to stop, in the middle of calls, and every promise is checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.bench_stack import options_of
from cli.chaos_children import Children
from cli.chaos_stage import Plan, Targets, late, play, table_of, tell
from cli.progress import out
from cli.stack import Stack
from evals.chaos import Chaos, Verdict, rows_of
from evals.figures import Row, percentile, write_rows

WORKERS = 2  # one goes on while the other is dead
DRAINS = "worker-drain"
DRAIN_BAR_MS = 30_000.0


@dataclass(frozen=True, slots=True)
class _Came:
    verdict: Verdict
    drained_ms: Sequence[float]


def run_chaos(plan: Plan, json_file: Path | None, *, times: bool) -> None:
    """Hold calls and kill; exits with 1 if a promise was broken."""
    drains = plan.fault == DRAINS

    async def run(chaos: Chaos, workers: Children, _: Stack) -> _Came:
        verdict = await chaos.run()
        await workers.all_ended()
        return _Came(verdict, workers.drained_ms)

    came = play(plan, options_of(WORKERS), Targets("worker", WORKERS, drains), run, lambda came: came.verdict.broken)
    if drains:
        rows = [*rows_of(came.verdict, "worker told to stop"), drain_row(came.drained_ms)]
    else:
        rows = rows_of(came.verdict)
    write_rows(json_file, rows)
    out.print(table_of(rows))
    tell([*faults_of(came.verdict), *(late(rows) if times else [])], plan, well_of(came.verdict))


def faults_of(verdict: Verdict) -> list[str]:
    """Each promise that was broken in a call."""
    return [f"{one.call}: {one.what}" for one in verdict.broken]


def well_of(verdict: Verdict) -> str:
    """What there is to say of calls in which all promises were kept."""
    return f"All {verdict.lines} lines were answered, nothing was said or done twice, SQL and Temporal agree."


def drain_row(drained_ms: Sequence[float]) -> Row:
    """How long workers took to end; their calls went on at others."""
    return {
        "fault": "worker told to stop",
        "promise": "it has ended",
        "struck": len(drained_ms),
        "p50_ms": round(percentile(drained_ms, 0.5), 1),
        "p95_ms": round(percentile(drained_ms, 0.95), 1),
        "bar_p95_ms": DRAIN_BAR_MS,
    }
