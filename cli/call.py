"""holdfast call: place a call by the API, and follow it."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx

from cli.feed_lines import Transcript
from cli.process import Complaint
from cli.progress import out
from cli.rest import Rest, problem_of, with_api

PAUSE_S = 1.0  # before a broken feed is asked for again
AWAY_S = 30.0  # for so long: a deploy takes less


def run(to: str, playbook: str, variables: list[str], *, follow: bool, url: str | None) -> None:
    """Place the call and print its id; exits with 2 and one line when it cannot be placed."""

    async def work(api: Rest) -> None:
        wanted = {"to": to, "playbook": playbook, "variables": _pairs(variables)}
        started = await api.ask("POST", "/v1/calls", json=wanted)
        print(started["id"])
        if follow:
            out.print(f"[dim]{started['temporal_url']}[/dim]")
            await follow_call(api.http, str(started["id"]))

    with_api(work, url)


def _pairs(variables: list[str]) -> dict[str, str]:
    for variable in variables:
        if "=" not in variable:
            raise Complaint(f"--var {variable}: must be key=value")
    return dict(variable.split("=", 1) for variable in variables)


async def follow_call(
    http: httpx.AsyncClient, call_id: str, *, pause_s: float = PAUSE_S, away_s: float = AWAY_S
) -> None:
    """Show the call's lines until it ends. Raises Complaint once the API has been away for ``away_s`` seconds."""
    transcript = Transcript()
    async with aclosing(_feed(http, call_id, pause_s, away_s)) as feed:
        async for line in feed:
            for words in transcript.add(line["kind"], line["data"]):
                out.print(words)
            if line["kind"] == "call_ended":
                sys.stdout.flush()
                return


async def _feed(
    http: httpx.AsyncClient, call_id: str, pause_s: float, away_s: float
) -> AsyncGenerator[dict[str, Any], None]:
    """The call's lines from its first on; comes back after a broken stream, from the line after the last."""
    seen, there = 0, time.monotonic()
    while True:
        reached = False
        asked = http.stream(
            "GET", f"/v1/calls/{call_id}/events", params={"after": seen}, timeout=httpx.Timeout(10, read=60)
        )
        try:
            async with asked as answer:
                reached, reason = answer.is_success, "the feed ended"
                if reached:
                    async for text in answer.aiter_lines():
                        if text.startswith("data:"):
                            line: dict[str, Any] = json.loads(text[5:])
                            seen = line["id"]
                            yield line
                else:
                    await answer.aread()
                    reason = problem_of(answer)
                    if not answer.is_server_error:
                        raise Complaint(reason)
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
        there = time.monotonic() if reached else there
        if time.monotonic() - there >= away_s:
            raise Complaint(f"{http.base_url} stays away ({reason}); the call itself goes on")
        await asyncio.sleep(pause_s)
