"""holdfast eval steps, holdfast eval canned."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import structlog
from typer.testing import CliRunner

from cli.main import app
from evals.step_eval import close_steps
from tests.core.test_learnt_steps import EXAMPLES


def jsonl(file: Path, rows: list[tuple[str | None, str]]) -> str:
    file.write_text("".join(json.dumps({"step": step, "text": text}) + "\n" for step, text in rows))
    return str(file)


def run(examples: str, turns: str, *options: str, what: str = "steps") -> tuple[int, str]:
    told = CliRunner().invoke(app, ["eval", what, "--examples", examples, "--turns", turns, *options])
    return told.exit_code, told.output


@pytest.fixture(autouse=True)
def _own_logs() -> Iterator[None]:
    """A command sets up the logs of its process, which is all tests' here."""
    yield
    structlog.reset_defaults()


def test_turns_are_counted_by_what_was_decided(tmp_path: Path) -> None:
    turns = [
        ("order_status", "where is my order"),
        ("returns", "I want to return the shoes"),
        ("returns", "hm, well, purple elephants"),
        ("order_status", "can I send these shoes back"),  # labelled wrongly: a decided turn that counts as wrong
        ("opening_hours", "I need a return label"),  # no examples: near, and accepted
        (None, "why is the grass green"),
    ]
    examples = jsonl(tmp_path / "examples", [(step, text) for step, text in EXAMPLES])
    code, told = run(examples, jsonl(tmp_path / "turns", turns), "--embedder", "lexical", "--json", f"{tmp_path}/out")
    assert code == 0, told
    (row,) = json.loads((tmp_path / "out").read_text())["rows"]
    assert (row["cov"], row["prec"], row["near_accepted"], row["far_accepted"]) == (0.75, 0.5, 1.0, 0.0)
    assert (row["turns"], row["out_of_scope"], row["embedder"]) == (6, 2, "lexical")


def test_steps_that_may_be_taken_for_each_other_are_found() -> None:
    places = {"balance": (1.0, 0.0, 0.0), "bill": (0.9, 0.1, 0.0), "joke": (0.0, 1.0, 0.0), "song": (0.0, 0.0, 1.0)}
    places |= {"visa": (0.0, 0.6, -1.0), "taxi": (-1.0, 0.0, 0.1)}
    examples = [(step, step) for step in places]
    assert close_steps(examples, lambda texts: np.array([places[text] for text in texts], np.float32)) == {
        "balance",
        "bill",
    }


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty"),
        ("{", ":1: is no JSON"),
        ('{"step": 3, "text": "a"}', ":1: step must be a name or null"),
        ('{"text": "a"}', ":1: must be"),
        ('{"step": "a", "text": "b"}', "no step has five examples"),
    ],
)
def test_file_that_cannot_be_used_is_named_with_its_line(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "examples").write_text(content)
    code, told = run(str(tmp_path / "examples"), jsonl(tmp_path / "turns", [(None, "a")]), "--embedder", "lexical")
    assert code == 1
    assert complaint in told


def test_missing_file_is_told(tmp_path: Path) -> None:
    code, told = run(str(tmp_path / "none"), str(tmp_path / "none"))
    assert code == 1
    assert "No such file" in told


def test_turns_of_calls_become_examples(tmp_path: Path) -> None:
    examples = jsonl(tmp_path / "examples", [(step, text) for step, text in EXAMPLES])
    turns = jsonl(tmp_path / "turns", [("returns", "these sandals pinch me dreadfully")])
    said = ("shoes", "boots", "gloves", "jeans", "hats")
    calls = jsonl(tmp_path / "calls", [("returns", f"the {what} pinch me dreadfully") for what in said])
    options = ("--embedder", "lexical", "--calls", calls, "--every", "3", "--json", f"{tmp_path}/out")
    code, told = run(examples, turns, *options)
    assert code == 0, told
    rows = json.loads((tmp_path / "out").read_text())["rows"]
    assert [(row["after_turns"], row["cov"]) for row in rows] == [(0, 0.0), (3, 1.0), (5, 1.0)]
    assert [row["examples"] for row in rows] == [17, 20, 22]
    run(examples, turns, *options, "--reviewed")
    rows = json.loads((tmp_path / "out").read_text())["rows"]
    assert [row["examples"] for row in rows] == [17, 20, 20]  # what is decided by then teaches no more
    _, told = run(examples, turns, *options[:-2], "--wrong", "1", "--json", f"{tmp_path}/out")
    assert json.loads((tmp_path / "out").read_text())["rows"][-1]["prec"] < 1


def test_questions_are_counted_by_the_answer_they_find(tmp_path: Path) -> None:
    turns = [
        ("order_status", "where is my order"),
        ("order_status", "hm, well, purple elephants"),
        ("returns", "where is my parcel"),  # labelled wrongly: an answer that counts as wrong
        (None, "why is the grass green"),
    ]
    examples = jsonl(tmp_path / "examples", [(step, text) for step, text in EXAMPLES])
    asked = jsonl(tmp_path / "turns", turns)
    code, told = run(examples, asked, "--embedder", "lexical", "--json", f"{tmp_path}/out", what="canned")
    assert code == 0, told
    (row,) = json.loads((tmp_path / "out").read_text())["rows"]
    assert (row["answered"], row["wrong"], row["prec"]) == (0.6667, 1, 0.5)


@pytest.mark.parametrize(("decided", "code"), [(0.0, 0), (1.0, 1)])
def test_a_playbooks_golden_set_is_measured_and_held_against_its_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decided: float, code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOLDFAST_EMBEDDER", "lexical")
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    golden = tmp_path / "mine.yaml"
    golden.write_text(
        f"bar: {{decided: {decided}}}\n"
        "utterances:\n"
        "  - {say: 'Hello, where is my order please?', step: order_status}\n"
        "  - {say: The parrot liked the opera., step: returns}\n"
        "  - {say: Nice weather in Chicago., step: null}\n"
    )
    told = ["--golden", str(golden), "--no-calls", "--json", str(tmp_path / "out.json")]
    ran = CliRunner().invoke(app, ["eval", "playbook", "order_support", *told])
    assert ran.exit_code == code, ran.output
    assert ("decided is 0.5, the bar 1.0" in ran.stderr) == bool(code)
    (row,) = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert row["playbook"].startswith("order_support@")
    assert (row["utterances"], row["out_of_scope"], row["decided"], row["model"]) == (2, 1, 0.5, "none")


@pytest.mark.parametrize("name", ["nonesuch", "bill_payment"])
def test_a_playbook_without_a_golden_set_is_one_line(name: str) -> None:
    ran = CliRunner().invoke(app, ["eval", "playbook", name, "--no-calls"])
    assert ran.exit_code == 2
    assert f"{name}.yaml" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
