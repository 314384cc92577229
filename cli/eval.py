"""The commands of holdfast eval."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.bench import JsonFile
from cli.embedders import EmbedderName

evals = typer.Typer(no_args_is_help=True, help="Measure how well it understands.")


@evals.callback()
def _only_subcommands() -> None:
    """Keeps `steps` a command of its own while there is no other."""


@evals.command("steps")
def eval_steps(
    examples: Annotated[Path, typer.Option(help='JSONL of {"step", "text"}: what is learnt from.')],
    turns: Annotated[Path, typer.Option(help="JSONL of the same: what is asked; step null or without examples: none.")],
    embedder: Annotated[EmbedderName, typer.Option(help="auto: by meaning where the model is there.")] = (
        EmbedderName.AUTO
    ),
    json_file: JsonFile = None,
) -> None:
    """How many turns are decided without a model (cov), how many of those rightly (prec), and in what time."""
    from cli.embedders import embedder_of
    from core.learnt_steps import LearntSteps, learn
    from evals.figures import write_rows
    from evals.step_eval import BadTurns, evaluate, read_labelled
    from vendors.minilm_embedder import MiniLmMissing

    try:
        known = [(row.step, row.text) for row in read_labelled(examples) if row.step is not None]
        asked = read_labelled(turns)
        chosen = embedder_of(embedder)
    except (BadTurns, MiniLmMissing) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    started = time.process_time()
    learnt = learn(known, chosen)
    if learnt is None:
        print(f"{examples}: no step has five examples", file=sys.stderr)
        raise typer.Exit(1)
    row = evaluate(LearntSteps(learnt, chosen, known), asked)
    row["examples"], row["learn_cpu_s"] = len(known), round(time.process_time() - started, 2)
    for name, value in row.items():
        print(f"{name:>16}  {value}")
    write_rows(json_file, [row])
