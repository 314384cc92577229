"""What every run of chaos plays on, and how it tells what came of it."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import typer
from rich.table import Table
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.bench_calls import no_answers
from cli.bench_stack import NUMBER, PLAYBOOK, VENDORS, use_stack
from cli.chaos_children import Children
from cli.progress import complain, out, progress
from cli.stack import Stack, StackOptions
from core.playbook import parse_playbook
from evals.chaos import Broken, Chaos
from evals.figures import Row
from evals.histories import keep_histories
from evals.product import Product
from evals.sandbox_control import SandboxControl

MOST_SHOWN = 20
Judged = TypeVar("Judged")


@dataclass(frozen=True, slots=True)
class Plan:
    """A run that can be had again: ``calls`` at a time, of ``lines`` each, until it has struck ``times`` times."""

    fault: str
    calls: int
    times: int
    lines: int
    seed: int
    histories: Path | None = None  # where what Temporal knows of a call is kept in which a promise was broken


@dataclass(frozen=True, slots=True)
class Targets:
    """The children that are struck: all of a role, with SIGKILL, or SIGTERM where they are to drain."""

    role: str
    count: int
    drains: bool = False


def play(
    plan: Plan,
    options: StackOptions,
    targets: Targets,
    run: Callable[[Chaos, Children, Stack], Awaitable[Judged]],
    broken: Callable[[Judged], Iterable[Broken]],
) -> Judged:
    """Start a stack, hold the calls on it, and return what ``run`` made of them; exits with 1 if it was stopped.

    ``broken`` tells which promises were not kept.
    """
    judged: list[Judged] = []
    if plan.histories is not None:
        plan.histories.mkdir(parents=True, exist_ok=True)

    async def use(stack: Stack) -> None:
        text = (Path(stack.environment["HOLDFAST_PLAYBOOKS"]) / f"{PLAYBOOK}.yaml").read_text()
        fillers = no_answers(parse_playbook(text, PLAYBOOK))
        sandbox, product = SandboxControl(stack.sandbox_url or ""), Product(stack.url, stack.api_key)
        temporal = await Client.connect(stack.temporal_address, data_converter=pydantic_data_converter)
        what = f"{plan.times} x {plan.fault}, seed {plan.seed}"
        async with httpx.AsyncClient(timeout=2, trust_env=False) as http, progress(what):
            children = Children(stack, http, targets.role, targets.count, drains=targets.drains)
            of_calls = plan.calls, plan.lines, plan.times, plan.seed
            chaos = Chaos(sandbox, product, temporal, children, NUMBER, *of_calls, VENDORS, fillers)
            judged.append(await run(chaos, children, stack))
            if plan.histories is not None:
                await keep_histories(temporal, {one.call for one in broken(judged[0])}, plan.histories)
        await product.close()
        await sandbox.close()

    use_stack(options, use)
    if not judged:
        complain("stopped before all calls were over, so nothing can be judged")
        raise typer.Exit(1)
    return judged[0]


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


def tell(broken: Sequence[str], plan: Plan, well: str) -> None:
    """What was promised and not kept, with how to see it again, and exit with 1; else ``well``."""
    if not broken:
        out.print(f"[green]{well}[/green]")
        return
    for what in broken[:MOST_SHOWN]:
        out.print(f"[red]{what}[/red]")
    again = f"holdfast chaos --fault {plan.fault} --seed {plan.seed}"
    out.print(f"[red]{len(broken)} promises were broken.[/red] Again: {again}")
    raise typer.Exit(1)
