"""holdfast rehearse: the whole product on this machine, three scripted calls, and what they sounded like."""

import asyncio
import sys
from collections.abc import Callable

import structlog
import uvloop

from cli.dev import STACK_FAILURES, print_where_to_look, quiet_logs, run_stack
from cli.process import complaints
from cli.progress import out
from cli.settings import Settings
from cli.stack import Stack, StackOptions
from core.timings import LAYERS
from evals.product import FeedLine, Product
from evals.rehearsal import Outcome, Rehearsal, Stage, load_rehearsals
from evals.sandbox_control import SandboxControl

log = structlog.get_logger()


def run(options: StackOptions, *, keep: bool) -> None:
    """Play the shipped rehearsals; exit code 1 if one did not go as it should."""
    quiet_logs()
    outcomes: list[Outcome] = []

    async def rehearse(stack: Stack) -> None:
        outcomes.extend(await _play_all(stack, load_rehearsals()))
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
        stage = Stage(product, sandbox, print_line)
        async with stage.listening():
            outcomes = []
            for number, rehearsal in enumerate(rehearsals, 1):
                out.print(f"\n[bold]{number}. {rehearsal.title}[/bold] ({rehearsal.direction}, {rehearsal.to})")
                outcomes.append(await stage.play(rehearsal))
            return outcomes
    finally:
        await product.close()
        await sandbox.close()


def print_line(line: FeedLine) -> None:
    """One line of a call's live feed, as people read a call; lines that say nothing to them are left out."""
    words = _WORDS.get(line.kind)
    if words is not None and (text := words(line)):
        out.print(text)


def _started(line: FeedLine) -> str:
    return f"  [dim]{line.call_id} · playbook {line.data.get('playbook', '')}[/dim]"


def _assistant(line: FeedLine) -> str:
    cut = " [yellow](interrupted)[/yellow]" if line.data.get("interrupted") else ""
    return f"  [cyan]assistant[/cyan]  {_plain(line.data['heard'])}{cut}" if line.data["heard"] else ""


def _latency(line: FeedLine) -> str:
    layers = line.data.get("layers") or {}
    if not layers:
        return ""
    split = " + ".join(f"{name.replace('_', ' ')} {layers[name]:.0f}" for name in LAYERS if layers.get(name, 0) >= 0.5)
    return f"  [dim]           answered after {line.data['latency_ms']:.0f} ms = {split}[/dim]"


def _tool(line: FeedLine) -> str:
    state = "ok" if line.data["ok"] else "failed"
    return f"  [magenta]tool[/magenta]       {line.data['name']} {state}, {line.data['took_ms']} ms"


def _step(line: FeedLine) -> str:
    return (
        f"  [dim]           step {line.data['step']} ({line.data['method']}, "
        f"{line.data['confidence']:.2f}, {line.data['took_ms']:.0f} ms)[/dim]"
    )


_WORDS: dict[str, Callable[[FeedLine], str]] = {
    "call_started": _started,
    "caller_turn": lambda line: f"  [green]caller[/green]     {_plain(line.data['text'])}",
    "step_found": _step,
    "tool_returned": _tool,
    "reply_started": _latency,
    "assistant_said": _assistant,
    "call_ended": lambda line: f"  [bold]ended[/bold]      {line.data['disposition']}",
    "call_summarized": lambda line: f"  [dim]summary    {_plain(line.data['summary'])}[/dim]",
    "crm_synced": lambda line: f"  [dim]CRM        note {line.data['note_id']}[/dim]",
    "problem": lambda line: f"  [red]problem[/red]    {_plain(line.data['what'])}",
}


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


def _print_outcomes(outcomes: list[Outcome]) -> None:
    out.print()
    for outcome in outcomes:
        if outcome.problems:
            out.print(f"  [red]✗[/red] {outcome.rehearsal.title}: {'; '.join(outcome.problems)}")
        else:
            out.print(f"  [green]✓[/green] {outcome.rehearsal.title}: {outcome.disposition}")
