"""What holdfast campaign and holdfast dnc do, by the API."""

import asyncio
import hashlib
import json
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

import httpx
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.process import Complaint
from cli.progress import err, out
from cli.rest import Rest, part, problem_of, with_api

PIECE: Final = 256 * 1_024
UPLOAD_PATIENCE: Final = httpx.Timeout(30, read=600)
TRIES: Final = 5  # of an upload whose connection breaks
AWAY_S: Final = 30.0  # the API, while a campaign is watched
PAUSE_S: Final = 1.0
SHOWN_FAULTS: Final = 20
OVER: Final = ("completed", "canceled")


def create(wanted: dict[str, Any], hours: list[str], url: str | None) -> None:
    """Print the draft's id."""

    async def work(api: Rest) -> None:
        if hours:
            wanted["hours"] = [_hours(text) for text in hours]
        found = await api.ask("POST", "/v1/campaigns", json=wanted)
        print(found["id"])
        _show_secret(found)

    with_api(work, url)


def upload(campaign: str, file: Path, name: str | None, told: dict[str, Any], url: str | None) -> None:
    """Send the list; a connection that breaks is made again, and the API goes on where it was."""

    async def work(api: Rest) -> None:
        listed = await asyncio.to_thread(_digest, file) if name is None else name
        path = f"/v1/campaigns/{part(campaign)}/lists/{part(listed)}"
        params = {key: value for key, value in told.items() if value}
        for left in reversed(range(TRIES)):
            try:
                found = await api.ask("PUT", path, params=params, content=_pieces(file), timeout=UPLOAD_PATIENCE)
                break
            except httpx.TransportError as error:
                if not left:
                    raise
                err.print(f"the connection broke ({type(error).__name__}); once more", markup=False)
                await asyncio.sleep(PAUSE_S)
        _show_list(found)

    with_api(work, url, OSError)


def show_all(url: str | None) -> None:
    """Print each in a line."""

    async def work(api: Rest) -> None:
        for found in (await api.ask("GET", "/v1/campaigns"))["campaigns"]:
            print(f"{found['id']}  {found['phase']:9}  {found['playbook']}  {found['name']}")

    with_api(work, url)


def tell(campaign: str, verb: str, url: str | None) -> None:
    """Start, pause, resume or cancel."""

    async def work(api: Rest) -> None:
        await api.ask("POST", f"/v1/campaigns/{part(campaign)}/{verb}")

    with_api(work, url)


def change(campaign: str, what: dict[str, Any], url: str | None) -> None:
    """Take other rules."""

    async def work(api: Rest) -> None:
        await api.ask("PATCH", f"/v1/campaigns/{part(campaign)}", json=what)

    with_api(work, url)


def change_webhook(campaign: str, address: str | None, url: str | None, *, off: bool) -> None:
    """Tell another server of results, or none."""

    async def work(api: Rest) -> None:
        if (address is None) is not off:
            raise Complaint("campaign webhook: tell an address, or --off")
        found = await api.ask("PATCH", f"/v1/campaigns/{part(campaign)}", json={"webhook_url": address})
        _show_secret(found)

    with_api(work, url)


def watch(campaign: str, url: str | None) -> None:
    """A bar on a terminal, else a line for each change."""

    async def work(api: Rest) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[more]}"),
        )
        with Progress(*columns, console=out, transient=False, disable=not out.is_terminal) as bars:
            bar = bars.add_task("draft", total=None, more="")
            async with aclosing(_changes(api, campaign)) as changes:
                async for found in changes:
                    more = _told_of(found)
                    bars.update(
                        bar, description=found["phase"], completed=found["done"], total=found["contacts"], more=more
                    )
                    if not out.is_terminal:
                        print(f"{found['phase']} {found['done']}/{found['contacts']} {more}", flush=True)

    with_api(work, url)


def results(campaign: str, file: Path | None, kind: str, url: str | None) -> None:
    """Copy them as they come."""

    async def work(api: Rest) -> None:
        path = f"/v1/campaigns/{part(campaign)}/results.{'csv' if kind == 'csv' else 'jsonl'}"
        async with api.http.stream("GET", path, timeout=UPLOAD_PATIENCE) as answer:
            if not answer.is_success:
                await answer.aread()
                raise Complaint(problem_of(answer))
            target = file.open("wb") if file else sys.stdout.buffer
            try:
                async for piece in answer.aiter_bytes():
                    target.write(piece)
            finally:
                target.flush()
                if file:
                    target.close()

    with_api(work, url, OSError)


