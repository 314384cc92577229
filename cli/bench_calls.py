"""holdfast bench call: whole calls in real time against the sandbox."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from cli.bench_stack import NUMBER, VENDORS, gateway_ports_of, options_of, pids_of, run
from cli.progress import progress
from cli.stack import Stack
from evals.call_bench import CallBench
from evals.figures import Row
from evals.sandbox_control import SandboxControl


def run_call(calls: Sequence[int], turns: int, json_file: Path | None, workers: int, *, speculation: bool) -> None:
    """Hold calls in real time, at each number of them."""

    async def measure(stack: Stack, sandbox: SandboxControl, count: int) -> Row:
        bench = CallBench(sandbox, NUMBER, pids_of(stack), gateway_ports_of(stack), count, turns, VENDORS)
        return {"speculation": "on" if speculation else "off", **await bench.run()}

    run(options_of(workers), at_each(calls, measure), json_file, speculation=speculation)


def at_each(
    calls: Sequence[int], measure: Callable[[Stack, SandboxControl, int], Awaitable[Row]]
) -> Callable[[Stack], Awaitable[list[Row]]]:
    """Measures with each number of calls, one after the other."""

    async def rows(stack: Stack) -> list[Row]:
        sandbox = SandboxControl(stack.sandbox_url or "")
        try:
            found = []
            for count in calls:
                async with progress(f"Holding {count} calls"):
                    found.append(await measure(stack, sandbox, count))
            return found
        finally:
            await sandbox.close()

    return rows
