"""holdfast playbook check, as its users run it."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from typer.testing import CliRunner

from cli.main import app

GOOD = Path(__file__).parents[2] / "playbooks" / "order_support.yaml"


def check(*files: Path) -> tuple[int, str, str]:
    ran = CliRunner().invoke(app, ["playbook", "check", *map(str, files)])
    return ran.exit_code, ran.stdout, ran.stderr


def test_a_good_playbook_is_named_with_its_version() -> None:
    code, out, err = check(GOOD)
    assert code == 0
    assert err == ""
    assert f"{GOOD}: order_support@" in out


def test_a_typo_is_told_with_file_line_field_and_hint(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        "name: bad\ngoal: g\npersona: p\ngreetng: hello\nsteps:\n  - name: one\n    goal: g\n    tools: [end_cal]\n"
    )
    code, _, err = check(bad, GOOD)
    assert code == 1
    assert f"{bad}:1: greeting: is missing" in err
    assert f"{bad}:4: greetng: no such field (did you mean 'greeting'?)" in err


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    code, _, err = check(tmp_path / "nowhere.yaml")
    assert code == 1
    assert err.splitlines() == [f"{tmp_path}/nowhere.yaml:1: (file): No such file or directory"]


def test_the_graph_of_a_playbook_is_shown() -> None:
    ran = CliRunner().invoke(app, ["playbook", "show", str(GOOD)])
    assert ran.exit_code == 0
    assert ran.stdout.startswith("flowchart TD\n")
    assert "order_status" in ran.stdout


def test_a_playbook_with_faults_is_not_drawn(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: bad\n")
    ran = CliRunner().invoke(app, ["playbook", "show", str(bad)])
    assert ran.exit_code == 1
    assert f"{bad}:1: goal: is missing" in ran.stderr


def test_the_schema_for_editors_takes_the_shipped_playbooks_and_no_typo() -> None:
    ran = CliRunner().invoke(app, ["playbook", "schema"])
    schema = jsonschema_rs.validator_for(json.loads(ran.stdout))
    written = yaml.safe_load(GOOD.read_text())
    assert schema.is_valid(written)
    assert not schema.is_valid(written | {"gaol": "x"})
    assert not schema.is_valid(written | {"digest": "x"})


TOOLS = """
name: shop
goal: g
persona: p
greeting: Hello.
tool_hosts: [api.shop.example]
steps:
  - name: one
    goal: g
    tools: [quote, book]
tools:
  - name: quote
    description: A quote.
    http: {url: "https://api.shop.example/quote", auth: {bearer: SHOP_TOKEN}}
  - name: book
    python: calcom.book_slots
"""


def test_tool_that_no_package_offers_is_a_fault_and_an_unset_secret_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(TOOLS)
    code, _, err = check(file)
    assert code == 1
    assert f"{file}:16: tools.1.python: no installed package offers the tool 'calcom.book_slots'" in err
    assert f"warning: {file}:14: tools.0.http: HOLDFAST_SECRET_SHOP_TOKEN is not set here" in err
    file.write_text(TOOLS[: TOOLS.index("  - name: book")].replace(", book]", "]"))
    assert check(file)[0] == 0


def test_host_outside_the_operators_list_and_a_schema_that_is_none_are_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_TOOL_HOSTS", "other.example")
    file = tmp_path / "shop.yaml"
    wrong = "    arguments: {type: object, properties: {n: {type: strange}}}\n"
    file.write_text(TOOLS[: TOOLS.index("  - name: book")].replace(", book]", "]") + wrong)
    code, _, err = check(file)
    assert code == 1
    assert "tools.0.http.url: the host api.shop.example is not among HOLDFAST_TOOL_HOSTS here" in err
    assert f"{file}:15: tools.0.arguments: is no JSON Schema" in err
