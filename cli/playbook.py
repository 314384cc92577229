"""The commands of holdfast playbook."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import ApiUrl

playbook = typer.Typer(no_args_is_help=True, help="Work on playbooks.")


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


@playbook.command("publish")
def playbook_publish(
    files: Annotated[list[Path], typer.Argument(help="Playbooks; the documents that they name go with them.")],
    url: ApiUrl = None,
) -> None:
    """Make each the newest version of its name: new calls get it, live ones keep theirs (HOLDFAST_API_KEY)."""
    from cli.playbook_versions import publish

    publish(files, url)


@playbook.command("versions")
def playbook_versions(
    name: Annotated[str, typer.Argument(help="A playbook's name.")],
    url: ApiUrl = None,
) -> None:
    """List all versions that were ever published, the newest first (HOLDFAST_API_KEY)."""
    from cli.playbook_versions import versions

    versions(name, url)


@playbook.command("text")
def playbook_text(
    ref: Annotated[str, typer.Argument(help="A version, NAME@HASH, as `playbook versions` prints it.")],
    url: ApiUrl = None,
) -> None:
    """Print a version as it was written; published again, it is the newest once more (HOLDFAST_API_KEY)."""
    from cli.playbook_versions import text

    text(ref, url)


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
    step: Annotated[
        str | None, typer.Option(help="Where they belong, if not to the step that was found; (none): to no step.")
    ] = None,
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
