"""holdfast eval playbook: a playbook's golden set, understood turn by turn, and its calls, played several at once."""

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop
from pydantic import SecretStr
from rich.table import Table

from cli.dev import STACK_FAILURES, quiet_logs, run_stack
from cli.embedders import EmbedderName, embedder_of
from cli.playbook_check import read_playbook
from cli.process import complaints
from cli.progress import complain, out
from cli.settings import Settings
from cli.stack import Stack, StackOptions
from cli.step_fits import KeptStepFits
from cli.understanding import PlaybookUnderstanding, ready_playbook
from cli.vendor_choice import reasoner
from core.playbook import Playbook, PlaybookFaults
from core.ports.errors import VendorError
from core.recently_embedded import RecentlyEmbedded
from evals.figures import Row, write_rows
from evals.golden import FOLDER, BadGoldenSet, GoldenSet, Score, below, golden_set, score
from evals.product import Product
from evals.rehearsal import BadRehearsals, Outcome, Rehearsal, Stage, rehearsals_named, shipped_rehearsals
from evals.sandbox_control import SandboxControl

DATA = Path(".holdfast/eval")
AT_ONCE = 3  # calls: people in scripts do not wait for a machine that is too slow


def run(name: str, golden_file: Path | None, json_file: Path | None, *, calls: bool, tries: int) -> None:
    """Measure, print what was wrong and the figures; exit code 1 where they are below the set's bar."""
    quiet_logs()
    with complaints(*STACK_FAILURES, BadGoldenSet, BadRehearsals, PlaybookFaults, VendorError):
        settings = Settings.read()
        playbook = read_playbook(settings.playbooks / f"{name}.yaml")
        golden = golden_set(golden_file or FOLDER / f"{name}.yaml", playbook)
        played = rehearsals_named(name) if calls and name in shipped_rehearsals() else []
        found = uvloop.run(_measure(settings, playbook, golden, played, tries))
    real_model = found.row["model"] not in ("none", "sandbox")
    lacking = below(golden.bar, found.row, real_model=real_model)
    for line in found.wrong:
        out.print(f"  wrong: {line}", highlight=False, markup=False)
    _print(found.row)
    write_rows(json_file, [found.row])
    for line in lacking:
        complain(line)
    if lacking:
        sys.exit(1)


async def _measure(
    settings: Settings, playbook: Playbook, golden: GoldenSet, played: list[Rehearsal], tries: int
) -> Score:
    """With a model's key that model is asked; without one the sandbox's, while there is one to play the calls."""
    if not played:
        return await _understood(settings if settings.anthropic_api_key else None, playbook, golden, "", tries)
    scores: list[Score] = []

    async def use(stack: Stack) -> None:
        if settings.anthropic_api_key:
            understood = await _understood(settings, playbook, golden, "", tries)
        else:
            understood = await _understood(_with_model_of(stack, settings), playbook, golden, "sandbox", tries)
        outcomes = await _play(stack, played)
        wrong = [f"call {one.rehearsal.name}: {'; '.join(one.problems)}" for one in outcomes if one.problems]
        row: Row = {"calls": len(outcomes), "calls_right": round(1 - len(wrong) / len(outcomes), 4)}
        scores.append(Score(understood.row | row, (*understood.wrong, *wrong)))

    options = StackOptions(port=0, temporal_port=0, temporal_ui_port=0, data=DATA, sandbox_only=True)
    await run_stack(Stack(options, settings), use)
    return scores[0]


def _with_model_of(stack: Stack, settings: Settings) -> Settings:
    """The stack's own workers' model in place of ours."""
    key, origin = stack.environment["ANTHROPIC_API_KEY"], stack.environment["ANTHROPIC_BASE_URL"]
    return settings.model_copy(update={"anthropic_api_key": SecretStr(key), "anthropic_base_url": origin})


async def _understood(
    settings: Settings | None, playbook: Playbook, golden: GoldenSet, model: str, tries: int
) -> Score:
    embedder = RecentlyEmbedded(embedder_of(EmbedderName((settings or Settings.read()).embedder)))
    ready = await ready_playbook(playbook, KeptStepFits(embedder, DATA / "steps"))
    async with AsyncExitStack() as stack:
        asked = reasoner(settings, stack) if settings is not None else None
        found = await score(golden, PlaybookUnderstanding(ready, asked, embedder, tries))
    name = model or (settings.step_model if settings is not None else "none")
    return Score({"playbook": playbook.ref, "embedder": embedder.name, "model": name, **found.row}, found.wrong)


async def _play(stack: Stack, played: list[Rehearsal]) -> list[Outcome]:
    product, sandbox = Product(stack.url, stack.api_key), SandboxControl(stack.sandbox_url or "")
    try:
        stage = Stage(product, sandbox, lambda line: None)
        async with stage.listening():
            some = asyncio.Semaphore(AT_ONCE)

            async def play(rehearsal: Rehearsal) -> Outcome:
                async with some:
                    return await stage.play(rehearsal)

            return await asyncio.gather(*map(play, played))
    finally:
        await product.close()
        await sandbox.close()


def _print(row: Row) -> None:
    table = Table(box=None, show_header=False)
    for name, value in row.items():
        table.add_row(name, str(value))
    out.print(table)
