"""What a bench runs on: a stack of its own, with a playbook changed for the measurement, and its rows printed."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop
import yaml
from rich.table import Table

from cli.dev import STACK_FAILURES, quiet_logs, run_stack
from cli.knowledge_files import documents_of
from cli.playbook_check import read_playbook
from cli.process import complaints
from cli.progress import out
from cli.settings import Settings
from cli.stack import Stack, StackOptions, free_port
from evals.figures import LoadFailed, Row, write_rows

PLAYBOOK = "order_support"
NUMBER = "+12025550142"  # that playbook answers it
DATA = Path(".holdfast/bench")
VENDORS = {  # what the peers were measured with, ms
    "end_of_turn_ms": 371.0,
    "eager_end_of_turn_ms": 210.0,
    "resumed_share": 0.1,
    "model_first_token_ms": 320.0,
    "voice_first_byte_ms": 130.0,
}


def options_of(workers: int, environment: Mapping[str, str] | None = None) -> StackOptions:
    """Everything with the sandbox on free ports; the carrier reaches the gateway itself, as an ingress would."""
    gateway_port = free_port()
    return StackOptions(
        0,
        temporal_port=0,
        temporal_ui_port=0,
        workers=workers,
        gateway_port=gateway_port,
        data=DATA,
        sandbox_only=True,
        environment={
            "HOLDFAST_MEDIA_URL": f"ws://127.0.0.1:{gateway_port}",
            "HOLDFAST_LOG_LEVEL": "WARNING",
            **(environment or {}),
        },
    )


def run(
    options: StackOptions,
    measure: Callable[[Stack], AsyncIterator[Row]],
    json_file: Path | None,
    *,
    speculation: bool = True,
) -> None:
    """Start the stack, measure, print the rows and write them: those there are, if the machine cannot take all."""
    rows: list[Row] = []

    async def use(stack: Stack) -> None:
        async for row in measure(stack):
            rows.append(row)

    try:
        use_stack(options, use, speculation=speculation)
    finally:
        print_rows(rows)
        write_rows(json_file, rows)


def use_stack(options: StackOptions, use: Callable[[Stack], Awaitable[None]], *, speculation: bool = True) -> None:
    """Start the stack with the bench's playbook, use it, and stop it."""
    quiet_logs()
    with complaints(*STACK_FAILURES, LoadFailed), tempfile.TemporaryDirectory() as folder:
        settings = Settings.read()
        copy_playbook(settings.playbooks / f"{PLAYBOOK}.yaml", Path(folder), speculation=speculation)
        environment = {**options.environment, "HOLDFAST_PLAYBOOKS": folder, "HOLDFAST_HISTORY_KEYS": ""}
        uvloop.run(run_stack(Stack(replace(options, environment=environment), settings), use))


def copy_playbook(source: Path, folder: Path, *, speculation: bool) -> None:
    """The playbook and its documents as they are, but for whether answers are made ahead of a turn's end."""
    playbook: dict[str, Any] = yaml.safe_load(source.read_text())
    for path, (content, _) in documents_of(read_playbook(source), source).read.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    turn_taking = playbook.setdefault("turn_taking", {})
    if not speculation:
        turn_taking["eager_end_of_turn_threshold"] = None
    elif turn_taking.get("eager_end_of_turn_threshold", 0.0) is None:
        del turn_taking["eager_end_of_turn_threshold"]
    (folder / source.name).write_text(yaml.safe_dump(playbook, sort_keys=False, allow_unicode=True))


def print_rows(rows: Sequence[Row]) -> None:
    """A column for each row: there are more figures than measurements."""
    table = Table(box=None, header_style="bold")
    table.add_column("figure")
    for row in rows:
        table.add_column(str(row.get("fault") or f"{row['calls']} calls"), justify="right")
    for name in rows[0] if rows else ():
        table.add_row(name, *(str(row.get(name, "")) for row in rows))
    out.print(table)


def pids_of(stack: Stack) -> dict[str, list[int]]:
    """Role -> its processes."""
    pids: dict[str, list[int]] = {}
    for child in stack.children():
        if child.pid is not None:
            pids.setdefault(child.role, []).append(child.pid)
    return pids


def gateway_ports_of(stack: Stack) -> list[int]:
    """Where gateways serve streams, health and metrics."""
    return [child.port for child in stack.children() if child.role == "gateway" and child.port is not None]
