"""The whole product as `holdfast dev` starts it, on free ports and against the sandbox."""

from pathlib import Path

from cli.stack import StackOptions


def stack_options(
    data: Path, temporal: Path, playbook: str = "", *, keep_data: bool = False, **environment: str
) -> StackOptions:
    """With the playbooks that ship, or this one alone."""
    if playbook:
        books = data / "books"
        books.mkdir()
        (books / "orders.yaml").write_text(playbook)
        environment["HOLDFAST_PLAYBOOKS"] = str(books)
        data = data / "data"
    return StackOptions(
        port=0,
        temporal_port=0,
        temporal_ui_port=0,
        data=data,
        keep_data=keep_data,
        sandbox_only=True,
        environment={"HOLDFAST_TEMPORAL_CLI": str(temporal), **environment},
    )
