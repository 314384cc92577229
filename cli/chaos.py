"""holdfast chaos: workers are killed, or told to stop, in the middle of calls, and every promise is checked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import httpx
import typer
from rich.table import Table
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.bench_calls import no_answers
from cli.bench_stack import NUMBER, PLAYBOOK, VENDORS, options_of, use_stack
from cli.chaos_children import Children
from cli.progress import out, progress
from cli.stack import Stack
from core.playbook import parse_playbook
from evals.chaos import Chaos, Verdict, rows_of
from evals.figures import Row, percentile, write_rows
from evals.product import Product
from evals.sandbox_control import SandboxControl

WORKERS = 2  # one goes on while the other is dead
MOST_SHOWN = 20


WorkerFault = Literal["worker-kill", "worker-drain"]
DRAIN_BAR_MS = 30_000.0


def run_chaos(
    fault: WorkerFault, calls: int, kills: int, lines: int, seed: int, json_file: Path | None, *, times: bool
) -> None:
    """Hold calls and kill; exits with 1 if a promise was broken."""
    verdicts: list[Verdict] = []
    drained_ms: list[float] = []

    async def use(stack: Stack) -> None:
        text = (Path(stack.environment["HOLDFAST_PLAYBOOKS"]) / f"{PLAYBOOK}.yaml").read_text()
        sandbox, product = SandboxControl(stack.sandbox_url or ""), Product(stack.url, stack.api_key)
        temporal = await Client.connect(stack.temporal_address, data_converter=pydantic_data_converter)
        async with httpx.AsyncClient(timeout=2, trust_env=False) as http, progress(f"{kills} x {fault}, seed {seed}"):
            workers = Children(stack, http, "worker", WORKERS, drains=fault == "worker-drain")
            fillers = no_answers(parse_playbook(text, PLAYBOOK))
            chaos = Chaos(sandbox, product, temporal, workers, NUMBER, calls, lines, kills, seed, VENDORS, fillers)
            verdicts.append(await chaos.run())
            await workers.all_ended()
            drained_ms.extend(workers.drained_ms)
        await product.close()
        await sandbox.close()

    use_stack(options_of(WORKERS), use)
    if fault == "worker-kill":
        rows = rows_of(verdicts[0])
    else:
        rows = [*rows_of(verdicts[0], "worker told to stop"), drain_row(drained_ms)]
    write_rows(json_file, rows)
    out.print(table_of(rows))
    tell(verdicts[0], late(rows) if times else [], fault, seed)


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


def late(rows: Sequence[Row]) -> list[str]:
    """Times that are over their bar."""
    return [
        f"{row['fault']}: {row['promise']} by {row['p95_ms']} ms (p95), promised {row['bar_p95_ms']}"
        for row in rows
        if isinstance(row["p95_ms"], float) and row["bar_p95_ms"] and row["p95_ms"] > float(row["bar_p95_ms"])
    ]


def table_of(rows: Sequence[Row]) -> Table:
    """Fault by promise by what was measured."""
    table = Table(box=None, header_style="bold")
    for title in ("fault", "calls struck", "promise", "p95 at most", "measured p50", "measured p95"):
        table.add_column(title)
    for row in rows:
        bar = f"{row['bar_p95_ms']:.0f} ms" if row["bar_p95_ms"] else ""
        figures = (row["struck"], row["promise"], bar, row["p50_ms"], row["p95_ms"])
        table.add_row(str(row["fault"]), *map(str, figures))
    return table


def tell(verdict: Verdict, late: Sequence[str], fault: str, seed: int) -> None:
    """What was promised and not kept, with how to see it again; exits with 1 if there is any."""
    broken = [*(f"{one.call}: {one.what}" for one in verdict.broken), *late]
    if not broken:
        out.print(
            f"[green]All {verdict.lines} lines were answered, nothing was said or done twice, "
            "SQL and Temporal agree.[/green]"
        )
        return
    for what in broken[:MOST_SHOWN]:
        out.print(f"[red]{what}[/red]")
    again = f"holdfast chaos --fault {fault} --seed {seed}"
    out.print(f"[red]{len(broken)} promises were broken.[/red] Again: {again}")
    raise typer.Exit(1)
