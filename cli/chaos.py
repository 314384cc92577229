"""holdfast chaos: workers are killed in the middle of calls, and every promise is checked."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import typer
from rich.table import Table
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.bench_calls import no_answers
from cli.bench_stack import NUMBER, PLAYBOOK, VENDORS, options_of, use_stack
from cli.progress import out, progress
from cli.stack import Stack
from core.playbook import parse_playbook
from evals.chaos import Chaos, Verdict, rows_of
from evals.figures import Row, write_rows
from evals.product import Product
from evals.sandbox_control import SandboxControl

WORKERS = 2  # one goes on while the other is dead
MOST_SHOWN = 20


class Workers:
    """Implements evals.chaos.Victims."""

    def __init__(self, stack: Stack, http: httpx.AsyncClient) -> None:
        self._stack = stack
        self._http = http

    @property
    def count(self) -> int:
        """How many there are when all are well."""
        return WORKERS

    async def ready(self) -> Mapping[str, int]:
        """Those that poll."""
        ready = {}
        for child in self._stack.children():
            if child.role == "worker" and child.pid is not None and await self._polls(child.port or 0):
                ready[child.name] = child.pid
        return ready

    def kill(self, name: str) -> None:
        """SIGKILL; the stack starts another."""
        self._stack.kill(name)

    async def _polls(self, port: int) -> bool:
        try:
            return (await self._http.get(f"http://127.0.0.1:{port}/readyz")).is_success
        except httpx.HTTPError:
            return False


def run_chaos(calls: int, kills: int, lines: int, seed: int, json_file: Path | None, *, times: bool) -> None:
    """Hold calls and kill; exits with 1 if a promise was broken."""
    verdicts: list[Verdict] = []

    async def use(stack: Stack) -> None:
        text = (Path(stack.environment["HOLDFAST_PLAYBOOKS"]) / f"{PLAYBOOK}.yaml").read_text()
        sandbox, product = SandboxControl(stack.sandbox_url or ""), Product(stack.url, stack.api_key)
        temporal = await Client.connect(stack.temporal_address, data_converter=pydantic_data_converter)
        async with httpx.AsyncClient(timeout=2, trust_env=False) as http, progress(f"{kills} kills, seed {seed}"):
            fillers = no_answers(parse_playbook(text, PLAYBOOK))
            chaos = Chaos(
                sandbox,
                product,
                temporal,
                Workers(stack, http),
                NUMBER,
                calls,
                lines,
                kills,
                seed,
                VENDORS,
                fillers,
            )
            verdicts.append(await chaos.run())
        await product.close()
        await sandbox.close()

    use_stack(options_of(WORKERS), use)
    rows = rows_of(verdicts[0])
    write_rows(json_file, rows)
    out.print(table_of(rows))
    broken = [f"{one.call}: {one.what}" for one in verdicts[0].broken]
    if times:
        broken += late(rows)
    _tell(verdicts[0].lines, broken, seed)


def late(rows: Sequence[Row]) -> list[str]:
    """Times that are over their bar."""
    return [
        f"{row['fault']}: {row['promise']} by {row['p95_ms']} ms (p95), promised {row['bar_p95_ms']}"
        for row in rows
        if isinstance(row["p95_ms"], float) and row["p95_ms"] > float(row["bar_p95_ms"])
    ]


def table_of(rows: Sequence[Row]) -> Table:
    """Fault by promise by what was measured."""
    table = Table(box=None, header_style="bold")
    for title in ("fault", "calls struck", "promise", "p95 at most", "measured p50", "measured p95"):
        table.add_column(title)
    for row in rows:
        figures = (row["struck"], row["promise"], f"{row['bar_p95_ms']:.0f} ms", row["p50_ms"], row["p95_ms"])
        table.add_row(str(row["fault"]), *map(str, figures))
    return table


def _tell(lines: int, broken: Sequence[str], seed: int) -> None:
    if not broken:
        out.print(
            f"[green]All {lines} lines were answered, nothing was said or done twice, SQL and Temporal agree.[/green]"
        )
        return
    for what in broken[:MOST_SHOWN]:
        out.print(f"[red]{what}[/red]")
    out.print(f"[red]{len(broken)} promises were broken.[/red] The same again: holdfast chaos --seed {seed}")
    raise typer.Exit(1)
