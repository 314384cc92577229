"""The commands of holdfast webhooks: servers of yours that are told of calls."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import ApiUrl

if TYPE_CHECKING:
    from cli.rest import Rest

EndpointId = Annotated[str, typer.Argument(help="An id that `webhooks list` prints.")]

webhooks = typer.Typer(no_args_is_help=True, help="Have servers of yours told of calls, signed (HOLDFAST_API_KEY).")


@webhooks.command("add")
def add(
    address: Annotated[str, typer.Argument(help="A public https address; it gets a POST for each event.")],
    event: Annotated[
        list[str] | None, typer.Option(help="call.ended or call.analyzed. Repeatable; none: both.")
    ] = None,
    description: Annotated[str, typer.Option(help="Whose it is.")] = "",
    url: ApiUrl = None,
) -> None:
    """Register an endpoint and print its secret, which is not shown again."""
    from cli.rest import with_api
    from core.webhooks import EVENTS

    async def work(api: "Rest") -> None:
        wanted = {"url": address, "events": event or list(EVENTS), "description": description}
        endpoint = await api.ask("POST", "/v1/webhooks", json=wanted)
        print(_line(endpoint))
        print(f"secret: {endpoint['secret']} (not shown again)")

    with_api(work, url)


@webhooks.command("list")
def listed(url: ApiUrl = None) -> None:
    """List endpoints, the oldest first."""
    from cli.rest import with_api

    async def work(api: "Rest") -> None:
        for endpoint in (await api.ask("GET", "/v1/webhooks"))["webhooks"]:
            print(_line(endpoint))

    with_api(work, url)


@webhooks.command("remove")
def remove(endpoint: EndpointId, url: ApiUrl = None) -> None:
    """Tell an endpoint nothing more; messages that wait are not sent any more."""
    from cli.rest import part, with_api

    async def work(api: "Rest") -> None:
        await api.ask("DELETE", f"/v1/webhooks/{part(endpoint)}")

    with_api(work, url)


@webhooks.command("test")
def try_out(endpoint: EndpointId, url: ApiUrl = None) -> None:
    """Send a signed webhook.test once, now; exit code 1 unless the endpoint takes it."""
    from cli.rest import part, with_api

    async def work(api: "Rest") -> None:
        result = await api.ask("POST", f"/v1/webhooks/{part(endpoint)}/test")
        print(f"{result['detail']}, after {result['took_ms']} ms")
        if not result["delivered"]:
            sys.exit(1)

    with_api(work, url)


@webhooks.command("deliveries")
def deliveries(
    endpoint: EndpointId,
    failed: Annotated[bool, typer.Option("--failed", help="Only what has not arrived.")] = False,
    limit: Annotated[int, typer.Option(help="Of the newest so many.", min=1, max=500)] = 100,
    url: ApiUrl = None,
) -> None:
    """List what became of the newest messages to an endpoint; those that were given up are in `holdfast letters`."""
    from cli.rest import part, with_api

    async def work(api: "Rest") -> None:
        told = await api.ask("GET", f"/v1/webhooks/{part(endpoint)}/deliveries", params={"limit": limit})
        for delivery in told["deliveries"]:
            if not (failed and delivery["delivered"]):
                print(_delivery(delivery))

    with_api(work, url)


def _line(endpoint: dict[str, Any]) -> str:
    described = f"  {endpoint['description']}" if endpoint["description"] else ""
    return f"{endpoint['id']}  {endpoint['url']}  {','.join(endpoint['events'])}{described}"


def _delivery(delivery: dict[str, Any]) -> str:
    arrived = "arrived" if delivery["delivered"] else "not arrived"
    tries = f"{delivery['attempts']} tries" if delivery["attempts"] != 1 else "1 try"
    about = f"{delivery['event']}  {delivery['call_id'] or '-'}"
    return f"{delivery['last_at']}  {arrived:11}  {about}  {tries}, the last: {delivery['detail']}"
