"""holdfast playbook check, as its users run it."""

from pathlib import Path

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
