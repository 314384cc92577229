"""holdfast bench call, barge-in and faults: whole calls in real time against the sandbox."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import httpx
from temporalio.client import Client

from cli.bench_stack import NUMBER, PLAYBOOK, VENDORS, gateway_ports_of, options_of, pids_of, run
from cli.progress import progress
from cli.stack import Stack
from core.playbook import Playbook, parse_playbook
from evals.barge_in_bench import BargeInBench
from evals.call_bench import CallBench
from evals.canned_bench import CannedBench
from evals.fault_bench import FAULTS, FaultBench, VendorFault
from evals.figures import LoadFailed, Row
from evals.sandbox_control import SandboxControl

RECOGNISERS = {**VENDORS, "start_of_turn_ms": 250.0}  # the sandbox's own knows the first word after 20 ms
Asked = TypeVar("Asked", int, VendorFault)


def run_call(
    calls: Sequence[int], turns: int, json_file: Path | None, workers: int, *, speculation: bool, canned: bool
) -> None:
    """Hold calls in real time, at each number of them."""

    async def measure(stack: Stack, sandbox: SandboxControl, count: int) -> Row:
        bench: CallBench | CannedBench
        if canned:
            bench = CannedBench(sandbox, NUMBER, pids_of(stack), count, turns, VENDORS)
        else:
            temporal = await Client.connect(stack.temporal_address)
            ports = gateway_ports_of(stack)
            bench = CallBench(sandbox, temporal, NUMBER, pids_of(stack), ports, count, turns, VENDORS)
        return {"speculation": "on" if speculation else "off", **await bench.run()}

    run(options_of(workers), at_each(calls, measure), json_file, speculation=speculation)


def run_barge_in(calls: Sequence[int], rounds: int, json_file: Path | None) -> None:
    """Have callers cut in and cough, at each number of calls."""

    async def measure(stack: Stack, sandbox: SandboxControl, count: int) -> Row:
        log = stack.logs / "gateway-1.log"
        return await BargeInBench(sandbox, NUMBER, gateway_ports_of(stack), log, count, rounds, RECOGNISERS).run()

    logging = {"HOLDFAST_LOG_LEVEL": "INFO", "HOLDFAST_LOG_FORMAT": "json"}
    run(options_of(workers=1, environment=logging), at_each(calls, measure), json_file)


def run_faults(names: Sequence[str], calls: int, json_file: Path | None) -> None:
    """Break vendors, one fault after the other."""

    async def measure(stack: Stack, sandbox: SandboxControl, fault: VendorFault) -> Row:
        text = (Path(stack.environment["HOLDFAST_PLAYBOOKS"]) / f"{PLAYBOOK}.yaml").read_text()
        fillers = no_answers(parse_playbook(text, PLAYBOOK))
        return await FaultBench(sandbox, NUMBER, fault, calls, VENDORS, fillers).run()

    chosen = [fault for fault in FAULTS if not names or fault.name in names]
    run(options_of(workers=1), at_each(chosen, measure), json_file)


def no_answers(playbook: Playbook) -> list[str]:
    """What the assistant says that answers nothing."""
    return [*playbook.fillers, *playbook.holding_lines, *playbook.silence_prompts, playbook.apology]


def at_each(
    each: Iterable[Asked], measure: Callable[[Stack, SandboxControl, Asked], Awaitable[Row]]
) -> Callable[[Stack], AsyncIterator[Row]]:
    """Measures with each number of calls, or each fault, one after the other. Raises LoadFailed: too many calls."""

    async def rows(stack: Stack) -> AsyncIterator[Row]:
        sandbox = SandboxControl(stack.sandbox_url or "")
        try:
            for asked in each:
                what = asked.name if isinstance(asked, VendorFault) else f"Holding {asked} calls"
                async with progress(what):
                    row = await measure(stack, sandbox, asked)
                yield row
        except httpx.TransportError as error:
            kind = type(error).__name__
            raise LoadFailed(
                f"{what}: the sandbox does not answer ({kind}); the machine is too busy: ask for fewer"
            ) from error
        finally:
            await sandbox.close()

    return rows
