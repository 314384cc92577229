"""holdfast chaos --fault temporal-restart | database-down | callbacks-doubled | callbacks-reordered."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Literal

import httpx
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.bench_calls import no_answers
from cli.bench_stack import NUMBER, PLAYBOOK, VENDORS, options_of, use_stack
from cli.chaos import table_of, tell
from cli.chaos_children import Children
from cli.progress import out, progress
from cli.stack import Stack
from core.playbook import parse_playbook
from evals.chaos import Chaos
from evals.figures import write_rows
from evals.outage_chaos import OutageChaos, OutageVerdict, outage_row
from evals.product import Product
from evals.sandbox_control import SandboxControl

OutageFault = Literal["temporal-restart", "database-down", "callbacks-doubled", "callbacks-reordered"]


def run_outage_chaos(
    fault: OutageFault, down_s: float, calls: int, times: int, lines: int, seed: int, json_file: Path | None
) -> None:
    """Hold calls while the fault lasts; exits with 1 if a promise was broken."""
    verdicts: list[OutageVerdict] = []

    async def use(stack: Stack) -> None:
        text = (Path(stack.environment["HOLDFAST_PLAYBOOKS"]) / f"{PLAYBOOK}.yaml").read_text()
        sandbox, product = SandboxControl(stack.sandbox_url or ""), Product(stack.url, stack.api_key)
        temporal = await Client.connect(stack.temporal_address, data_converter=pydantic_data_converter)
        fillers = no_answers(parse_playbook(text, PLAYBOOK))
        async with httpx.AsyncClient(timeout=2, trust_env=False) as http, progress(f"{times} x {fault}, seed {seed}"):
            workers = Children(stack, http, "worker", 1, drains=False)
            chaos = Chaos(sandbox, product, temporal, workers, NUMBER, calls, lines, times, seed, VENDORS, fillers)
            person = {"callbacks": fault.partition("-")[2]} if fault.startswith("callbacks") else {}
            verdicts.append(await OutageChaos(chaos, outage_of(fault, stack, down_s), person).run())
        await product.close()
        await sandbox.close()

    use_stack(options_of(workers=1), use)
    rows = [outage_row(verdicts[0], fault if fault.startswith("callbacks") else f"{fault}, {down_s:.0f} s")]
    write_rows(json_file, rows)
    out.print(table_of(rows))
    tell(verdicts[0].of_calls, [], fault, seed)


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
