"""The holdfast command. Each command's module is loaded when it runs, so that --help is quick."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.bench import bench
from cli.campaign import campaign, dnc
from cli.consent import consent
from cli.deploy import deploy
from cli.eval import evals
from cli.knowledge import knowledge
from cli.letters import letters
from cli.options import ApiUrl
from cli.playbook import playbook
from cli.webhooks import webhooks

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Phone calls by a voice assistant, each call one durable Temporal workflow.",
)
app.add_typer(playbook, name="playbook")
app.add_typer(campaign, name="campaign")
app.add_typer(dnc, name="dnc")
app.add_typer(consent, name="consent")
app.add_typer(knowledge, name="knowledge")
app.add_typer(bench, name="bench")
app.add_typer(evals, name="eval")
app.add_typer(webhooks, name="webhooks")
app.add_typer(letters, name="letters")
app.add_typer(deploy, name="deploy")


@app.command()
def dev(
    port: Annotated[int, typer.Option(help="The one port that serves everything; 0: a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    workers: Annotated[int, typer.Option(min=1)] = 1,
    gateways: Annotated[int, typer.Option(min=1)] = 1,
    status: Annotated[Path | None, typer.Option(help="Keep role, pid and port of each child here, as JSON.")] = None,
    keep_data: Annotated[bool, typer.Option("--keep-data", help="Go on with the last run's data.")] = False,
    data: Annotated[Path, typer.Option(help="Where database and logs are kept.")] = Path(".holdfast/dev"),
    temporal_port: Annotated[int, typer.Option(help="0: a free one.")] = 7233,
    temporal_ui_port: Annotated[int, typer.Option(help="0: a free one.")] = 8233,
) -> None:
    """Run everything on this machine: with the sandbox, or with the vendors whose keys are set."""
    from cli.dev import run
    from cli.stack import StackOptions

    run(
        StackOptions(
            port=port,
            host=host,
            temporal_port=temporal_port,
            temporal_ui_port=temporal_ui_port,
            workers=workers,
            gateways=gateways,
            status=status,
            data=data,
            keep_data=keep_data,
        )
    )


@app.command()
def rehearse(
    name: Annotated[
        str, typer.Argument(help="A playbook's name, to play its calls; or a YAML file of your own.")
    ] = "first_calls",
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running afterwards.")] = False,
    port: Annotated[int, typer.Option(help="The one port that serves everything; 0: a free one.")] = 8000,
    data: Annotated[Path, typer.Option(help="Where database and logs are kept.")] = Path(".holdfast/rehearse"),
    temporal_port: Annotated[int, typer.Option(help="0: a free one.")] = 7233,
    temporal_ui_port: Annotated[int, typer.Option(help="0: a free one.")] = 8233,
) -> None:
    """Run everything with the sandbox and play scripted calls in real time; exit code 1 if one goes wrong."""
    from cli.rehearse import run
    from cli.stack import StackOptions

    run(
        StackOptions(
            port=port, data=data, temporal_port=temporal_port, temporal_ui_port=temporal_ui_port, sandbox_only=True
        ),
        name,
        keep=keep,
    )


@app.command()
def api() -> None:
    """Serve REST, the console and the carrier's webhooks (HOLDFAST_PORT)."""
    from cli.api import serve_api
    from cli.process import run_role

    run_role("api", serve_api)


@app.command()
def gateway() -> None:
    """Serve media streams (HOLDFAST_GATEWAY_PORT, HOLDFAST_GATEWAY_INTERNAL_PORT)."""
    from cli.gateway import serve_gateway
    from cli.process import run_role

    run_role("gateway", serve_gateway)


@app.command()
def worker(
    queues: Annotated[str, typer.Option(help="Task queues, with commas between.")] = "calls,after-calls,campaigns",
) -> None:
    """Run calls: workflows and activities of the task queues."""
    from cli.process import run_role
    from cli.worker import work_on

    run_role("worker", work_on(queues))


