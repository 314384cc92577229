"""holdfast chaos --fault temporal-restart | database-down | callbacks-doubled | callbacks-reordered."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Literal

from cli.bench_stack import options_of
from cli.chaos import faults_of, well_of
from cli.chaos_children import Children
from cli.chaos_stage import Plan, Targets, play, table_of, tell
from cli.progress import out
from cli.stack import Stack
from evals.chaos import Chaos
from evals.figures import write_rows
from evals.outage_chaos import OutageChaos, OutageVerdict, outage_row

OutageFault = Literal["temporal-restart", "database-down", "callbacks-doubled", "callbacks-reordered"]


def run_outage_chaos(fault: OutageFault, down_s: float, plan: Plan, json_file: Path | None) -> None:
    """Hold calls while the fault lasts; exits with 1 if a promise was broken."""
    of_callbacks = fault.startswith("callbacks")

    async def run(chaos: Chaos, _: Children, stack: Stack) -> OutageVerdict:
        person = {"callbacks": fault.partition("-")[2]} if of_callbacks else {}
        return await OutageChaos(chaos, outage_of(fault, stack, down_s), person).run()

    verdict = play(plan, options_of(workers=1), Targets("worker", 1), run, lambda one: one.of_calls.broken)
    rows = [outage_row(verdict, fault if of_callbacks else f"{fault}, {down_s:.0f} s")]
    write_rows(json_file, rows)
    out.print(table_of(rows))
    tell(faults_of(verdict.of_calls), plan, well_of(verdict.of_calls))


def outage_of(fault: OutageFault, stack: Stack, down_s: float) -> Callable[[], Awaitable[None]] | None:
    """What begins the outage and returns once it is over; None: it is no outage."""

    async def temporal_restarts() -> None:
        stack.kill("temporal", down_s=down_s)
        await asyncio.sleep(down_s)

    async def database_is_locked() -> None:
        path = stack.environment["DATABASE_URL"].partition("///")[2]
        with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")  # nobody else can write
            await asyncio.sleep(down_s)
            database.execute("ROLLBACK")

    if fault == "temporal-restart":
        return temporal_restarts
    return database_is_locked if fault == "database-down" else None
