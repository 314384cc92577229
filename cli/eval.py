"""The commands of holdfast eval."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli.bench import JsonFile
from cli.embedders import EmbedderName

SHOP = Path(__file__).parents[1] / "playbooks" / "order_support.yaml"
GOLDEN = Path(__file__).parents[1] / "evals" / "knowledge" / "order_support.jsonl"

evals = typer.Typer(no_args_is_help=True, help="Measure how well it understands.")


Examples = Annotated[Path, typer.Option(help='JSONL of {"step", "text"}: what is learnt from.')]
Turns = Annotated[Path, typer.Option(help="JSONL of the same: what is asked; step null or without examples: none.")]
EmbedderOption = Annotated[EmbedderName, typer.Option(help="auto: by meaning where the model is there.")]


@evals.command("playbook")
def eval_playbook(
    name: Annotated[str, typer.Argument(help="A playbook's name; HOLDFAST_PLAYBOOKS says where they are.")],
    golden: Annotated[Path | None, typer.Option(help="A golden set of your own, YAML.")] = None,
    calls: Annotated[bool, typer.Option(help="Play its calls, too, against the sandbox.")] = True,
    tries: Annotated[int, typer.Option(min=1, help="At each turn's words; the fastest counts, on a busy machine.")] = 1,
    json_file: JsonFile = None,
) -> None:
    """How many of a golden set's turns and calls go as they should; exit code 1 if below the set's bar."""
    from cli.eval_playbook import run

    run(name, golden, json_file, calls=calls, tries=tries)


@evals.command("canned")
def eval_canned(
    examples: Examples,
    turns: Turns,
    embedder: EmbedderOption = EmbedderName.AUTO,
    json_file: JsonFile = None,
) -> None:
    """How many questions find their canned answer (each step's examples are those of one), how many a wrong one."""
    from cli.embedders import embedder_of
    from evals.canned_eval import canned_finder, evaluate_canned
    from evals.figures import write_rows
    from evals.step_eval import BadTurns, read_labelled
    from vendors.minilm_embedder import MiniLmMissing

    try:
        known = [(row.step, row.text) for row in read_labelled(examples) if row.step is not None]
        asked = read_labelled(turns)
        chosen = embedder_of(embedder)
    except (BadTurns, MiniLmMissing) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    row = evaluate_canned(canned_finder(known, chosen), frozenset(step for step, _ in known), asked)
    row["embedder"] = chosen.name
    for name, value in row.items():
        print(f"{name:>16}  {value}")
    write_rows(json_file, [row])


@evals.command("steps")
def eval_steps(
    examples: Examples,
    turns: Turns,
    embedder: EmbedderOption = EmbedderName.AUTO,
    calls: Annotated[
        Path | None, typer.Option(help="JSONL of the same: turns of calls, in their order, that it learns from.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Turns of calls between two times of learning.")] = 250,
    wrong: Annotated[float, typer.Option(min=0, max=1, help="Share of the model's answers that is wrong.")] = 0.0,
    reviewed: Annotated[bool, typer.Option(help="Learn as a reviewed playbook does, not an automatic one.")] = False,
    json_file: JsonFile = None,
) -> None:
    """How many turns are decided without a model (cov), how many of those rightly (prec), and in what time."""
    from cli.embedders import embedder_of
    from core.learnt_steps import Example, LearntSteps, features, learn
    from evals.figures import write_rows
    from evals.step_eval import BadTurns, close_steps, read_labelled
    from evals.step_growth import grow
    from vendors.minilm_embedder import MiniLmMissing

    cpu_s: list[float] = []

    def learnt_from(own: Sequence[Example], grown: Sequence[Example]) -> LearntSteps:
        started = time.process_time()
        learnt = learn([*own, *grown], chosen, own=len(own))
        if learnt is None:
            print(f"{examples}: no step has five examples", file=sys.stderr)
            raise typer.Exit(1)
        cpu_s.append(round(time.process_time() - started, 2))
        return LearntSteps(learnt, chosen, [*own, *grown])

    try:
        known = [(row.step, row.text) for row in read_labelled(examples) if row.step is not None]
        asked = read_labelled(turns)
        said = read_labelled(calls) if calls is not None else []
        chosen = embedder_of(embedder)
    except (BadTurns, MiniLmMissing) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    close = close_steps(known, lambda texts: features(texts, chosen))
    rows = grow(known, said, asked, learnt_from, every=every, wrong=wrong, reviewed=reviewed, close=close)
    for row, seconds in zip(rows, cpu_s, strict=True):
        row["learn_cpu_s"] = seconds
        for name, value in row.items():
            print(f"{name:>16}  {value}")
        print()
    write_rows(json_file, rows)


@evals.command("knowledge")
def eval_knowledge(
    playbook: Annotated[Path, typer.Option(help="The playbook whose documents are searched, or a folder of them.")] = (
        SHOP
    ),
    questions: Annotated[Path, typer.Option(help='JSONL of {"ask", "from": [places]}; from []: no answer.')] = GOLDEN,
    embedder: Annotated[EmbedderName, typer.Option(help="auto: by meaning where the model is there.")] = (
        EmbedderName.AUTO
    ),
    json_file: JsonFile = None,
) -> None:
    """How often the right passage is found, and how often one is found where there is no answer."""
    from cli.knowledge import index_of
    from cli.knowledge_files import passages_at
    from core.playbook import PlaybookFaults
    from evals.figures import write_rows
    from evals.knowledge_eval import BadQuestions, evaluate, read_questions
    from vendors.minilm_embedder import MiniLmMissing

    try:
        row, wrong = evaluate(index_of(passages_at(playbook), embedder), read_questions(questions), questions)
    except (BadQuestions, PlaybookFaults, MiniLmMissing) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    for line in wrong:
        print(line)
    for name, value in row.items():
        print(f"{name:>16}  {value}")
    write_rows(json_file, [row])
