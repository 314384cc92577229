"""holdfast bench campaign --check: how long a check takes, and how long it holds up its process, which serves calls."""

import asyncio
import resource
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from cli.bench_stack import NUMBER, print_rows
from cli.progress import progress
from core.campaign_outlook import Outlook
from core.contact_list import ListedContact
from core.contracts.campaign import CampaignSettings
from core.may_call import ConsentOnRecord, DncScope
from core.ports.campaign import DncEntry
from core.ports.contact_lists import ListUpload
from evals.figures import Row, write_rows
from storage.campaigns import SqlCampaigns
from storage.contact_lists import SqlContactLists
from storage.database import Database
from storage.migrate import migrate

TOGETHER: Final = 5_000
PREFIXES: Final = ("+4930", "+4420794", "+1212555", "+1800555", "+8133", "+61292")  # one of them is bound to no place
NO_CONSENT_EVERY, FORBIDDEN_EVERY, STATED_EVERY = 10, 500, 7
TICK_S: Final = 0.001


def run_check(contacts: int, database_url: str | None, json_file: Path | None) -> None:
    """Contacts of six countries, some without consent or not to be called."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [asyncio.run(_measure(contacts, database_url or f"sqlite+aiosqlite:///{folder}/campaign.db"))]
    print_rows(rows)
    write_rows(json_file, rows)


async def _measure(contacts: int, url: str) -> Row:
    await migrate(url)
    database, now_ms = Database(url, statement_seconds=30.0), time.time() * 1_000
    campaign = f"bench{time.time_ns():x}"
    lists = SqlContactLists(database)
    async with progress(f"Listing {contacts} contacts"):
        await _list(database, campaign, contacts, now_ms)
    hold_ups: list[float] = []
    ticking = asyncio.create_task(_tick(hold_ups))
    before_mb, began, cpu_s = _resident_mb(), time.perf_counter(), time.process_time()
    most_mb, last = before_mb, Outlook(0, 0)
    async with progress(f"Checking {contacts} contacts"):
        async for found in lists.outlook(campaign, now_ms):
            most_mb, last = max(most_mb, _resident_mb()), found
    took_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_s
    ticking.cancel()
    await database.close()
    hold_ups.sort()
    return {
        "calls": contacts,
        "looked_at": last.looked_at,
        "callable": last.now + last.later,
        "never": sum(last.never.values()),
        "took_s": round(took_s, 1),
        "contacts_per_s": round(contacts / took_s),
        "cpu_s": round(cpu_s, 1),
        "memory_before_mb": round(before_mb, 1),
        "memory_most_mb": round(most_mb, 1),
        "hold_up_p95_ms": round(hold_ups[len(hold_ups) * 95 // 100] * 1_000, 1),
        "hold_up_most_ms": round(hold_ups[-1] * 1_000, 1),
    }


async def _list(database: Database, campaign: str, contacts: int, now_ms: float) -> None:
    campaigns, lists = SqlCampaigns(database), SqlContactLists(database)
    await campaigns.create(CampaignSettings(campaign, "bench", "order_support", NUMBER), now_ms)
    upload = ListUpload(campaign, "all")
    for batch in _batched(_listed(contacts), TOGETHER):
        upload = await lists.take(upload, batch, now_ms, lines=batch[-1].line)
    for contact in islice(_listed(contacts), 0, None, FORBIDDEN_EVERY):
        await campaigns.block(DncEntry(contact.number, DncScope.TENANT, "default"))


def _listed(contacts: int) -> Iterator[ListedContact]:
    for line in range(1, contacts + 1):
        prefix = PREFIXES[line % len(PREFIXES)]
        zone = "Europe/Madrid" if line % STATED_EVERY == 0 else ""
        consent = None if line % NO_CONSENT_EVERY == 0 else ConsentOnRecord(0.0, source="bench")
        yield ListedContact(line, f"{prefix}{line:0{12 - len(prefix)}d}", zone, {"name": f"N{line}"}, consent)


def _batched(items: Iterator[ListedContact], size: int) -> Iterator[list[ListedContact]]:
    """Of Python 3.12's itertools."""
    while batch := list(islice(items, size)):
        yield batch


async def _tick(hold_ups: list[float]) -> None:
    """How much later than it could others of the event loop have their turn, seconds."""
    while True:
        asked = time.perf_counter()
        await asyncio.sleep(TICK_S)
        hold_ups.append(time.perf_counter() - asked - TICK_S)


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1_048_576