def forbid(entry: dict[str, Any], url: str | None) -> None:
    """Put a number on the list of those who must not be called."""

    async def work(api: Rest) -> None:
        await api.ask("POST", "/v1/dnc", json=entry)

    with_api(work, url)


def forbidden(number: str | None, url: str | None) -> None:
    """Print them."""

    async def work(api: Rest) -> None:
        params = {"number": number} if number else {}
        for entry in (await api.ask("GET", "/v1/dnc", params=params))["numbers"]:
            scope = f"{entry['scope']}{':' + entry['of'] if entry['of'] else ''}"
            removed = f"  removed {entry['removed_at']}" if entry["removed_at"] else ""
            print(f"{entry['number']}  {scope}  {entry['added_at']}{removed}  {entry['reason']}".rstrip())

    with_api(work, url)


def permission_log(number: str | None, url: str | None) -> None:
    """Print it."""

    async def work(api: Rest) -> None:
        params = {"number": number} if number else {}
        for line in (await api.ask("GET", "/v1/dnc/log", params=params))["changes"]:
            scope = f"{line['scope']}{':' + line['of'] if line['of'] else ''}"
            print(f"{line['at']}  {line['number']}  {line['change']}  {scope}  {line['reason']}".rstrip())

    with_api(work, url)


def allow(entry: dict[str, str], url: str | None) -> None:
    """Take a number off it."""

    async def work(api: Rest) -> None:
        await api.ask("DELETE", "/v1/dnc", params=entry)

    with_api(work, url)


async def _changes(api: Rest, campaign: str) -> AsyncGenerator[dict[str, Any], None]:
    """Its progress until it is over; comes back after a broken stream."""
    path, there = f"/v1/campaigns/{part(campaign)}/events", time.monotonic()
    while True:
        reached, reason = False, "the stream ended"
        try:
            async with api.http.stream("GET", path, timeout=httpx.Timeout(10, read=60)) as answer:
                reached = answer.is_success
                if not reached:
                    await answer.aread()
                    reason = problem_of(answer)
                    if not answer.is_server_error:
                        raise Complaint(reason)
                async for text in answer.aiter_lines():
                    if text.startswith("data:"):
                        found: dict[str, Any] = json.loads(text[5:])
                        yield found
                        if found["phase"] in OVER:
                            return
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
        there = time.monotonic() if reached else there
        if time.monotonic() - there >= AWAY_S:
            raise Complaint(f"{api.http.base_url} stays away ({reason}); the campaign itself goes on")
        await asyncio.sleep(PAUSE_S)


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as source:
        while piece := await asyncio.to_thread(source.read, PIECE):
            yield piece


def _digest(file: Path) -> str:
    """The same list has the same name, so that sending it twice adds nothing."""
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()[:16]


def _show_secret(found: dict[str, Any]) -> None:
    """Beside what scripts read."""
    if found["webhook_secret"]:
        err.print(f"webhook secret: {found['webhook_secret']} (not shown again)", markup=False, soft_wrap=True)


def _show_list(found: dict[str, Any]) -> None:
    print(f"{found['added']} contacts added{reasons(found['faults'])}")
    for fault in found["first_faults"][:SHOWN_FAULTS]:
        print(fault_line(found["name"], fault))
    if set(found["faults"]) - {"duplicate"}:
        sys.exit(1)


def fault_line(name: str, fault: dict[str, Any]) -> str:
    """A line of a list that cannot be used."""
    return f"{name}, line {fault['line']}: {fault['kind']}: {fault['detail']}"


def reasons(counts: dict[str, int]) -> str:
    """Counts by reason, in brackets."""
    return f" ({', '.join(f'{count} {reason}' for reason, count in counts.items())})" if counts else ""


def _told_of(found: dict[str, Any]) -> str:
    rate = f"{found['answer_rate']:.0%} answered" if found["answer_rate"] is not None else "no answer yet"
    left = f", {found['eta_s'] / 60:.0f} min left" if found["eta_s"] is not None else ""
    busy = f"{found['dialling']} in flight, {found['attempts_last_minute']} a minute"
    return f"{busy}, {rate}{left}{reasons(found['outcomes'])}"


def _hours(text: str) -> dict[str, str]:
    opens, dash, closes = text.partition("-")
    if not dash:
        raise Complaint(f"--hours {text}: must be as in 09:00-12:30")
    return {"opens": opens.strip(), "closes": closes.strip()}
