"""holdfast chaos --fault gateway-kill | gateway-drain: two gateways, of which one dies or is told to stop, in turns."""

from pathlib import Path

from cli.bench_stack import DATA
from cli.chaos_children import Children
from cli.chaos_stage import Plan, Targets, late, play, table_of, tell
from cli.progress import out
from cli.stack import Stack, StackOptions
from evals.chaos import Chaos
from evals.figures import write_rows
from evals.gateway_chaos import GatewayChaos, GatewayFault, GatewayVerdict, gateway_rows

GATEWAYS = 2  # one takes the other's calls


def run_gateway_chaos(fault: GatewayFault, plan: Plan, json_file: Path | None, *, times: bool) -> None:
    """Hold calls and strike; exits with 1 if a promise was broken."""

    async def run(chaos: Chaos, _: Children, __: Stack) -> GatewayVerdict:
        return await GatewayChaos(chaos, fault).run()

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
    verdict = play(plan, options, Targets("gateway", GATEWAYS, fault == "gateway-drain"), run, lambda one: one.broken)
    rows = gateway_rows(verdict, fault)
    write_rows(json_file, rows)
    out.print(table_of(rows))
    broken = [f"{one.call}: {one.what}" for one in verdict.broken]
    well = f"All calls came back, after each of {verdict.lines} lines the caller was answered."
    tell([*broken, *(late(rows) if times else [])], plan, well)
