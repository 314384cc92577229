"""holdfast chaos --fault gateway-kill | gateway-drain: two gateways, of which one dies or is told to stop, in turns."""

from pathlib import Path

import httpx
import typer
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.bench_calls import no_answers
from cli.bench_stack import DATA, NUMBER, PLAYBOOK, VENDORS, use_stack
from cli.chaos import MOST_SHOWN, late, table_of
from cli.chaos_children import Children
from cli.progress import out, progress
from cli.stack import Stack, StackOptions
from core.playbook import parse_playbook
from evals.chaos import Chaos
from evals.figures import write_rows
from evals.gateway_chaos import GatewayChaos, GatewayFault, GatewayVerdict, gateway_rows
from evals.product import Product
from evals.sandbox_control import SandboxControl

GATEWAYS = 2  # one takes the other's calls


def run_gateway_chaos(
    fault: GatewayFault, calls: int, kills: int, lines: int, seed: int, json_file: Path | None, *, times: bool
) -> None:
    """Hold calls and strike; exits with 1 if a promise was broken."""
    verdicts: list[GatewayVerdict] = []

    async def use(stack: Stack) -> None:
        text = (Path(stack.environment["HOLDFAST_PLAYBOOKS"]) / f"{PLAYBOOK}.yaml").read_text()
        sandbox, product = SandboxControl(stack.sandbox_url or ""), Product(stack.url, stack.api_key)
        temporal = await Client.connect(stack.temporal_address, data_converter=pydantic_data_converter)
        fillers = no_answers(parse_playbook(text, PLAYBOOK))
        async with httpx.AsyncClient(timeout=2, trust_env=False) as http, progress(f"{kills} x {fault}, seed {seed}"):
            gateways = Children(stack, http, "gateway", GATEWAYS, drains=fault == "gateway-drain")
            chaos = Chaos(sandbox, product, temporal, gateways, NUMBER, calls, lines, kills, seed, VENDORS, fillers)
            verdicts.append(await GatewayChaos(chaos, fault).run())
        await product.close()
        await sandbox.close()

    options = StackOptions(
        0,
        temporal_port=0,
        temporal_ui_port=0,
        gateways=GATEWAYS,
        data=DATA,
        sandbox_only=True,
        drain_seconds=5.0,
        environment={"HOLDFAST_LOG_LEVEL": "WARNING"},
    )
    use_stack(options, use)
    rows = gateway_rows(verdicts[0], fault)
    write_rows(json_file, rows)
    broken = [f"{one.call}: {one.what}" for one in verdicts[0].broken]
    broken += late(rows) if times else []
    out.print(table_of(rows))
    for what in broken[:MOST_SHOWN]:
        out.print(f"[red]{what}[/red]")
    if broken:
        out.print(f"[red]{len(broken)} promises were broken.[/red] Again: holdfast chaos --fault {fault} --seed {seed}")
        raise typer.Exit(1)
    out.print(f"[green]All calls came back, after each of {verdicts[0].lines} lines the caller was answered.[/green]")
