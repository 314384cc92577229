"""The holdfast command. Each command's module is loaded when it runs, so that --help is quick."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.bench import bench
from cli.eval import evals
from cli.knowledge import knowledge

ApiUrl = Annotated[str | None, typer.Option(help="Where the API is, if not at PUBLIC_URL.")]

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Phone calls by a voice assistant, each call one durable Temporal workflow.",
)
playbook = typer.Typer(no_args_is_help=True, help="Work on playbooks.")
app.add_typer(playbook, name="playbook")
app.add_typer(knowledge, name="knowledge")
app.add_typer(bench, name="bench")
app.add_typer(evals, name="eval")


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
    queues: Annotated[str, typer.Option(help="Task queues, with commas between.")] = "calls,after-calls",
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
    url: Annotated[str | None, typer.Option(help="Where the API is, if not at PUBLIC_URL.")] = None,
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
        Literal["worker-kill", "gateway-kill", "gateway-drain"], typer.Option(help="What happens to whom.")
    ] = "worker-kill",
    times: Annotated[bool, typer.Option(help="Whether a time over its bar is a broken promise.")] = True,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the rows here.")] = None,
) -> None:
    """Kill workers or gateways in mid-call and check every promise; exit code 1 if one is broken."""
    from cli.chaos import run_chaos
    from cli.gateway_chaos import run_gateway_chaos

    if fault != "worker-kill":
        run_gateway_chaos(fault, calls, kills, lines, seed, json_file, times=times)
        return
    run_chaos(calls, kills, lines, seed, json_file, times=times)


@app.command()
def doctor() -> None:
    """Say what is configured, reachable and missing; exit code 1 if a call could not be made."""
    from cli.doctor import run

    run()


@playbook.command("check")
def playbook_check(files: Annotated[list[Path], typer.Argument(help="Playbooks to check.")]) -> None:
    """Name file, line and field of each fault; exit code 1 if there is one."""
    from cli.playbook_check import run

    run(files)


@playbook.command("show")
def playbook_show(file: Annotated[Path, typer.Argument(help="A playbook.")]) -> None:
    """Draw the graph of its steps, in Mermaid's language."""
    from cli.playbook_show import show

    show(file)


@playbook.command("schema")
def playbook_schema() -> None:
    """Print the JSON Schema of playbooks, for editors."""
    from cli.playbook_show import schema

    schema()


@playbook.command("examples")
def playbook_examples(
    name: Annotated[str | None, typer.Argument(help="A playbook's name; none: all.")] = None,
    review: Annotated[str | None, typer.Option(help="new, accepted or rejected; none: all.")] = "new",
    url: ApiUrl = None,
) -> None:
    """List what calls have brought to learn from (HOLDFAST_API_KEY)."""
    from cli.step_examples import show

    show(name, review or None, url)


@playbook.command("accept")
def playbook_accept(
    ids: Annotated[list[str], typer.Argument(help="Ids that `playbook examples` prints.")],
    step: Annotated[str | None, typer.Option(help="Where they belong, if not to the step that was found.")] = None,
    by: Annotated[str, typer.Option(help="Who decides.")] = "",
    url: ApiUrl = None,
) -> None:
    """Have playbooks learn from these examples (HOLDFAST_API_KEY)."""
    from cli.step_examples import decide

    decide(ids, "accept", {"by": by, "step": step}, url)


@playbook.command("reject")
def playbook_reject(
    ids: Annotated[list[str], typer.Argument(help="Ids that `playbook examples` prints.")],
    by: Annotated[str, typer.Option(help="Who decides.")] = "",
    url: ApiUrl = None,
) -> None:
    """Have nothing learnt from these examples, also if they were accepted before (HOLDFAST_API_KEY)."""
    from cli.step_examples import decide

    decide(ids, "reject", {"by": by}, url)


@playbook.command("learnt")
def playbook_learnt(
    name: Annotated[str, typer.Argument(help="A playbook's name.")],
    url: ApiUrl = None,
) -> None:
    """List what a playbook has learnt, and how often the model agrees with it (HOLDFAST_API_KEY)."""
    from cli.step_examples import learnt

    learnt(name, url)


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
