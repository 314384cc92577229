"""Files of every kind as passages, and what is told of those that cannot be used."""

from pathlib import Path

import pypdf
import pytest

from core.knowledge.passages import BadDocument, is_path
from tests.world.documents import pdf
from vendors.documents import read_document

SHOP = Path(__file__).parents[2] / "playbooks" / "knowledge" / "order_support"


def test_pdf_is_read_with_its_headings_and_pages() -> None:
    found = read_document("shop/warranty.pdf", (SHOP / "warranty.pdf").read_bytes())
    told = {one.place: one.text for one in found}
    assert told["warranty.pdf, What is not covered, page 1"].startswith("Ordinary wear, such as worn soles")
    assert "claim" not in told["warranty.pdf, How to make a claim, page 2"].split()[:3]
    assert "fire" in told["warranty.pdf, What is not covered, page 1"]  # the file has it with a ligature


def test_line_at_the_edge_of_every_page_is_left_out() -> None:
    facts = ["Zips are repaired.", "Soles are renewed.", "Poles are straightened."]
    found = read_document("a.pdf", pdf(*([f"Northwind page {n}", fact] for n, fact in enumerate(facts))))
    assert [one.text for one in found] == facts


def encrypted(content: bytes, **how: str) -> bytes:
    from io import BytesIO

    writer = pypdf.PdfWriter(clone_from=BytesIO(content))
    writer.encrypt(**how, algorithm="RC4-128")  # type: ignore[arg-type]
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("path", "content", "told"),
    [
        ("a.pdf", encrypted(pdf(["x"]), user_password="secret"), "is encrypted: save it without a password"),
        ("a.pdf", pdf([], []), r"holds pictures only, no text \(2 pages\): run it through text recognition"),
        ("a.pdf", b"<html>", "is no PDF file, whatever its name says"),
        ("a.pdf", b"%PDF-1.7\ngarbage", "is broken: open it and save it anew"),
        ("a.md", b"x" * 50_000_000, "has 50 MB, at most 10 are read: split it"),
        ("a.md", b" \n", "is empty"),
        ("a.md", b"\xff\xfe\xfa", "save it as UTF-8"),
        ("a.docx", b"PK", r"is of no kind that can be read: .htm, .html, .markdown, .md, .pdf, .txt"),
        ("a.html", b"<script>only()</script>", "holds no text"),
    ],
)
def test_document_that_cannot_be_used_is_told_with_what_to_do(path: str, content: bytes, told: str) -> None:
    with pytest.raises(BadDocument, match=told):
        read_document(path, content)


def test_pdf_that_only_its_owner_may_change_can_be_read() -> None:
    content = encrypted(pdf(["Two years."]), user_password="", owner_password="secret")
    assert [one.text for one in read_document("a.pdf", content)] == ["Two years."]


@pytest.mark.parametrize("path", ["a.md", "shop/Über uns (1).html", "a-b_c/d.e.pdf"])
def test_path_of_plain_names_is_taken(path: str) -> None:
    assert is_path(path)


@pytest.mark.parametrize("path", ["", "/a.md", "../a.md", "a/../b.md", "a//b.md", ".a.md", "a/.b.md", "a\nb.md", "a/"])
def test_path_that_leads_elsewhere_is_not(path: str) -> None:
    assert not is_path(path)
