"""holdfast bench campaign: whole campaigns on the sandbox's carrier, and the choosing alone."""

import asyncio
import resource
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import httpx

from cli.bench_stack import NUMBER, options_of, pids_of, print_rows, run
from cli.chaos import WORKERS
from cli.chaos_children import Children
from cli.progress import progress
from cli.stack import Stack
from core.attempts import AttemptOutcome
from core.contracts.campaign import CampaignPhase, CampaignSettings
from core.may_call import CallingRules
from core.pacing import Pace
from core.ports.campaign import NewContact
from evals.campaign_bench import CampaignBench, numbers_awake
from evals.figures import Row, write_rows
from evals.product import Product
from evals.sandbox_control import SandboxControl
from storage.attempts import close_attempt
from storage.campaign_rounds import SqlCampaignBook
from storage.campaigns import SqlCampaigns
from storage.database import Database
from storage.migrate import migrate

ADDED_TOGETHER = 5_000
SECOND_MS = 1_000.0


def run_campaign(
    contacts: int, in_flight: int, kills: int, per_second: float, seed: int, json_file: Path | None
) -> None:
    """A campaign whose every contact is busy, with workers killed meanwhile."""

    async def measure(stack: Stack) -> AsyncIterator[Row]:
        sandbox, product = SandboxControl(stack.sandbox_url or ""), Product(stack.url, stack.api_key)
        async with httpx.AsyncClient(timeout=2, trust_env=False) as http, progress(f"Calling {contacts} contacts"):
            workers = Children(stack, http, "worker", WORKERS, drains=False)
            bench = CampaignBench(product, sandbox, workers, pids_of(stack), contacts, in_flight, kills, seed, NUMBER)
            row = await bench.run()
        await product.close()
        await sandbox.close()
        yield {"calls": contacts, **row}

    run(options_of(WORKERS, {"HOLDFAST_CALLS_PER_SECOND": str(per_second)}), measure, json_file)


def run_decisions(contacts: int, database_url: str | None, json_file: Path | None) -> None:
    """Choose, check and write the rows of attempts that nobody dials; they end at once, as chance has it."""
    with tempfile.TemporaryDirectory() as folder:
        url = database_url or f"sqlite+aiosqlite:///{folder}/campaign.db"
        rows = [asyncio.run(_decide(contacts, url))]
    print_rows(rows)
    write_rows(json_file, rows)


async def _decide(contacts: int, url: str) -> Row:
    await migrate(url)
    database = Database(url, statement_seconds=30.0)
    campaign_id = f"bench{time.time_ns():x}"
    now_ms = time.time() * 1_000
    campaigns, book = SqlCampaigns(database), SqlCampaignBook(database, calls_per_second=1_000_000.0)
    settings = CampaignSettings(
        campaign_id,
        "bench",
        "order_support",
        NUMBER,
        rules=CallingRules(needs_consent=False, most_a_day=50, most_a_week=50),
        pace=Pace(in_flight=100),
    )
    await campaigns.create(settings, now_ms)
    numbers = numbers_awake(contacts, now_ms)
    for start in range(0, contacts, ADDED_TOGETHER):
        some = [NewContact(number) for number in numbers[start : start + ADDED_TOGETHER]]
        await campaigns.add(campaign_id, some, now_ms)
    await book.keep_phase(campaign_id, CampaignPhase.RUNNING, now_ms, call_off=False)
    random, seen, spent_s, decisions, most = Random(1), set[str](), 0.0, 0, 0
    before_mb, at_ms = _memory_mb(), now_ms
    began = time.perf_counter()
    async with progress(f"Choosing among {contacts} contacts"):
        while True:
            started = time.perf_counter()
            found, planned = await book.open_round(campaign_id, at_ms)
            await book.call_has_begun([one.call_id for one in planned])
            spent_s += time.perf_counter() - started
            if not planned and found.next_ms is None and found.in_flight == 0:
                break
            most, decisions = max(most, found.in_flight), decisions + len(planned)
            assert seen.isdisjoint(one.call_id for one in planned), "an attempt was opened twice"
            seen.update(one.call_id for one in planned)
            async with database.write() as session:
                for one in planned:
                    outcome = random.choice((AttemptOutcome.REACHED, AttemptOutcome.REACHED, AttemptOutcome.FAILED))
                    await close_attempt(session, one.call_id, outcome, at_ms)
            at_ms = max(at_ms + SECOND_MS, found.next_ms or 0.0) if not planned else at_ms + SECOND_MS
    took_s = time.perf_counter() - began
    counts = await campaigns.progress(campaign_id, at_ms)
    await database.close()
    return {
        "calls": contacts,
        "decisions": decisions,
        "decisions_per_s": round(decisions / spent_s, 1),
        "with_endings_per_s": round(decisions / took_s, 1),
        "most_in_flight": most,
        "done": counts.done,
        "memory_before_mb": before_mb,
        "memory_after_mb": _memory_mb(),
    }


def _memory_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024, 1)