@app.command()
def sandbox() -> None:
    """Serve the emulated vendors (HOLDFAST_SANDBOX_PORT)."""
    from cli.process import run_role
    from cli.sandbox import serve_sandbox

    run_role("sandbox", serve_sandbox)


@app.command()
def migrate(
    database_only: Annotated[bool, typer.Option("--database-only", help="Leave Temporal alone.")] = False,
) -> None:
    """Bring the database to its newest schema, publish the playbooks, register Temporal's search attributes."""
    from cli.migrate import run

    run(database_only=database_only)


@app.command()
def call(
    to: Annotated[str, typer.Argument(help="The number to call, as +15550100.")],
    playbook: Annotated[str, typer.Option(help="The playbook's name.")],
    var: Annotated[list[str] | None, typer.Option(help="What is known beforehand, as key=value. Repeatable.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Show the call as it goes, until it ends.")] = False,
    url: ApiUrl = None,
) -> None:
    """Place a call (HOLDFAST_API_KEY)."""
    from cli.call import run

    run(to, playbook, var or [], follow=follow, url=url)


@app.command()
def takeover(
    call: Annotated[str, typer.Argument(help="The call's id.")],
    to: Annotated[str, typer.Option(help="The supervisor's phone, as +15550100.")],
    by: Annotated[str, typer.Option(help="Their name.")] = "",
    cold: Annotated[bool, typer.Option("--cold", help="Connect the caller at once, without a briefing.")] = False,
    hand_back: Annotated[bool, typer.Option("--hand-back", help="The assistant goes on when they hang up.")] = False,
    url: ApiUrl = None,
) -> None:
    """Take a live call over by phone (HOLDFAST_API_KEY); in the browser: the call's page."""
    from cli.takeover import run

    run(call, to, by, cold=cold, hands_back=hand_back, url=url)


@app.command()
def chaos(
    calls: Annotated[int, typer.Option(help="Calls at a time.", min=1)] = 10,
    kills: Annotated[int, typer.Option(help="How many kills in all.", min=1)] = 20,
    lines: Annotated[int, typer.Option(help="What each caller says, in lines.", min=3)] = 8,
    seed: Annotated[int, typer.Option(help="The same seed plans the same run.")] = 1,
    fault: Annotated[
        Literal[
            "worker-kill",
            "worker-drain",
            "gateway-kill",
            "gateway-drain",
            "temporal-restart",
            "database-down",
            "callbacks-doubled",
            "callbacks-reordered",
        ],
        typer.Option(help="What happens to whom: kill is SIGKILL, drain SIGTERM."),
    ] = "worker-kill",
    down: Annotated[float, typer.Option(help="Seconds for which Temporal is down or the database locked.")] = 10.0,
    times: Annotated[bool, typer.Option(help="Whether a time over its bar is a broken promise.")] = True,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the rows here.")] = None,
    histories: Annotated[
        Path | None,
        typer.Option(help="Keep what Temporal knows of calls in which a promise was broken, in this folder."),
    ] = None,
) -> None:
    """Kill or break parts in mid-call and check every promise; exit code 1 if one is broken."""
    from cli.chaos import run_chaos
    from cli.chaos_stage import Plan
    from cli.gateway_chaos import run_gateway_chaos
    from cli.outage_chaos import run_outage_chaos

    plan = Plan(fault, calls, kills, lines, seed, histories)
    if fault == "gateway-kill" or fault == "gateway-drain":
        run_gateway_chaos(fault, plan, json_file, times=times)
    elif fault != "worker-kill" and fault != "worker-drain":
        run_outage_chaos(fault, down, plan, json_file)
    else:
        run_chaos(plan, json_file, times=times)


@app.command()
def doctor() -> None:
    """Say what is configured, reachable and missing; exit code 1 if a call could not be made."""
    from cli.doctor import run

    run()


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
