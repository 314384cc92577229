"""The commands of holdfast deploy: which version of the workflows new calls get, and which others still have calls."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from temporalio.client import Client

deploy = typer.Typer(no_args_is_help=True, help="Versions of the workflows (HOLDFAST_VERSIONED_WORKERS).")


@deploy.command("id")
def build() -> None:
    """Print the version that this installation holds: its workers take over each other's calls."""
    from workflows.fingerprint import build_id

    print(build_id())


@deploy.command("current")
def current(
    version: Annotated[str | None, typer.Argument(help="As `deploy id` prints it; none: this installation's.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for its workers.", min=1)] = 60.0,
    none: Annotated[bool, typer.Option("--none", help="New calls go to workers without versions.")] = False,
) -> None:
    """Have new calls begin with a version, once its workers are up; calls that have begun stay where they are."""
    from cli.deployment import NoWorkers, make_current, make_none_current
    from cli.process import complaints
    from cli.progress import progress
    from workflows.fingerprint import build_id

    chosen = version or build_id()

    async def work(client: "Client") -> None:
        if none:
            await make_none_current(client)
            print("new calls go to workers without versions")
            return
        async with progress(f"Waiting for workers of {chosen}"):
            await make_current(client, chosen, wait)
        print(f"new calls begin with {chosen}")

    with complaints(NoWorkers):
        _with_temporal(work)


@deploy.command("versions")
def versions() -> None:
    """List all versions, the newest first: which one is current, and which have calls that must end there."""
    from rich.table import Table

    from cli.deployment import QUEUES
    from cli.deployment import versions as all_versions
    from cli.process import complaints
    from cli.progress import out

    async def work(client: "Client") -> None:
        table = Table("version", "stage", "calls", *(f"workers: {queue}" for queue in QUEUES), box=None, pad_edge=False)
        for one in await all_versions(client):
            table.add_row(one.build_id, one.stage, str(one.calls), *(str(one.workers[queue]) for queue in QUEUES))
        out.print(table)

    with complaints():
        _with_temporal(work)


@deploy.command("drained")
def drained(version: Annotated[str, typer.Argument(help="As `deploy versions` prints it.")]) -> None:
    """Exit code 1 if a version's workers must stay: it is the current one, or its calls have not all ended."""
    from cli.deployment import Stage
    from cli.deployment import versions as all_versions
    from cli.process import complaints
    from cli.progress import complain

    needed: list[str] = []

    async def work(client: "Client") -> None:
        for one in await all_versions(client):
            if one.build_id == version and one.stage in (Stage.CURRENT, Stage.DRAINING):
                needed.append(f"{version} is {one.stage}, and has {one.calls} calls (Temporal looks every few minutes)")

    with complaints():
        _with_temporal(work)
    if needed:
        complain(needed[0])
        raise typer.Exit(1)


def _with_temporal(work: "Callable[[Client], Awaitable[None]]") -> None:
    """Raises Complaint when the server is away."""
    import asyncio

    from temporalio.service import RPCError

    from cli.process import Complaint
    from cli.settings import Settings
    from cli.temporal_client import connect

    settings = Settings.read()

    async def main() -> None:
        await work(await connect(settings))

    try:
        asyncio.run(main())
    except (RuntimeError, RPCError) as error:
        raise Complaint(f"TEMPORAL_ADDRESS: cannot use {settings.temporal_address}: {error}") from error
