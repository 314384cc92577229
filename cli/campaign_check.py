"""What holdfast campaign check does, by the API."""

from typing import Any, Final

import httpx
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.campaign_work import SHOWN_FAULTS, fault_line, reasons
from cli.process import Complaint
from cli.progress import err
from cli.rest import Rest, events_of, part, problem_of, with_api

PATIENCE: Final = httpx.Timeout(10, read=60)  # the API tells how far it is, or at least that it is there


def check(campaign: str, url: str | None) -> None:
    """Print what it would find; meanwhile a bar on a terminal."""

    async def work(api: Rest) -> None:
        _show(await checked(api, campaign))

    with_api(work, url)


async def checked(api: Rest, campaign: str) -> dict[str, Any]:
    """The report. Raises Complaint."""
    columns = (TextColumn("contacts"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    path = f"/v1/campaigns/{part(campaign)}/check/events"
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        bar = bars.add_task("", total=None)
        async with api.http.stream("GET", path, timeout=PATIENCE) as answer:
            if not answer.is_success:
                await answer.aread()
                raise Complaint(problem_of(answer))
            async for event, told in events_of(answer):
                if event == "report":
                    return told
                bars.update(bar, completed=told["looked_at"], total=told["contacts"])
    raise Complaint("the check was broken off: try again")


def _show(found: dict[str, Any]) -> None:
    print(f"contacts        {found['contacts']}")
    print(f"callable now    {found['callable_now']}")
    print(f"callable later  {found['callable_later']}{reasons(found['waits'])}")
    print(f"never called    {sum(found['never'].values())}{reasons(found['never'])}")
    if found["done"]:
        print(f"done            {found['done']}")
    print(f"first call      {found['first_call_at'] or 'never'}")
    expected = found["estimate"]
    print(f"attempts        about {expected['attempts']}, {expected['dialling_hours']} hours of dialling")
    print(f"ends            {expected['ends_at'] or 'not within 120 days'}")
    basis = "by earlier calls" if expected["measured"] else "by usual figures"
    print(f"costs           about {expected['cost_usd']:.2f} USD, {basis}")
    for listed in found["lists"]:
        for fault in listed["first_faults"][:SHOWN_FAULTS]:
            print(fault_line(listed["name"], fault))
    for problem in found["problems"]:
        print(f"! {problem}")
