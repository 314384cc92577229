"""Documents of playbooks at the command line: checked, searched, published, measured."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.world.documents import pdf

ROOT = Path(__file__).parents[2]
SHOP = str(ROOT / "playbooks" / "order_support.yaml")
TEXT = """name: shop
goal: g
persona: p
greeting: Hello.
knowledge:
  - help
  - prices.pdf
steps:
  - name: one
    goal: g
"""


def run(*command: str) -> tuple[int, str, str]:
    ran = CliRunner().invoke(app, list(command))
    return ran.exit_code, ran.stdout, ran.stderr


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "help").mkdir()
    (tmp_path / "help" / "returns.md").write_text("# Returns\nGoods can be returned within 30 days.\n")
    (tmp_path / "prices.pdf").write_bytes(pdf(["A pick-up costs 5 dollars."]))
    file = tmp_path / "shop.yaml"
    file.write_text(TEXT)
    return file


def test_documents_that_can_be_read_are_no_fault(shop: Path) -> None:
    code, _, err = run("playbook", "check", str(shop))
    assert (code, err) == (0, "")


def test_every_document_that_cannot_be_used_is_told_at_its_line(shop: Path) -> None:
    (shop.parent / "help" / "latin.md").write_bytes(b"f\xfcr")
    (shop.parent / "prices.pdf").write_bytes(pdf([]))
    shop.write_text(TEXT.replace("steps:", "  - nowhere.md\nsteps:"))
    code, _, err = run("playbook", "check", str(shop))
    assert code == 1
    assert err.splitlines() == [
        f"{shop}:6: knowledge.0: help/latin.md: is no UTF-8 text (line 1): save it as UTF-8",
        f"{shop}:7: knowledge.1: prices.pdf: holds pictures only, no text (1 pages): run it through text recognition"
        " (OCR) first",
        f"{shop}:8: knowledge.2: nowhere.md: is not there, beside {shop.parent}",
    ]


@pytest.mark.parametrize("source", ["../help", "help/../../x.md", "/etc/passwd.md", ".secret.md"])
def test_source_outside_is_a_fault(shop: Path, source: str) -> None:
    shop.write_text(TEXT.replace("- help", f"- {source}"))
    assert f"{shop}:6: knowledge.0: must name a file or a folder beside" in run("playbook", "check", str(shop))[2]


def test_translation_without_its_line_is_a_fault(shop: Path) -> None:
    lines = (
        "disclosure: x, greeting: x, welcome_back: x, holding_lines: [x], silence_prompts: [x], farewell: x, apology: x"
    )
    shop.write_text(f"{TEXT}languages: [en, de]\ntranslations:\n  de: {{{lines}}}\n")
    assert "translations.de.unknown: is missing: the playbook has knowledge" in run("playbook", "check", str(shop))[2]
    shop.write_text(f"{TEXT}languages: [en, de]\ntranslations:\n  de: {{{lines}, unknown: Weiss ich nicht.}}\n")
    assert run("playbook", "check", str(shop))[0] == 0


def test_search_shows_passages_and_what_goes_to_the_model(shop: Path) -> None:
    code, out, _ = run("knowledge", "search", str(shop), "can goods be returned", "--embedder", "lexical")
    assert code == 0
    assert "2 passages, lexical, threshold 0.12" in out
    assert [line[:2] for line in out.splitlines() if "returns.md, Returns" in line] == ["* "]


def test_search_for_what_no_document_tells_says_so(shop: Path) -> None:
    code, out, _ = run("knowledge", "search", str(shop), "who won the election", "--embedder", "lexical")
    assert code == 1
    assert "Nothing is likely enough to answer it. The assistant is told to say: I am sorry, I don't know that" in out


def test_migrate_publishes_documents_for_workers_that_have_no_files(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_PLAYBOOKS", str(shop.parent))
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/holdfast.db")
    assert run("migrate", "--database-only")[0] == 0
    (shop.parent / "prices.pdf").unlink()
    code, out, _ = run("knowledge", "search", "shop", "what does a pick-up cost", "--embedder", "lexical")
    assert code == 0
    assert "prices.pdf, page 1" in out
    ran = run("migrate", "--database-only")
    assert ran[0] == 2
    assert f"{shop}:7: knowledge.1: prices.pdf: is not there" in ran[2]


def test_golden_set_of_the_shop_is_measured(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert run("eval", "knowledge", "--embedder", "lexical", "--json", str(out))[0] == 0
    (row,) = json.loads(out.read_text())["rows"]
    assert row["recall_at_3"] >= 0.7
    assert row["questions"] == 51


def test_golden_set_that_names_no_passage_is_told(tmp_path: Path) -> None:
    questions = tmp_path / "q.jsonl"
    questions.write_text('{"ask": "How long?", "from": ["nowhere.md, Nothing"]}\n')
    code, _, err = run("eval", "knowledge", "--questions", str(questions), "--embedder", "lexical")
    assert code == 1
    assert "no passage stands at 'nowhere.md, Nothing'" in err
