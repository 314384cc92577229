"""The commands of holdfast bench. Each loads what it runs only when it runs."""

from enum import StrEnum
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


class Answers(StrEnum):
    """Who answers the callers of a bench."""

    MODEL = "model"
    CANNED = "canned"


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
    answers: Annotated[Answers, typer.Option(help="Who answers: the model, or the playbook's canned answers.")] = (
        Answers.MODEL
    ),
    json_file: JsonFile = None,
) -> None:
    """Real-time calls against the sandbox: what the caller waits for beyond the vendors' own time, and CPU."""
    from cli.bench_calls import run_call

    run_call(counts(calls), turns, json_file, workers, speculation=speculation, canned=answers is Answers.CANNED)


@bench.command("barge-in")
def bench_barge_in(
    calls: Calls = "10",
    rounds: Annotated[int, typer.Option(min=1, help="Interruptions, and noises, in each call.")] = 3,
    json_file: JsonFile = None,
) -> None:
    """Callers who cut in, and callers who cough: how soon playback stops, and how it goes on."""
    from cli.bench_calls import run_barge_in

    run_barge_in(counts(calls), rounds, json_file)


@bench.command("faults")
def bench_faults(
    calls: Annotated[int, typer.Option(min=1, help="Calls with each fault.")] = 4,
    fault: Annotated[list[str] | None, typer.Option(help="Only this one. Repeatable.")] = None,
    json_file: JsonFile = None,
) -> None:
    """Vendors that break in mid-call: the longest silence a caller hears, and turns that nobody answers."""
    from cli.bench_calls import run_faults
    from evals.fault_bench import FAULTS

    known = [each.name for each in FAULTS]
    if unknown := sorted(set(fault or ()) - set(known)):
        raise typer.BadParameter(f"no fault {', '.join(unknown)}; there are {', '.join(known)}", param_hint="--fault")
    run_faults(fault or [], calls, json_file)


@bench.command("campaign")
def bench_campaign(
    contacts: Annotated[int, typer.Option(min=1)] = 1_000,
    in_flight: Annotated[int, typer.Option(min=1, help="Calls at once.")] = 50,
    kills: Annotated[int, typer.Option(min=0, help="How often a worker is killed meanwhile.")] = 10,
    per_second: Annotated[float, typer.Option(min=0.1, help="What the carrier lets us dial.")] = 50.0,
    seed: int = 1,
    decisions: Annotated[bool, typer.Option("--decisions", help="Only choosing whom to call; nobody dials.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only the check before it starts.")] = False,
    database: Annotated[str | None, typer.Option(help="For --decisions, --check; default: an SQLite file.")] = None,
    json_file: JsonFile = None,
) -> None:
    """A campaign whose workers die: is anybody dialled twice, and how fast is it?"""
    from cli.bench_campaign import run_campaign, run_decisions
    from cli.bench_check import run_check

    if check:
        run_check(contacts, database, json_file)
    elif decisions:
        run_decisions(contacts, database, json_file)
    else:
        run_campaign(contacts, in_flight, kills, per_second, seed, json_file)


@bench.command("gateway")
def bench_gateway(
    calls: Calls = "150",
    seconds: Annotated[float, typer.Option(min=1, help="How long is measured, once all calls are there.")] = 60.0,
    workers: Workers = 1,
    json_file: JsonFile = None,
) -> None:
    """Many calls on one gateway, answered from the cache: do frames pass in time, and which process is full first?"""
    from cli.bench_gateway import run_gateway

    run_gateway(counts(calls), seconds, json_file, workers)
