"""The commands of holdfast bench. Each loads what it runs only when it runs."""

from pathlib import Path
from typing import Annotated

import typer

bench = typer.Typer(no_args_is_help=True, help="Measure how fast it is on this machine.")

JsonFile = Annotated[Path | None, typer.Option("--json", help='Write {"rows": [...]} there as well.')]
Calls = Annotated[str, typer.Option(help="Concurrent calls, with commas between.")]
Workers = Annotated[int, typer.Option(min=1, help="Worker processes.")]
Speculation = Annotated[
    bool, typer.Option("--speculation/--no-speculation", help="Whether answers are made ahead of a turn's end.")
]


def counts(calls: str) -> list[int]:
    """The numbers of calls that were asked for. Raises typer.BadParameter."""
    try:
        found = [int(count) for count in calls.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1:
        raise typer.BadParameter(
            f"{calls!r} must be numbers from 1 with commas between, as in 20,60", param_hint="--calls"
        )
    return found


@bench.command("hop")
def bench_hop(
    calls: Annotated[str, typer.Option(help="Live calls, with commas between.")] = "1,20,100",
    turns: Annotated[int, typer.Option(help="Turns of each call, one every eight seconds.")] = 10,
    json_file: JsonFile = None,
) -> None:
    """From a turn at the gateway until its reply's activity starts, through real Temporal."""
    from cli.bench_hop import run_hop

    run_hop(counts(calls), turns, json_file)


@bench.command("call")
def bench_call(
    calls: Calls = "20",
    turns: Annotated[int, typer.Option(help="Turns of each call.")] = 6,
    workers: Workers = 1,
    speculation: Speculation = True,
    json_file: JsonFile = None,
) -> None:
    """Real-time calls against the sandbox: what the caller waits for beyond the vendors' own time, and CPU."""
    from cli.bench_calls import run_call

    run_call(counts(calls), turns, json_file, workers, speculation=speculation)
