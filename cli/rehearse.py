"""holdfast rehearse: the whole product on this machine, scripted calls, and what they sounded like."""

import asyncio
import sys

import uvloop

from cli.dev import STACK_FAILURES, print_where_to_look, quiet_logs, run_stack
from cli.feed_lines import Transcript
from cli.process import complaints
from cli.progress import out
from cli.settings import Settings
from cli.stack import Stack, StackOptions
from evals.product import FeedLine, Product
from evals.rehearsal import BadRehearsals, Outcome, Rehearsal, Stage, rehearsals_named
from evals.sandbox_control import SandboxControl


def run(options: StackOptions, name: str, *, keep: bool) -> None:
    """Play the rehearsals of that name, or in that file; exit code 1 if one did not go as it should."""
    quiet_logs()
    with complaints(BadRehearsals):
        rehearsals = rehearsals_named(name)
    outcomes: list[Outcome] = []

    async def rehearse(stack: Stack) -> None:
        outcomes.extend(await _play_all(stack, rehearsals))
        _print_outcomes(outcomes)
        print_where_to_look(stack, stays=keep)
        if keep:
            await asyncio.Event().wait()

    with complaints(*STACK_FAILURES):
        uvloop.run(run_stack(Stack(options, Settings.read()), rehearse))
    if not outcomes or any(outcome.problems for outcome in outcomes):
        sys.exit(1)


async def _play_all(stack: Stack, rehearsals: list[Rehearsal]) -> list[Outcome]:
    product, sandbox = Product(stack.url, stack.api_key), SandboxControl(stack.sandbox_url or "")
    try:
        stage = Stage(product, sandbox, Printer().print)
        async with stage.listening():
            outcomes = []
            for number, rehearsal in enumerate(rehearsals, 1):
                out.print(f"\n[bold]{number}. {rehearsal.title}[/bold] ({rehearsal.direction}, {rehearsal.to})")
                outcomes.append(await stage.play(rehearsal))
            return outcomes
    finally:
        await product.close()
        await sandbox.close()


class Printer:
    """Prints calls as people read them."""

    def __init__(self) -> None:
        self._transcripts: dict[str, Transcript] = {}

    def print(self, line: FeedLine) -> None:
        """What can be shown now that this line of a call's live feed has come."""
        for words in self._transcripts.setdefault(line.call_id, Transcript()).add(line.kind, line.data):
            out.print(f"  {words}")


def _print_outcomes(outcomes: list[Outcome]) -> None:
    out.print()
    for outcome in outcomes:
        if outcome.problems:
            out.print(f"  [red]✗[/red] {outcome.rehearsal.title}: {'; '.join(outcome.problems)}")
        else:
            out.print(f"  [green]✓[/green] {outcome.rehearsal.title}: {outcome.disposition}")
