"""holdfast chaos --fault gateway-kill | gateway-drain: two gateways, of which one dies or is told to stop, in turns."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path

import httpx
import typer
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.bench_calls import no_answers
from cli.bench_stack import DATA, NUMBER, PLAYBOOK, VENDORS, use_stack
from cli.chaos import MOST_SHOWN, late, table_of
from cli.progress import out, progress
from cli.stack import Stack, StackOptions
from core.playbook import parse_playbook
from evals.chaos import Chaos
from evals.figures import write_rows
from evals.gateway_chaos import GatewayChaos, GatewayFault, GatewayVerdict, gateway_rows
from evals.product import Product
from evals.sandbox_control import SandboxControl

GATEWAYS = 2  # one takes the other's calls


class Gateways:
    """Implements evals.chaos.Victims."""

    def __init__(self, stack: Stack, http: httpx.AsyncClient, fault: GatewayFault) -> None:
        self._stack = stack
        self._http = http
        self._fault = fault

    @property
    def count(self) -> int:
        """How many there are when all are well."""
        return GATEWAYS

    async def ready(self) -> Mapping[str, int]:
        """Those that take streams."""
        ready = {}
        for child in self._stack.children():
            if child.role == "gateway" and child.pid is not None and await self._takes_streams(child.port or 0):
                ready[child.name] = child.pid
        return ready

    def kill(self, name: str) -> None:
        """SIGKILL, or SIGTERM; the stack starts another."""
        if self._fault == "gateway-kill":
            self._stack.kill(name)
            return
        for child in self._stack.children():
            if child.name == name and child.pid is not None:
                os.kill(child.pid, signal.SIGTERM)

    async def _takes_streams(self, port: int) -> bool:
        try:
            return (await self._http.get(f"http://127.0.0.1:{port}/readyz")).is_success
        except httpx.HTTPError:
            return False


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
            gateways = Gateways(stack, http, fault)
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
